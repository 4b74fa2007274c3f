package subscriber

import (
	"maps"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Explanation is what a webhook topic produces, and why.
type Explanation struct {
	Topic recharge.Topic
	// Events are the types and statuses of the events that the topic can emit, Flows and Revokes the flows that it can trigger
	// and revoke, Lookups the kinds of lookups that it can request.
	Events  []string
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
	if !AllSwitches().Uses(topic) {
		return e, nil
	}
	events, flows, revokes, lookups := map[string]bool{}, map[flow.Key]bool{}, map[flow.Key]bool{}, map[recharge.LookupKind]bool{}
	settings := Settings{Store: "example", CustomerID: ByEmail, ActiveProperty: true, SMS: true, API: true, Switches: AllSwitches()}
	for _, w := range forms(topic) {
		decision, _, err := Decide(settings, acquainted(), w, noon())
		if err != nil {
			return e, err
		}
		for _, event := range decision.Events {
			events[named(event)] = true
		}
		for _, trigger := range decision.Triggers {
			flows[trigger.Flow] = true
		}
		for _, revocation := range decision.Revocations {
			for _, key := range revocation.Flows {
				revokes[key] = true
			}
		}
		for _, r := range decision.Lookups {
			lookups[r.Kind] = true
		}
	}
	e.Events, e.Flows, e.Revokes, e.Lookups = slices.Sorted(maps.Keys(events)), slices.Sorted(maps.Keys(flows)), slices.Sorted(maps.Keys(revokes)), slices.Sorted(maps.Keys(lookups))
	return e, nil
}

func named(e Event) string {
	switch {
	case e.Type == EventProperty:
		return PropertyActive
	case e.Status != "":
		return string(e.Type) + " " + e.Status
	}
	return string(e.Type)
}

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// acquainted returns the state of a customer with one active subscription and the active property TRUE.
func acquainted() *State {
	before := noon().Add(-24 * time.Hour)
	return &State{
		Customer: CustomerState{
			Seen: true, Email: "jo@example.com", FirstName: "Jo", PhoneKnown: true, PlatformID: "1", UpdatedAt: before,
			ActiveProperty: &ActiveProperty{Value: true, At: before, To: "jo@example.com"},
		},
		Subscriptions: map[string]SubscriptionState{
			"2": {Subscription: Subscription{ID: "2", NextChargeDate: "2026-03-05", IntervalUnit: "day", OrderInterval: 30}, Status: statusActive, UpdatedAt: before},
			"5": canceledAgo(2*time.Minute, before),
		},
		Emitted: Emitted{},
	}
}

// canceledAgo returns the state of a subscription that was just canceled.
func canceledAgo(ago time.Duration, created time.Time) SubscriptionState {
	at := noon().Add(-ago)
	return SubscriptionState{
		Subscription: Subscription{ID: "5", CreatedAt: created, CancelledAt: at}, Status: statusCancelled, UpdatedAt: at,
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
		w.Order = &recharge.Order{ID: "4", CustomerID: "1", Type: orderCheckout, ProcessedAt: at, UpdatedAt: at}
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
	statuses := []string{statusActive}
	switch w.Topic {
	case "subscription/cancelled":
		statuses = []string{"cancelled", "expired"}
	case "subscription/updated":
		statuses = []string{statusActive, "expired"}
	}
	var all []recharge.Webhook
	for _, status := range statuses {
		s := recharge.Subscription{
			ID: "2", CustomerID: "1", Status: status, CreatedAt: at, UpdatedAt: at, NextChargeDate: "2026-06-05", IntervalUnit: "day", OrderInterval: 30,
		}
		if status != statusActive {
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
