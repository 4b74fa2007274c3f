package histories

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Kind is the kind of a history.
type Kind int

// The kinds. All but the first two need a lookup, or end without a subscription.
const (
	// Ordinary webhooks include their customer, or the customer is known from one that did.
	Ordinary Kind = iota
	// Erased ends with customer/deleted and late webhooks.
	Erased
	// NewerAnswer means that webhooks never include the customer, and the API's object is newer than all of them.
	NewerAnswer
	// OlderAnswer webhooks never include the customer either, and the API's object is older than the first: whether a
	// subscription is left must be looked up, too.
	OlderAnswer
	// Deleted ends with the deletion of each subscription.
	Deleted
	// CancelledSilently ends with charge/max_retries_reached, after which Recharge cancels without a webhook.
	CancelledSilently
	// LeftActive ends with charge/max_retries_reached, and Recharge leaves the subscriptions active.
	LeftActive
)

// Shop generates customers and their histories from a seed. Half of the customers have webhooks of each API version.
type Shop struct {
	Seed uint64
	// Now is after the end of all histories, which began two months earlier.
	Now time.Time
	// Recorded sends complete bursts at their recorded times, half of them reordered within a second. Otherwise histories are
	// sparse and have more actions, and half of the bursts arrive in any order. (Only sparse ones have a charge that fails
	// finally: its lookups begin a minute later.)
	Recorded   bool
	Duplicates Duplicates
}

// kindOf makes one history in eight special; with Recorded, where the API is as slow as the real one, one in 13.
func (s Shop) kindOf(n int) Kind {
	kinds := map[int]Kind{
		1: Erased, 41: Erased, 11: NewerAnswer, 21: OlderAnswer, 77: Deleted, 51: NewerAnswer, 61: OlderAnswer,
		31: CancelledSilently, 71: LeftActive,
	}
	kind := kinds[n%80]
	if s.Recorded && n%80 > 50 && kind != Deleted || s.Recorded && kind >= CancelledSilently {
		return Ordinary
	}
	return kind
}

// History is a customer history.
type History struct {
	Customer

	Kind Kind
	// Bursts are the webhooks in the order of arrival, with days between two bursts.
	Bursts [][]Delivery

	final *Account
}

// MaxBursts limits the bursts of a history.
const MaxBursts = 8

const (
	apart  = 8 * 24 * time.Hour
	longer = MaxBursts*apart + 24*time.Hour // than any history
)

// History returns the history of a customer by number.
func (s Shop) History(n int) History {
	kind := s.kindOf(n)
	a := s.open(n, kind)
	h := History{Customer: a.Customer, Kind: kind, final: a}
	plan := sparsePlan(a.rng, h.Kind)
	if s.Recorded && h.Kind == Ordinary {
		plan = recordedPlan(a.rng)
	}
	var former []Delivery
	for nth, action := range plan {
		at := s.Now.UTC().Truncate(time.Second).Add(-longer + time.Duration(nth)*apart + a.between(0, time.Hour))
		burst := a.Burst(action, at)
		h.Bursts = append(h.Bursts, s.arrival(a, burst, former))
		former = append(former, burst...)
	}
	if h.Kind == CancelledSilently {
		a.cancelSilently()
	}
	return h
}

// open opens the account of a customer.
func (s Shop) open(n int, kind Kind) *Account {
	a := Customer{Number: n, Seed: s.Seed}.Open()
	a.Sparse, a.Items, a.Version = !s.Recorded, 1+a.rng.IntN(4), recharge.Version202111
	if a.rng.IntN(2) == 0 {
		a.Version = recharge.Version202101
	}
	a.Included = kind != NewerAnswer && kind != OlderAnswer
	a.Topics = slices.DeleteFunc(append(RecordedTopics(), AssumedTopics()...), func(topic recharge.Topic) bool {
		return !a.Included && topic.Resource() == "customer" || a.Sparse && (topic == "order/created" || topic == "order/success")
	})
	return a
}

// recordedPlan has all recorded actions in half of the histories, and the first few of them in the others.
func recordedPlan(rng *rand.Rand) []Action {
	all := Recorded()
	if rng.IntN(2) == 0 {
		return all
	}
	return all[:1+rng.IntN(len(all)-1)]
}

// sparsePlan are the actions of a sparse history of a kind.
func sparsePlan(rng *rand.Rand, kind Kind) []Action {
	plan := []Action{FirstCheckout}
	if rng.IntN(3) == 0 {
		plan = append(plan, Upcoming)
	}
	if rng.IntN(2) == 0 {
		plan = append(plan, Renewal)
	}
	if kind != OlderAnswer { // who must not be looked up before the end
		plan = append(plan, middle(rng, kind)...)
	}
	switch kind {
	case Erased:
		return append(plan, Erasure)
	case CancelledSilently, LeftActive:
		return append(plan, FinalFailure)
	case Deleted:
		return append(plan, Deletion)
	case OlderAnswer:
		plan = append(plan, Swap)
	}
	if rng.Float64() < 0.5 {
		plan = append(plan, Cancellation)
	}
	if rng.Float64() < 0.4 {
		plan = append(plan, Repetition)
	}
	return plan
}

// middle are actions before the end. Without included customers there are no changes of the customer; ordinary customers may
// reactivate after a cancellation.
func middle(rng *rand.Rand, kind Kind) []Action {
	var plan []Action
	either := []Action{Swap, Renewal, DateMoved, Change, Change, Change}
	if kind == NewerAnswer {
		either = either[:3]
	}
	if rng.Float64() < 0.4 {
		plan = append(plan, either[rng.IntN(len(either))])
	}
	if kind == Ordinary && rng.Float64() < 0.2 {
		plan = append(plan, Cancellation, Reactivation)
	} else if rng.Float64() < 0.3 {
		plan = append(plan, DeleteOne)
	}
	return plan
}

// arrival is a burst as it arrives: in its order or another, with duplicates of its webhooks and of former bursts.
func (s Shop) arrival(a *Account, burst, former []Delivery) []Delivery {
	within := time.Second
	if last := len(burst) - 1; !s.Recorded && last >= 0 {
		within += burst[last].Offset
	}
	switch a.action {
	case Repetition:
		for range 2 {
			burst = append(burst, former[a.rng.IntN(len(former))])
		}
	case Erasure: // after which the customer must not be looked up
	default:
		if a.rng.IntN(2) == 0 {
			burst = Disorder(a.rng, within, burst)
		}
	}
	burst = append(s.Duplicates.Add(a.rng, within, burst), s.Duplicates.later(a.rng, within, former)...)
	burst = inOrder(burst)
	for i := range burst {
		burst[i].Received = a.now.Add(burst[i].Offset + time.Duration(i+1)*time.Millisecond)
	}
	return burst
}
