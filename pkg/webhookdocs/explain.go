package webhookdocs

import (
	"cmp"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Explanation is what a webhook topic produces, and why.
type Explanation struct {
	Topic recharge.Topic
	// Events are the types and statuses of the events that the topic can emit, Flows and Revokes the flows that it can trigger
	// and revoke, Lookups the kinds of lookups that it can request.
	Events []string
	// Facts are the statuses of the facts that the topic can emit, Charges whether it can write a row of recharge.charges.
	Facts   []string
	Charges bool
	Flows   []flow.Key
	Revokes []flow.Key
	Lookups []recharge.LookupKind
	// Why explains the use of the topic, or why it is not used.
	Why string
	// Assumption is an assumption about behaviour that Recharge does not document, "" for none.
	Assumption string
}

// Explain processes sample webhooks of a topic for a known customer, with all switches on, and collects the outputs.
func Explain(topic recharge.Topic) (Explanation, error) {
	e := Explanation{Topic: topic}
	r := why(topic)
	e.Why, e.Assumption = r.because, r.assumption
	if !subscriber.AllSwitches().Uses(topic) {
		return e, nil
	}
	settings := subscriber.Settings{Store: "example", CustomerID: subscriber.ByEmail, ActiveProperty: true, SMS: true, API: true, Switches: subscriber.AllSwitches()}
	for _, w := range forms(topic) {
		decision, _, err := subscriber.Decide(settings, acquainted(), w, noon())
		if err != nil {
			return e, err
		}
		e.add(decision)
	}
	e.Events, e.Facts, e.Flows, e.Revokes, e.Lookups = distinct(e.Events), distinct(e.Facts), distinct(e.Flows), distinct(e.Revokes), distinct(e.Lookups)
	return e, nil
}

// add adds what a sample emitted.
func (e *Explanation) add(decision subscriber.Decision) {
	for _, event := range decision.Events {
		e.Events = append(e.Events, named(event))
	}
	for _, fact := range decision.Facts {
		e.Facts = append(e.Facts, fact.Status)
	}
	e.Charges = e.Charges || len(decision.Charges) > 0
	for _, trigger := range decision.Triggers {
		e.Flows = append(e.Flows, trigger.Flow)
	}
	for _, revocation := range decision.Revocations {
		e.Revokes = append(e.Revokes, revocation.Flows...)
	}
	for _, r := range decision.Lookups {
		e.Lookups = append(e.Lookups, r.Kind)
	}
}

func distinct[T cmp.Ordered](all []T) []T { return slices.Compact(slices.Sorted(slices.Values(all))) }

func named(e subscriber.Event) string {
	switch {
	case e.Type == subscriber.EventProperty:
		return subscriber.PropertyActive
	case e.Status != "":
		return string(e.Type) + " " + e.Status
	}
	return string(e.Type)
}

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// acquainted returns the state of a customer with one active subscription and the active property TRUE.
func acquainted() *subscriber.State {
	before := noon().Add(-24 * time.Hour)
	return &subscriber.State{
		Customer: subscriber.CustomerState{
			Seen: true, Email: "jo@example.com", FirstName: "Jo", PhoneKnown: true, PlatformID: "1", UpdatedAt: before,
			ActiveProperty: &subscriber.ActiveProperty{Value: true, At: before, To: "jo@example.com"},
			Charges:        map[string]subscriber.ChargeState{"3": {At: before, Rank: 1, Row: "known"}},
		},
		Subscriptions: map[string]subscriber.SubscriptionState{
			"2": {Subscription: subscriber.Subscription{ID: "2", NextChargeDate: "2026-03-05", IntervalUnit: "day", OrderInterval: 30}, Status: "active", UpdatedAt: before},
			"5": canceledAgo(2*time.Minute, before),
		},
		Emitted: subscriber.Emitted{},
	}
}

// canceledAgo returns the state of a subscription that was just canceled.
func canceledAgo(ago time.Duration, created time.Time) subscriber.SubscriptionState {
	at := noon().Add(-ago)
	return subscriber.SubscriptionState{
		Subscription: subscriber.Subscription{ID: "5", CreatedAt: created, CanceledAt: at}, Status: "cancelled", UpdatedAt: at,
		Last: map[flow.Happening]time.Time{flow.Canceled: at},
	}
}

// forms returns sample webhooks of a topic, one for each form that is processed differently.
func forms(topic recharge.Topic) []recharge.Webhook {
	at := noon().Add(-time.Minute)
	w := recharge.Webhook{Topic: topic.Current(), Hash: "0123456789abcdef"}
	switch topic.Resource() {
	case "subscription":
		return subscriptionForms(w, at)
	case "charge":
		return chargeForms(w, at)
	case "order":
		w.Order = &recharge.Order{ID: "4", CustomerID: "1", Type: "checkout", ProcessedAt: at, UpdatedAt: at}
		return []recharge.Webhook{w}
	case "customer":
		w.Customer = &recharge.Customer{
			ID: "1", Email: "jo@example.org", FirstName: "Jo", PlatformID: "1", PhoneKnown: true, UpdatedAt: at, Counted: true,
		}
		return []recharge.Webhook{w}
	}
	return []recharge.Webhook{w}
}

func subscriptionForms(w recharge.Webhook, at time.Time) []recharge.Webhook {
	statuses := []string{"active"}
	switch w.Topic {
	case "subscription/cancelled":
		statuses = []string{"cancelled", "expired"}
	case "subscription/updated":
		statuses = []string{"active", "expired"}
	}
	var all []recharge.Webhook
	for _, status := range statuses {
		s := recharge.Subscription{
			ID: "2", CustomerID: "1", Status: status, CreatedAt: at, UpdatedAt: at, NextChargeDate: "2026-06-05", IntervalUnit: "day", OrderInterval: 30,
		}
		if status != "active" {
			s.CancelledAt = at
		}
		w.Subscription = &s
		all = append(all, w)
	}
	return all
}

func chargeForms(w recharge.Webhook, at time.Time) []recharge.Webhook {
	var all []recharge.Webhook
	for _, form := range []recharge.Charge{
		{Status: "success", ProcessedAt: at},
		{Status: "error", ErrorType: "CARD_DECLINED", RetryAt: noon().Add(48 * time.Hour), Attempts: 1},
		{Status: "error", ErrorType: "DO_NOT_HONOR"},
	} {
		form.ID, form.CustomerID, form.CreatedAt, form.UpdatedAt = "3", "1", at, at
		form.LineItems = []recharge.LineItem{{SubscriptionID: "2"}}
		w.Charge = &form
		all = append(all, w)
	}
	return all
}
