package rechargetest

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Recharge's limits for a webhook (https://docs.getrecharge.com/docs/webhooks-overview).
const (
	MaxTries    = 20
	TryWindow   = 48 * time.Hour  // from the first try to the last
	AnswerLimit = 5 * time.Second // how long a receiver has
)

// Try is one attempt at a delivery.
type Try struct {
	Delivery Delivery
	Number   int       // 1 to MaxTries
	At       time.Time // when it is due
	First    time.Time // when the first one was due
}

// GivenUp is a webhook registration that Recharge has deleted after too many failures.
type GivenUp struct {
	Topic      recharge.Topic
	At         time.Time
	LastStatus int // of the last answer, 0 if there was none
}

// Outbox holds undelivered webhooks and applies Recharge's retry rule: a webhook that was not answered with 200 is sent again,
// 20 times within 48 hours, "then we will delete this webhook from our system"
// (https://docs.getrecharge.com/docs/webhooks-overview, https://docs.getrecharge.com/docs/webhooks-resources), which we take to
// be the registration of its topic: all that is due for it is lost, and so is what happens until Register. DeliveryOnly reads
// it otherwise.
//
// It does no I/O and has no clock: send what is Due with [Post], then note how it was Answered. Its methods are safe for
// concurrent use.
type Outbox struct {
	// Spacing is the time between the tries of a webhook; 0 spreads them evenly over TryWindow. Recharge does not document it.
	Spacing time.Duration
	// Lenient counts any status except 408, 429 and 5xx as a success, as the first page above says. The second says that any
	// status other than 200 is a failure.
	Lenient bool
	// DeliveryOnly drops only the delivery after the 20th try, not the registration: "this webhook" can mean either, and public
	// guides assume the registration.
	DeliveryOnly bool
	// OnGiveUp, if set, is called with each deleted registration, for example [Server.DropWebhooks].
	OnGiveUp func(GivenUp)

	mu      sync.Mutex
	waiting []Try // by At
	gone    map[recharge.Topic]bool
	givenUp []GivenUp
	lost    []Delivery
}

// Add adds the deliveries of a burst that happens at now.
func (o *Outbox) Add(now time.Time, deliveries ...Delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range deliveries {
		if o.gone[d.Topic] {
			o.lost = append(o.lost, d)
			continue
		}
		at := now.Add(d.Offset)
		o.insert(Try{Delivery: d, Number: 1, At: at, First: at})
	}
}

// Due removes and returns the due tries, in the order of their times. Answered must be called for each.
func (o *Outbox) Due(now time.Time) []Try {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := slices.IndexFunc(o.waiting, func(t Try) bool { return t.At.After(now) })
	if n < 0 {
		n = len(o.waiting)
	}
	due := slices.Clone(o.waiting[:n])
	o.waiting = slices.Delete(o.waiting, 0, n)
	return due
}

// Next returns when the next try is due; false if there is none.
func (o *Outbox) Next() (time.Time, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == 0 {
		return time.Time{}, false
	}
	return o.waiting[0].At, true
}

// Answered records the response status of a try and its time; status 0 means no response within AnswerLimit.
func (o *Outbox) Answered(t Try, status int, at time.Time) {
	o.mu.Lock()
	gone, gaveUp := o.answered(t, status, at)
	o.mu.Unlock()
	if gaveUp && o.OnGiveUp != nil {
		o.OnGiveUp(gone)
	}
}

func (o *Outbox) answered(t Try, status int, at time.Time) (GivenUp, bool) {
	switch {
	case o.success(status):
		return GivenUp{}, false
	case o.gone[t.Delivery.Topic], o.DeliveryOnly && t.Number >= MaxTries:
		o.lost = append(o.lost, t.Delivery)
		return GivenUp{}, false
	case t.Number < MaxTries:
		t.At = t.First.Add(o.afterFirst(t.Number))
		t.Number++
		o.insert(t)
		return GivenUp{}, false
	}
	gone := GivenUp{Topic: t.Delivery.Topic, At: at, LastStatus: status}
	o.givenUp, o.lost = append(o.givenUp, gone), append(o.lost, t.Delivery)
	o.delete(t.Delivery.Topic)
	return gone, true
}

// afterFirst returns when the next try is due after a number of tries.
func (o *Outbox) afterFirst(tries int) time.Duration {
	if o.Spacing > 0 {
		return o.Spacing * time.Duration(tries)
	}
	return TryWindow * time.Duration(tries) / (MaxTries - 1)
}

func (o *Outbox) success(status int) bool {
	if !o.Lenient {
		return status == http.StatusOK
	}
	return status != 0 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests && status < 500
}

// delete deletes a registration.
func (o *Outbox) delete(topic recharge.Topic) {
	if o.gone == nil {
		o.gone = map[recharge.Topic]bool{}
	}
	o.gone[topic] = true
	o.waiting = slices.DeleteFunc(o.waiting, func(t Try) bool {
		if t.Delivery.Topic == topic {
			o.lost = append(o.lost, t.Delivery)
		}
		return t.Delivery.Topic == topic
	})
}

// insert inserts a try in the order of times; tries of the same time stay in the order of arrival.
func (o *Outbox) insert(t Try) {
	i, _ := slices.BinarySearchFunc(o.waiting, t, func(have, want Try) int {
		if have.At.After(want.At) {
			return 1
		}
		return -1
	})
	o.waiting = slices.Insert(o.waiting, i, t)
}

// Register restores a topic's registration: later webhooks are delivered again.
func (o *Outbox) Register(topic recharge.Topic) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.gone, topic)
}

// GivenUp returns the deleted registrations, in order.
func (o *Outbox) GivenUp() []GivenUp {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.givenUp)
}

// Lost returns the deliveries that were never delivered.
func (o *Outbox) Lost() []Delivery {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.lost)
}
