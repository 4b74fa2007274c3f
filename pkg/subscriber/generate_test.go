package subscriber_test

import (
	"strconv"
	"time"

	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// usedTopics are the topics that produce events or texts.
func usedTopics() []recharge.Topic {
	return []recharge.Topic{
		"subscription/created", "subscription/activated", "subscription/cancelled", "subscription/deleted",
		"subscription/updated", "subscription/paused", "subscription/skipped", "subscription/unskipped", "subscription/swapped",
		"charge/created", "charge/paid", "charge/upcoming", "charge/failed", "charge/max_retries_reached",
		"charge/refunded", "charge/updated", "charge/uncaptured", "charge/deleted",
		"order/upcoming", "order/processed", "order/created",
		"customer/created", "customer/updated", "customer/activated", "customer/deactivated", "customer/deleted",
	}
}

func unusedTopics() []recharge.Topic {
	return []recharge.Topic{
		"order/cancelled", "order/success",
		"customer/payment_method_updated", "address/created", "onetime/created",
	}
}

// aCase is the input of Decide.
type aCase struct {
	settings subscriber.Settings
	state    *subscriber.State
	webhook  recharge.Webhook
	at       time.Time
}

func (c aCase) decide() (subscriber.Decision, error) {
	decision, _, err := subscriber.Decide(c.settings, c.state, c.webhook, c.at)
	return decision, err
}

// anyCase generates a webhook as the decoder returns it: the object of its topic is there and has an ID, everything else may be
// missing. The state may be the result of any webhooks and answers before.
func anyCase(topics ...recharge.Topic) *rapid.Generator[aCase] {
	return rapid.Custom(func(t *rapid.T) aCase {
		c := aCase{
			settings: settings().Draw(t, "settings"),
			webhook:  webhook(topics, maybe(instants())).Draw(t, "webhook"),
			at:       instants().Draw(t, "received at"),
		}
		c.state = states(c).Draw(t, "state")
		return c
	})
}

// fullCase generates a webhook with all its times, of a customer who was looked up and nothing else, so that a decision is always
// possible.
func fullCase(topics ...recharge.Topic) *rapid.Generator[aCase] {
	return rapid.Custom(func(t *rapid.T) aCase {
		c := aCase{
			settings: settings().Draw(t, "settings"),
			webhook:  webhook(topics, instants()).Draw(t, "webhook"),
			at:       instants().Draw(t, "received at"),
		}
		setCustomer(&c.webhook, ids().Draw(t, "customer id"))
		known := customers(instants()).Draw(t, "known customer")
		known.ID, known.Email, known.Counted = c.webhook.CustomerID(), "jo.bean@example.com", false
		c.state = stateAfterLookup(c.settings, *known)
		return c
	})
}

// stateAfterLookup is the state right after a lookup of the customer was applied.
func stateAfterLookup(s subscriber.Settings, c recharge.Customer) *subscriber.State {
	a := answer{Lookup: recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupCustomer}, Customer: &c}}
	_, m, _ := apply(s, &subscriber.State{}, c.ID, a, start().AddDate(-5, 0, 0))
	return m
}

// loadedState is the same state, saved and loaded: the customer can be looked up again.
func loadedState(s subscriber.Settings, c recharge.Customer) *subscriber.State {
	rows := newRows()
	if err := rows.save(c.ID, &subscriber.State{}, stateAfterLookup(s, c)); err != nil {
		panic(err)
	}
	m, err := rows.load(c.ID)
	if err != nil {
		panic(err)
	}
	return m
}

// states generates a state: the result of a few other webhooks and answers of the same customer.
func states(c aCase) *rapid.Generator[*subscriber.State] {
	return rapid.Custom(func(t *rapid.T) *subscriber.State {
		m, id := &subscriber.State{}, c.webhook.CustomerID()
		before := rapid.IntRange(0, 4).Draw(t, "before")
		if id == "" {
			return m
		}
		for range before {
			at := instants().Draw(t, "before at")
			if rapid.Bool().Draw(t, "an answer") {
				a := answers(id, maybe(instants())).Draw(t, "answer")
				_, m, _ = apply(c.settings, m, id, a, at)
				continue
			}
			w := webhook(usedTopics(), maybe(instants())).Draw(t, "webhook before")
			setCustomer(&w, id)
			if w.Topic.Resource() == c.webhook.Topic.Resource() && rapid.Bool().Draw(t, "of the same") {
				setResourceID(&w, resourceID(c.webhook))
			}
			_, m, _ = subscriber.Decide(c.settings, m, w, at)
		}
		return m
	})
}

// answers generates answers of the API and imports.
func answers(id string, times *rapid.Generator[time.Time]) *rapid.Generator[answer] {
	return rapid.Custom(func(t *rapid.T) answer {
		a := answer{imported: rapid.IntRange(0, 4).Draw(t, "import") == 0}
		a.Complete = rapid.Bool().Draw(t, "complete")
		a.LookupRequest = recharge.LookupRequest{
			Kind: rapid.SampledFrom([]recharge.LookupKind{recharge.LookupCustomer, recharge.LookupSubscriptions, recharge.LookupCancellation}).Draw(t, "kind"),
			Due:  times.Draw(t, "due"), Attempt: rapid.IntRange(0, 2).Draw(t, "attempt"),
		}
		if a.Kind == recharge.LookupCustomer {
			a.Complete = false
			if rapid.Bool().Draw(t, "found") {
				a.Customer = customers(times).Draw(t, "customer")
				a.Customer.ID = id
			}
			return a
		}
		for range rapid.IntRange(0, 3).Draw(t, "subscriptions") {
			s := subscriptions(times).Draw(t, "subscription")
			s.CustomerID = id
			a.Subscriptions = append(a.Subscriptions, *s)
			a.SubscriptionIDs = append(a.SubscriptionIDs, s.ID)
		}
		return a
	})
}

func setCustomer(w *recharge.Webhook, id string) {
	switch {
	case w.Subscription != nil:
		w.Subscription.CustomerID = id
	case w.Charge != nil:
		w.Charge.CustomerID = id
	case w.Order != nil:
		w.Order.CustomerID = id
	}
	if w.Customer != nil {
		w.Customer.ID = id
	}
}

func settings() *rapid.Generator[subscriber.Settings] {
	return rapid.Custom(func(t *rapid.T) subscriber.Settings {
		return subscriber.Settings{
			Store:          store,
			CustomerID:     rapid.SampledFrom([]subscriber.IDChoice{subscriber.ByEmail, subscriber.ByRechargeID}).Draw(t, "id choice"),
			ActiveProperty: rapid.Bool().Draw(t, "property"),
			SMS:            rapid.Bool().Draw(t, "sms"),
			API:            rapid.Bool().Draw(t, "api"),
			KeepOldProfile: rapid.Bool().Draw(t, "keep old profile"),
		}
	})
}

func webhook(topics []recharge.Topic, times *rapid.Generator[time.Time]) *rapid.Generator[recharge.Webhook] {
	return rapid.Custom(func(t *rapid.T) recharge.Webhook {
		w := recharge.Webhook{
			Topic: rapid.SampledFrom(topics).Draw(t, "topic"), Version: recharge.Version202111,
			Hash: rapid.StringMatching("[0-9a-f]{64}").Draw(t, "hash"),
		}
		switch w.Topic.Resource() {
		case "subscription":
			w.Subscription = subscriptions(times).Draw(t, "subscription")
		case "charge":
			w.Charge = charges(times).Draw(t, "charge")
		case "order":
			w.Order = orders(times).Draw(t, "order")
		case "customer":
			w.Customer = customers(times).Draw(t, "customer")
		}
		if w.Topic.Resource() != "customer" && rapid.Bool().Draw(t, "included") {
			w.Customer = customers(times).Draw(t, "included customer")
			if id := w.CustomerID(); rapid.IntRange(0, 9).Draw(t, "another's") > 0 {
				w.Customer.ID = id
			}
		}
		return w
	})
}

func subscriptions(times *rapid.Generator[time.Time]) *rapid.Generator[*recharge.Subscription] {
	return rapid.Custom(func(t *rapid.T) *recharge.Subscription {
		return &recharge.Subscription{
			ID: ids().Draw(t, "id"), CustomerID: maybe(ids()).Draw(t, "customer"), AddressID: maybe(ids()).Draw(t, "address"),
			Email:        emails().Draw(t, "email"),
			Status:       rapid.SampledFrom([]string{"active", "cancelled", "expired", "", "some day"}).Draw(t, "status"),
			ProductTitle: maybe(rapid.String()).Draw(t, "title"), Price: maybe(amounts()).Draw(t, "price"),
			Quantity: rapid.IntRange(0, 9).Draw(t, "quantity"), IsPrepaid: rapid.Bool().Draw(t, "prepaid"),
			NextChargeDate: maybe(dates()).Draw(t, "next charge"),
			CreatedAt:      times.Draw(t, "created"), UpdatedAt: times.Draw(t, "updated"), CancelledAt: times.Draw(t, "cancelled"),
			CancellationReason: maybe(rapid.String()).Draw(t, "reason"),
		}
	})
}

func charges(times *rapid.Generator[time.Time]) *rapid.Generator[*recharge.Charge] {
	return rapid.Custom(func(t *rapid.T) *recharge.Charge {
		return &recharge.Charge{
			ID: ids().Draw(t, "id"), CustomerID: maybe(ids()).Draw(t, "customer"), AddressID: maybe(ids()).Draw(t, "address"),
			Email:      emails().Draw(t, "email"),
			Status:     rapid.SampledFrom([]string{"success", "error", "queued", "skipped", "refunded", ""}).Draw(t, "status"),
			TotalPrice: maybe(amounts()).Draw(t, "total"), ScheduledDate: maybe(dates()).Draw(t, "scheduled"),
			ProcessedAt: times.Draw(t, "processed"), RetryAt: times.Draw(t, "retry"),
			CreatedAt: times.Draw(t, "created"), UpdatedAt: times.Draw(t, "updated"),
			Attempts:  rapid.IntRange(0, 9).Draw(t, "attempts"),
			ErrorType: rapid.SampledFrom([]string{"", "CARD_DECLINED", "THROTTLE", "DO_NOT_HONOR", "SHIPPING_RATE_ERROR", "NEVER_HEARD_OF"}).Draw(t, "error"),
			LineItems: rapid.SliceOfN(lines(), 0, 3).Draw(t, "lines"), Contact: contacts().Draw(t, "contact"),
		}
	})
}

func orders(times *rapid.Generator[time.Time]) *rapid.Generator[*recharge.Order] {
	return rapid.Custom(func(t *rapid.T) *recharge.Order {
		return &recharge.Order{
			ID: ids().Draw(t, "id"), CustomerID: maybe(ids()).Draw(t, "customer"), AddressID: maybe(ids()).Draw(t, "address"),
			ChargeID: maybe(ids()).Draw(t, "charge"), Email: emails().Draw(t, "email"),
			TotalPrice: maybe(amounts()).Draw(t, "total"), ScheduledDate: maybe(dates()).Draw(t, "scheduled"),
			ProcessedAt: times.Draw(t, "processed"), CreatedAt: times.Draw(t, "created"), UpdatedAt: times.Draw(t, "updated"),
			LineItems: rapid.SliceOfN(lines(), 0, 3).Draw(t, "lines"), Contact: contacts().Draw(t, "contact"),
		}
	})
}

func customers(times *rapid.Generator[time.Time]) *rapid.Generator[*recharge.Customer] {
	return rapid.Custom(func(t *rapid.T) *recharge.Customer {
		c := &recharge.Customer{
			ID: ids().Draw(t, "id"), Email: emails().Draw(t, "email"), FirstName: maybe(rapid.String()).Draw(t, "first name"),
			PlatformID: maybe(ids()).Draw(t, "platform id"), PhoneKnown: rapid.Bool().Draw(t, "phone known"),
			Counted: rapid.Bool().Draw(t, "counted"), CreatedAt: times.Draw(t, "created"), UpdatedAt: times.Draw(t, "updated"),
		}
		if c.PhoneKnown {
			c.Phone = maybe(rapid.Just("+15035550100")).Draw(t, "phone")
		}
		if c.Counted {
			c.ActiveSubscriptions = rapid.IntRange(0, 3).Draw(t, "active")
			c.TotalSubscriptions = c.ActiveSubscriptions + rapid.IntRange(0, 3).Draw(t, "ended")
		}
		return c
	})
}

func contacts() *rapid.Generator[recharge.Contact] {
	return rapid.Custom(func(t *rapid.T) recharge.Contact {
		return recharge.Contact{
			FirstName: maybe(rapid.String()).Draw(t, "first name"), Phone: maybe(rapid.Just("503 555 0100")).Draw(t, "phone"),
			Billing: addresses().Draw(t, "billing"), Shipping: addresses().Draw(t, "shipping"),
		}
	})
}

func addresses() *rapid.Generator[recharge.Address] {
	return rapid.Custom(func(t *rapid.T) recharge.Address {
		return recharge.Address{
			FirstName: rapid.SampledFrom([]string{"", "Jo", "JO", "Max"}).Draw(t, "first name"),
			LastName:  rapid.SampledFrom([]string{"", "Bean", "bean ", "Stone"}).Draw(t, "last name"),
			Phone:     rapid.SampledFrom([]string{"", "503 555 0101", "503 555 0102"}).Draw(t, "phone"),
			Country:   rapid.SampledFrom([]string{"", "US", "Canada", "Atlantis"}).Draw(t, "country"),
		}
	})
}

func lines() *rapid.Generator[recharge.LineItem] {
	return rapid.Custom(func(t *rapid.T) recharge.LineItem {
		return recharge.LineItem{
			SubscriptionID: maybe(ids()).Draw(t, "subscription"), Title: maybe(rapid.String()).Draw(t, "title"),
			Price: maybe(amounts()).Draw(t, "price"), Quantity: rapid.IntRange(0, 9).Draw(t, "quantity"),
		}
	})
}

// maybe generates the zero value now and then.
func maybe[V any](g *rapid.Generator[V]) *rapid.Generator[V] {
	return rapid.OneOf(g, rapid.Map(rapid.Just(0), func(int) (none V) { return none }))
}

func ids() *rapid.Generator[string] {
	return rapid.Map(rapid.Int64Range(1, 1<<62), func(n int64) string { return strconv.FormatInt(n, 10) })
}

func emails() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"", "  ", "jo.bean@example.com", " Jo.Bean@Example.COM\t", "ÄRA@example.com", "no address"})
}

func amounts() *rapid.Generator[string] { return rapid.StringMatching(`-?[0-9]{1,6}(\.[0-9]{1,3})?`) }

func dates() *rapid.Generator[recharge.Date] {
	return rapid.Map(instants(), func(t time.Time) recharge.Date { return recharge.Date(t.Format(time.DateOnly)) })
}

// instants lie between 2020 and 2033, with Recharge's microseconds.
func instants() *rapid.Generator[time.Time] {
	return rapid.Map(rapid.Int64Range(1_577_836_800_000_000, 2_000_000_000_000_000), func(micros int64) time.Time {
		return time.UnixMicro(micros).UTC()
	})
}
