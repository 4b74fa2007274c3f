package load

import (
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// Account is what must come of the webhooks that were sent: the facts that they tell, each under a name that says what
// defines it (type, status, resource and, where it can happen again, when), the dead letters, and how each life ends. Beside
// facts and letters stands how often they were told.
type Account struct {
	mu    sync.Mutex
	facts map[string]times
	dead  map[string]times
	ends  map[string]ending // by customer id
}

// times are how often something was told: by webhooks that were taken, and by all that were sent, of which those without an
// answer may have got in.
type times struct{ taken, tried int }

func (t times) and(taken bool) times {
	t.tried++
	if taken {
		t.taken++
	}
	return t
}

func newAccount() *Account {
	return &Account{facts: map[string]times{}, dead: map[string]times{}, ends: map[string]ending{}}
}

// add notes what a webhook tells that was sent. A subscription/deleted of API version 2021-01 names no customer: it is a
// dead letter.
func (a *Account) add(life rechargetest.Life, d rechargetest.Delivery, taken bool) {
	told := d.Told
	switch d.Topic {
	case "subscription/created":
		a.put("subscription created", told.ID, time.Time{}, taken)
	case "subscription/activated":
		a.put("subscription activated", told.ID, told.UpdatedAt, taken)
	case "subscription/cancelled":
		a.put("subscription canceled", told.ID, told.CancelledAt.Truncate(time.Second), taken)
	case "subscription/deleted":
		if life.Version == recharge.Version202101 {
			a.bury(d.Topic, told.ID, taken)
			return
		}
		a.put("subscription deleted", told.ID, time.Time{}, taken)
	case "charge/created":
		a.put("subscription_charge created", told.ID, time.Time{}, taken)
		if told.Status == "success" {
			a.put("subscription_charge paid", told.ID, time.Time{}, taken)
		}
	case "charge/paid":
		a.put("subscription_charge paid", told.ID, time.Time{}, taken)
	}
}

func (a *Account) put(what, id string, at time.Time, taken bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fact := name(what, id, at)
	a.facts[fact] = a.facts[fact].and(taken)
}

func (a *Account) bury(topic recharge.Topic, id string, taken bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	letter := string(topic) + " " + id
	a.dead[letter] = a.dead[letter].and(taken)
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

// Dead is how many dead letters there must be at least: one for each webhook that was taken and can only be one.
func (a *Account) Dead() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	sum := 0
	for _, told := range a.dead {
		sum += told.taken
	}
	return sum
}
