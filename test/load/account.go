package load

import (
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// Account is what must come of the webhooks that were sent: the facts that they tell, each under a name that says what
// defines it (type, status, resource and, where it can happen again, when), and the dead letters. Beside each stands how
// many deliveries told it.
type Account struct {
	mu    sync.Mutex
	facts map[string]int
	dead  map[string]int
}

func newAccount() *Account { return &Account{facts: map[string]int{}, dead: map[string]int{}} }

// add notes what a delivery tells. A subscription/deleted of API version 2021-01 names no customer: it is a dead letter.
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
		if life.Version == recharge.Version202101 {
			a.bury(d.Topic, told.ID)
			return
		}
		a.put(deleted, told.ID, time.Time{})
	case "charge/created":
		a.put("subscription_charge created", told.ID, time.Time{})
		if told.Status == "success" {
			a.put("subscription_charge paid", told.ID, time.Time{})
		}
	case "charge/paid":
		a.put("subscription_charge paid", told.ID, time.Time{})
	}
}

// deleted is the one fact whose time is that of its receipt: told again, it is another one for a destination.
const deleted = "subscription deleted"

func (a *Account) put(what, id string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.facts[name(what, id, at)]++
}

func (a *Account) bury(topic recharge.Topic, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dead[string(topic)+" "+id]++
}

func name(what, id string, at time.Time) string {
	if at.IsZero() {
		return what + " " + id
	}
	return what + " " + id + " " + at.UTC().Format(time.RFC3339)
}

// Len is how many facts there are.
func (a *Account) Len() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.facts)
}

// Dead is how many dead letters there must be: one for each delivery that can only be one.
func (a *Account) Dead() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	sum := 0
	for _, times := range a.dead {
		sum += times
	}
	return sum
}
