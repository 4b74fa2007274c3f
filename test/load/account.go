package load

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// Account is the set of facts that the sent webhooks tell, each under a name that
// says what defines it: type, status, resource and, where it can happen again, when.
type Account struct {
	mu    sync.Mutex
	facts map[string]bool
}

func newAccount() *Account { return &Account{facts: map[string]bool{}} }

// add notes what a webhook tells. A subscription/deleted of API version 2021-01
// names no customer and is no event but a dead letter.
func (a *Account) add(life rechargetest.Life, d rechargetest.Delivery) {
	told := d.Told
	switch d.Topic {
	case "subscription/created":
		a.put("subscription created", told.ID, time.Time{})
	case "subscription/activated":
		a.put("subscription activated", told.ID, told.UpdatedAt)
	case "subscription/cancelled":
		a.put("subscription canceled", told.ID, told.CancelledAt.Truncate(time.Second))
	case "subscription/deleted":
		if life.Version != "2021-01" {
			a.put("subscription deleted", told.ID, time.Time{})
		}
	case "charge/created":
		a.put("subscription_charge created", told.ID, time.Time{})
		if told.Status == "success" {
			a.put("subscription_charge paid", told.ID, time.Time{})
		}
	case "charge/paid":
		a.put("subscription_charge paid", told.ID, time.Time{})
	}
}

func (a *Account) put(what, id string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.facts[name(what, id, at)] = true
}

func name(what, id string, at time.Time) string {
	if at.IsZero() {
		return what + " " + id
	}
	return what + " " + id + " " + at.UTC().Format(time.RFC3339Nano)
}

// Len is how many facts there are.
func (a *Account) Len() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.facts)
}

// Compare holds values of recharge.events to the account: every fact is there,
// none beside them, and a fact has one id wherever it is told again. The error
// names the first few that differ. Properties are not facts of one webhook and
// are passed over.
func (a *Account) Compare(events [][]byte) error {
	ids, told, err := read(events)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var wrong []string
	for fact := range a.facts {
		if !told[fact] {
			wrong = append(wrong, "missing: "+fact)
		}
	}
	for fact := range told {
		if !a.facts[fact] {
			wrong = append(wrong, "not asked for: "+fact)
		}
	}
	if len(ids) != len(told) {
		wrong = append(wrong, fmt.Sprintf("%d ids for %d facts", len(ids), len(told)))
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return fmt.Errorf("%d differences of %d facts, the first: %v", len(wrong), len(a.facts), wrong[:min(5, len(wrong))])
}

// event is what a value of recharge.events says, read without the product's types.
type event struct {
	ID           string    `json:"id"`
	Type         string    `json:"type"`
	Status       string    `json:"status"`
	OccurredAt   time.Time `json:"occurred_at"`
	Subscription struct {
		ID string `json:"id"`
	} `json:"subscription"`
	Charge struct {
		ID string `json:"id"`
	} `json:"charge"`
}

// read collects the ids and the facts that events tell. One id telling two facts
// is an error.
func read(events [][]byte) (ids map[string]string, told map[string]bool, err error) {
	ids, told = map[string]string{}, map[string]bool{}
	for _, raw := range events {
		var e event
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, nil, fmt.Errorf("decode event: %w", err)
		}
		if e.Type == "customer_property" {
			continue
		}
		fact := e.name()
		if known, ok := ids[e.ID]; ok && known != fact {
			return nil, nil, fmt.Errorf("id %s tells %q and %q", e.ID, known, fact)
		}
		ids[e.ID], told[fact] = fact, true
	}
	return ids, told, nil
}

func (e event) name() string {
	at := time.Time{}
	switch e.Status {
	case "activated":
		at = e.OccurredAt
	case "canceled":
		at = e.OccurredAt.Truncate(time.Second)
	}
	return name(e.Type+" "+e.Status, e.Subscription.ID+e.Charge.ID, at)
}
