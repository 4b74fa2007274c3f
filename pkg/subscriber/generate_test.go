package subscriber_test

import (
	"strconv"
	"time"

	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

const store = "acme"

// usedTopics are the topics from which events or flows come.
func usedTopics() []recharge.Topic {
	return []recharge.Topic{
		"subscription/created", "subscription/activated", "subscription/cancelled", "subscription/deleted",
		"subscription/updated", "subscription/paused", "subscription/skipped", "subscription/unskipped",
		"charge/created", "charge/paid", "charge/upcoming", "charge/failed", "charge/max_retries_reached",
		"order/upcoming", "order/processed",
		"customer/created", "customer/updated", "customer/activated", "customer/deactivated",
	}
}

func unusedTopics() []recharge.Topic {
	return []recharge.Topic{
		"subscription/swapped", "charge/refunded", "charge/deleted", "order/created", "order/cancelled",
		"customer/payment_method_updated", "customer/deleted", "address/created", "onetime/created",
	}
}

// aCase is all that Decide is given.
type aCase struct {
	settings subscriber.Settings
	webhook  recharge.Webhook
	at       time.Time
	looked   *subscriber.Lookup
}

func (c aCase) decide() (subscriber.Decision, error) {
	return subscriber.Decide(c.settings, c.webhook, c.at, c.looked)
}

// anyCase is a webhook as the decoder gives it: the object of its topic is there
// and has an id, everything else may be missing.
func anyCase(topics ...recharge.Topic) *rapid.Generator[aCase] {
	return rapid.Custom(func(t *rapid.T) aCase {
		c := aCase{
			settings: settings().Draw(t, "settings"),
			webhook:  webhook(topics, maybe(instants())).Draw(t, "webhook"),
			at:       instants().Draw(t, "received at"),
		}
		if rapid.Bool().Draw(t, "looked up") {
			c.looked = lookups(maybe(instants())).Draw(t, "lookup")
		}
		return c
	})
}

// fullCase is a webhook with all its times, of a customer who can be told by the
// fresh answer of the API, so that a decision is always made.
func fullCase(topics ...recharge.Topic) *rapid.Generator[aCase] {
	return rapid.Custom(func(t *rapid.T) aCase {
		c := aCase{
			settings: settings().Draw(t, "settings"),
			webhook:  webhook(topics, instants()).Draw(t, "webhook"),
			at:       instants().Draw(t, "received at"),
			looked:   lookups(instants()).Draw(t, "lookup"),
		}
		c.looked.Customer.Email, c.looked.Fresh = "jo.bean@example.com", true
		setCustomer(&c.webhook, ids().Draw(t, "customer id"))
		return c
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
	default:
		w.Customer.ID = id
	}
}

func settings() *rapid.Generator[subscriber.Settings] {
	return rapid.Custom(func(t *rapid.T) subscriber.Settings {
		return subscriber.Settings{
			Store:          store,
			CustomerID:     rapid.SampledFrom([]subscriber.IDChoice{subscriber.ByEmail, subscriber.ByRechargeID}).Draw(t, "id choice"),
			CustomerIDName: "registered",
			ActiveProperty: rapid.Bool().Draw(t, "property"),
			SMS:            rapid.Bool().Draw(t, "sms"),
			API:            rapid.Bool().Draw(t, "api"),
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
		}
		return w
	})
}

func lookups(times *rapid.Generator[time.Time]) *rapid.Generator[*subscriber.Lookup] {
	return rapid.Custom(func(t *rapid.T) *subscriber.Lookup {
		return &subscriber.Lookup{Customer: *customers(times).Draw(t, "customer"), Fresh: rapid.Bool().Draw(t, "fresh")}
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
			Country: maybe(rapid.Just("US")).Draw(t, "country"),
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

// maybe leaves a value out now and then.
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
