package subscriber

import (
	"maps"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Explanation is what becomes of a webhook topic, and why.
type Explanation struct {
	Topic recharge.Topic
	// Events are the types of events, with their status, that may come of it; Flows and Revokes the flows whose triggers may
	// come of it, or are taken back by it; Asks what Recharge's API may be asked for.
	Events  []string
	Flows   []flow.Key
	Revokes []flow.Key
	Asks    []AskKind
	// Why says what the topic is used for, or why it is not.
	Why string
	// Assumption says what Recharge does not document and we take for granted; "" for nothing.
	Assumption string
}

// Explain finds out what may come of a topic by deciding on webhooks of that topic, in each of the forms that make a
// difference, about a customer who is known.
func Explain(topic recharge.Topic) (Explanation, error) {
	e := Explanation{Topic: topic}
	r := why(topic)
	e.Why, e.Assumption = r.because, r.assumption
	if !Uses(topic) {
		return e, nil
	}
	events, flows, revokes, asks := map[string]bool{}, map[flow.Key]bool{}, map[flow.Key]bool{}, map[AskKind]bool{}
	settings := Settings{Store: "example", CustomerID: ByEmail, CustomerIDName: "registered", ActiveProperty: true, SMS: true, API: true}
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
		for _, ask := range decision.Asks {
			asks[ask.Kind] = true
		}
	}
	e.Events, e.Flows, e.Revokes, e.Asks = slices.Sorted(maps.Keys(events)), slices.Sorted(maps.Keys(flows)), slices.Sorted(maps.Keys(revokes)), slices.Sorted(maps.Keys(asks))
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

// acquainted knows a customer, their one active subscription, and that the flag was told to be TRUE.
func acquainted() *Memory {
	before := noon().Add(-24 * time.Hour)
	return &Memory{
		Customer: KnownCustomer{
			Seen: true, Email: "jo@example.com", FirstName: "Jo", PhoneKnown: true, PlatformID: "1", UpdatedAt: before,
			Flag: &Flag{Value: true, At: before, To: "jo@example.com"},
		},
		Subscriptions: map[string]KnownSubscription{"2": {Subscription: Subscription{ID: "2"}, Status: statusActive, UpdatedAt: before}},
		told:          told{},
	}
}

// forms are the webhooks of a topic that make a difference to what comes of it.
func forms(topic recharge.Topic) []recharge.Webhook {
	at := noon().Add(-time.Minute)
	w := recharge.Webhook{Topic: topic, Hash: "0123456789abcdef"}
	switch topic.Resource() {
	case "subscription":
		return subscriptionForms(w, at)
	case "charge":
		return chargeForms(w, at)
	case "order":
		w.Order = &recharge.Order{ID: "4", CustomerID: "1", ProcessedAt: at, UpdatedAt: at}
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
		s := recharge.Subscription{ID: "2", CustomerID: "1", Status: status, CreatedAt: at, UpdatedAt: at}
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
