package texts_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/btree"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// rows are the rows of a customer.
type rows struct{ btree.Map[string, []byte] }

func (r *rows) Get(key []byte) []byte {
	value, _ := r.Map.Get(string(key))
	return value
}
func (r *rows) Set(key, value []byte) { r.Map.Set(string(key), value) }
func (r *rows) Delete(key []byte)     { r.Map.Delete(string(key)) }

func (r *rows) Scan(prefix []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		r.Copy().Ascend(string(prefix), func(key string, value []byte) bool {
			return len(key) >= len(prefix) && key[:len(prefix)] == string(prefix) && yield([]byte(key), value)
		})
	}
}

// settings are those of a store whose flows are active, but one.
type settings struct{}

func (settings) Flow(_ string, key flow.Key) flow.Flow {
	return flow.Flow{Key: key, Active: key != flow.SubscriptionPaused, Window: flow.RuleOf(key).Window}
}
func (settings) Paused(string, flow.Key) bool { return false }

func began() time.Time { return time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC) }

const days = 60

// life is the texts of one customer.
type life struct {
	t     require.TestingT
	rng   *rand.Rand
	store string
	id    string
	rows  rows
	now   time.Time
	next  time.Time // when the next text is due
	out   *topics
}

// run lets the customer live.
func (l *life) run() {
	at := began().Add(time.Duration(l.rng.IntN(20*24)) * time.Hour)
	for n := 0; at.Before(began().AddDate(0, 0, days)); n++ {
		l.advance(at)
		for i, t := range l.action(n) {
			t.ID, t.Store, t.RechargeCustomerID = fmt.Sprintf("%s-%s-%d-%d", l.store, l.id, n, i), l.store, l.id
			t.OccurredAt, t.StaleAt = l.now, l.now.Add(24*time.Hour)
			book := l.open()
			_, err := book.Add(t, message.Origin{})
			require.NoError(l.t, err)
			l.take(book)
			l.next = l.now
			l.advance(l.now.Add(time.Duration(l.rng.IntN(40)) * time.Second))
		}
		at = l.now.Add(time.Duration(1+l.rng.IntN(15*24)) * time.Hour)
	}
	l.advance(at)
	if l.rng.IntN(5) == 0 {
		l.out.optOut(l.store, l.id, began().Add(time.Duration(l.rng.IntN(days*24))*time.Hour))
	}
}

// action returns the triggers of something that the customer does.
func (l *life) action(n int) []subscriber.Trigger {
	charge, sub := fmt.Sprintf("%s%d", l.id, 100+n), fmt.Sprintf("%s%d", l.id, n%3)
	of := func(key flow.Key, items ...string) subscriber.Trigger {
		t := subscriber.Trigger{Flow: key, Cause: fmt.Sprint(l.store, l.id, key, charge), Items: items}
		if items[0] == "charge/"+charge {
			t.Charge = &subscriber.Charge{ID: charge, Type: "checkout"}
		}
		return t
	}
	switch l.rng.IntN(7) {
	case 0:
		return []subscriber.Trigger{
			of(flow.SubscriptionStarted, "subscription/"+sub), of(flow.ChargePaid, "charge/"+charge), of(flow.SubscriptionStarted, "subscription/"+sub+"9"),
		}
	case 1:
		return []subscriber.Trigger{of(flow.ChargeWillBeRetried, "charge/"+charge), of(flow.ChargeFailed, "charge/"+charge)}
	case 2:
		return []subscriber.Trigger{of(flow.ChargeFailed, "charge/"+charge)}
	case 3:
		return []subscriber.Trigger{of(flow.SubscriptionCanceled, "subscription/"+sub)}
	case 4:
		return []subscriber.Trigger{of(flow.SubscriptionExpired, "subscription/"+sub), of(flow.SubscriptionPaused, "subscription/"+sub)}
	case 5:
		return []subscriber.Trigger{of(flow.Help, "customer/"+l.id)}
	}
	return []subscriber.Trigger{of(flow.OrderSkipped, "subscription/"+sub)}
}

func (l *life) open() *message.Book { return message.Open(&l.rows, l.now, settings{}) }

// take writes the changes of a transaction.
func (l *life) take(b *message.Book) {
	for _, m := range b.Changed() {
		l.out.changed(m.Public(l.now))
	}
}

// advance lets time pass, and sends what is due.
func (l *life) advance(to time.Time) {
	for !l.next.IsZero() && l.next.Before(to) {
		l.now = later(l.now, l.next)
		book := l.open()
		claimed, next, err := book.Claim(message.Claiming{Store: l.store, Room: func(due int) int { return due }, Lease: time.Minute, Decide: l.decide})
		require.NoError(l.t, err)
		l.take(book)
		l.next = next
		for _, m := range claimed {
			l.answer(m)
		}
	}
	l.now = later(l.now, to)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (l *life) decide(*message.Message) message.Decision {
	switch l.rng.IntN(6) {
	case 0:
		return message.Decision{Suppress: reason.NoPhone}
	case 1:
		return message.Decision{Defer: l.now.Add(time.Duration(1+l.rng.IntN(12)) * time.Hour)}
	}
	return message.Decision{}
}

// answer applies what the provider answers and reports, and what the customer does then.
func (l *life) answer(m *message.Message) {
	chains := [][]message.Status{
		{message.Accepted},
		{message.Accepted, message.Sent},
		{message.Accepted, message.Delivered},
		{message.Accepted, message.Undelivered},
		{message.Accepted, message.Undelivered, message.Delivered},
		{message.Rejected},
		{message.Unknown},
		{message.Unknown, message.Delivered},
		{message.Planned},
	}
	var last message.Change
	for i, status := range chains[l.rng.IntN(len(chains))] {
		l.now = l.now.Add(time.Second)
		book := l.open()
		attempt := m.Attempt
		if i > 0 {
			attempt = 0
		}
		_, err := book.Receive(message.Receipt{Store: l.store, CustomerID: l.id, MessageID: m.ID, Attempt: attempt, Outcome: status, At: l.now})
		require.NoError(l.t, err)
		l.take(book)
		if status == message.Planned {
			l.next = l.now
			return
		}
		for _, changed := range book.Changed() {
			last = changed.Public(l.now)
		}
	}
	l.react(m, last)
}

// react lets the customer click, pay or come back.
func (l *life) react(m *message.Message, last message.Change) {
	if l.rng.IntN(3) == 0 {
		last.Change++
		last.ClickedAt = l.now.Add(time.Duration(1+l.rng.IntN(100)) * time.Minute)
		last.At = last.ClickedAt
		l.out.changed(last)
	}
	for _, t := range m.Triggers {
		switch after := l.now.Add(time.Duration(l.rng.IntN(45*24*60)) * time.Minute); {
		case t.Charge != nil && l.rng.IntN(2) == 0:
			after = l.now.Add(time.Duration(l.rng.IntN(10*24*60)) * time.Minute)
			l.out.happened(subscriber.Event{Type: subscriber.EventCharge, Status: subscriber.StatusPaid, Store: l.store, RechargeCustomerID: l.id, OccurredAt: after, Charge: &subscriber.Charge{ID: t.Charge.ID}})
		case t.Flow == flow.SubscriptionCanceled || t.Flow == flow.SubscriptionExpired:
			l.out.happened(subscriber.Event{Type: subscriber.EventSubscription, Status: subscriber.StatusActivated, Store: l.store, RechargeCustomerID: l.id, OccurredAt: after, Subscription: &subscriber.Subscription{ID: t.Items[0][len("subscription/"):]}})
		}
	}
}
