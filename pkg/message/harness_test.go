package message_test

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// rows are rows in memory.
type rows map[string][]byte

func (r rows) Get(key []byte) []byte { return r[string(key)] }
func (r rows) Set(key, value []byte) { r[string(key)] = value }
func (r rows) Delete(key []byte)     { delete(r, string(key)) }
func (r rows) count(prefix string) (n int) {
	for range r.Scan([]byte(prefix)) {
		n++
	}
	return n
}

func (r rows) Scan(prefix []byte) iter.Seq2[[]byte, []byte] {
	keys := slices.Sorted(maps.Keys(r))
	return func(yield func(key, value []byte) bool) {
		for _, key := range keys {
			if value, found := r[key]; found && strings.HasPrefix(key, string(prefix)) && !yield([]byte(key), value) {
				return
			}
		}
	}
}

// world is one partition with a clock.
type world struct {
	t        require.TestingT
	rows     rows
	now      time.Time
	inactive map[flow.Key]bool
	paused   map[flow.Key]bool
	decide   func(*message.Message) message.Decision
	// texts are the claimed messages, in order.
	texts []message.Message
	turn  int
	// dropsSecond means that the provider drops a second text.
	dropsSecond bool
}

const shop, customer = "acme", "42"

func start() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

func newWorld(t require.TestingT) *world {
	return &world{t: t, rows: rows{}, now: start(), inactive: map[flow.Key]bool{}, paused: map[flow.Key]bool{}, decide: func(*message.Message) message.Decision { return message.Decision{} }}
}

func (w *world) open() *message.Book {
	return message.Open(w.rows, w.now, w)
}

// Flow and Paused are the world's message.Settings.
func (w *world) Flow(_ string, key flow.Key) flow.Flow {
	rule := flow.RuleOf(key)
	return flow.Flow{Key: key, Active: !w.inactive[key], Window: rule.Window, DailyCap: !rule.Uncapped}
}

func (w *world) Paused(_ string, key flow.Key) bool { return w.paused[key] }

func (w *world) deduplicates(string) bool { return w.dropsSecond }

func (w *world) add(t subscriber.Trigger) reason.Reason {
	why, err := w.open().Add(t, message.Origin{})
	require.NoError(w.t, err)
	return why
}

func (w *world) revoke(r subscriber.Revocation) reason.Reason {
	why, err := w.open().Revoke(r)
	require.NoError(w.t, err)
	return why
}

const lease = time.Minute

// claim claims what is due.
func (w *world) claim(room int) (claimed []*message.Message) {
	claimed, _, err := w.open().Claim(message.Claiming{Store: shop, Room: func(int) int { return room }, Lease: lease, Turn: w.turn, Decide: w.decide})
	require.NoError(w.t, err)
	w.turn += len(claimed)
	for _, m := range claimed {
		w.texts = append(w.texts, *m)
	}
	return claimed
}

// pass lets time pass, second by second, and has every text accepted.
func (w *world) pass(d time.Duration) {
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(time.Second)
		for _, m := range w.claim(100) {
			w.receive(m, message.Receipt{Outcome: message.Accepted, ProviderID: "p-" + m.ID})
		}
	}
}

// resume makes held messages due.
func (w *world) resume() {
	for more := true; more; {
		var err error
		more, err = w.open().Resume([]string{shop})
		require.NoError(w.t, err)
	}
}

// receive applies a receipt of a message's claim.
func (w *world) receive(m *message.Message, r message.Receipt) reason.Reason {
	r.Attempt = m.Attempt
	return w.report(m, r)
}

// report applies a receipt without an attempt, as for a report of the provider.
func (w *world) report(m *message.Message, r message.Receipt) reason.Reason {
	r.Store, r.CustomerID, r.MessageID, r.At = m.Store, m.CustomerID, m.ID, w.now
	why, err := w.open().Receive(r)
	require.NoError(w.t, err)
	return why
}

// messages are all messages of the customer.
func (w *world) messages() (all []message.Message) {
	list, err := w.open().OfCustomer(shop, customer)
	require.NoError(w.t, err)
	for _, m := range list {
		all = append(all, *m)
	}
	return all
}

// trigger is a trigger of a subscription or, for a flow of charges, a charge.
func trigger(id string, key flow.Key, at time.Duration, items ...string) subscriber.Trigger {
	t := subscriber.Trigger{
		ID: id, Store: shop, RechargeCustomerID: customer, Flow: key, Items: items, OccurredAt: start().Add(at), StaleAt: start().Add(at + 24*time.Hour),
		Cause: shop + "/" + customer + "/" + string(key) + "/a1/",
	}
	for _, item := range items {
		switch kind, id, _ := strings.Cut(item, "/"); kind {
		case "charge":
			t.Charge = &subscriber.Charge{ID: id, Type: "checkout"}
			t.Cause += id
		case "order":
			t.Order = &subscriber.Order{ID: id, ChargeID: "c" + id}
			t.Cause += "c" + id
		}
	}
	return t
}

// revocation revokes triggers of flows about an item.
func revocation(item string, at time.Duration, flows ...flow.Key) subscriber.Revocation {
	return subscriber.Revocation{
		ID: "r" + item, Store: shop, RechargeCustomerID: customer, Flows: flows, Items: []string{item}, OccurredAt: start().Add(at),
	}
}

func flowsOf(list []message.Message) (keys []flow.Key) {
	for _, m := range list {
		keys = append(keys, m.Flow)
	}
	return keys
}

func idsOf(m message.Message) (ids []string) {
	for _, t := range m.Triggers {
		ids = append(ids, t.ID)
	}
	return ids
}
