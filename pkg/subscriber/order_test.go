package subscriber_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// inOrder receives a history's webhooks as they were sent. Lookups are answered after each action.
func inOrder(t require.TestingT, s subscriber.Settings, h []moment, check func(*run, moment)) *run {
	r := newRun(t, s)
	for _, m := range h {
		r.answers = m.world.answers
		for i, w := range m.sent {
			r.receives(w, m.at.Add(time.Duration(i)*10*time.Millisecond))
		}
		r.answersAll(m.at.Add(time.Second / 2))
		check(r, m)
	}
	return r
}

// afterwards receives webhooks after all of them were sent. Lookups are answered at the end.
func afterwards(t require.TestingT, s subscriber.Settings, h []moment, order []recharge.Webhook) *run {
	r := newRun(t, s)
	last := h[len(h)-1]
	r.answers = last.world.answers
	at := last.at.Add(time.Minute)
	for _, w := range order {
		at = at.Add(time.Second)
		r.receives(w, at)
	}
	r.answersAll(at.Add(time.Second))
	return r
}

func nothing(*run, moment) {}

// factIDs are those of the events about subscriptions and charges, each as often as it was emitted.
func factIDs(r *run) []string {
	var found []string
	for _, e := range r.all.Events {
		if e.Type == subscriber.EventSubscription || e.Type == subscriber.EventCharge {
			found = append(found, e.Status+" "+e.ID)
		}
	}
	slices.Sort(found)
	return found
}

// carriedFacts are the ids of the facts that a webhook carries by itself. Those that compare it with the one before depend on what came first,
// and so do expirations without a time.
func carriedFacts(r *run, dated bool) []string {
	var found []string
	for _, e := range r.all.Facts {
		switch {
		case e.Status == subscriber.StatusChanged, e.Status == subscriber.StatusSwapped, e.Status == subscriber.StatusResumed:
		case e.Status == subscriber.StatusExpired && !dated:
		default:
			found = append(found, e.Status+" "+e.ID)
		}
	}
	slices.Sort(found)
	return found
}

// allFacts are the ids of all facts.
func allFacts(r *run) []string {
	var found []string
	for _, e := range r.all.Facts {
		found = append(found, e.Status+" "+e.ID)
	}
	slices.Sort(found)
	return found
}

// chargeRows are those of the table without what depends on the order of receipt: the time of the snapshot that changed the row, and how many
// charges were paid before.
func chargeRows(r *run) map[string]subscriber.ChargeRow {
	rows := make(map[string]subscriber.ChargeRow)
	for id, row := range r.charges {
		row.UpdatedAt, row.NthOrder = time.Time{}, 0
		rows[id] = row
	}
	return rows
}

func textIDs(r *run) []string {
	var found []string
	for _, t := range r.all.Triggers {
		found = append(found, t.ID)
	}
	for _, r := range r.all.Revocations {
		found = append(found, r.ID)
	}
	slices.Sort(found)
	return found
}

// stores generates a store's settings.
func stores() *rapid.Generator[subscriber.Settings] {
	return rapid.Custom(func(t *rapid.T) subscriber.Settings {
		s := byID()
		if rapid.Bool().Draw(t, "by e-mail") {
			s = byEmail()
		}
		s.SMS = rapid.Bool().Draw(t, "texts")
		s.KeepOldProfile = rapid.Bool().Draw(t, "keep old profile")
		return s
	})
}

// In any order of receipt and with any duplicates, the same facts are emitted, each once, and the final state is the same.
func TestAnyOrderOfReceipt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := stores().Draw(t, "store")
		h := history(12).Draw(t, "history")
		all := webhooks(h)
		if len(all) == 0 {
			return
		}
		want := inOrder(t, s, h, nothing)
		got := afterwards(t, s, h, mixedUp(all).Draw(t, "mixed"))
		ids := factIDs(got)
		require.Equal(t, factIDs(want), ids)
		require.Equal(t, slices.Compact(slices.Clone(ids)), ids, "each once")
		texts := textIDs(got)
		require.Equal(t, slices.Compact(slices.Clone(texts)), texts, "each once")
		dated := h[0].world.dated
		require.Equal(t, carriedFacts(want, dated), carriedFacts(got, dated))
		facts := allFacts(got)
		require.Equal(t, slices.Compact(slices.Clone(facts)), facts, "each once")
		require.Equal(t, chargeRows(want), chargeRows(got))
		require.Equal(t, want.state().SubscriptionRows(store, joID), got.state().SubscriptionRows(store, joID))
		require.Equal(t, want.state().CustomerRow(store, joID), got.state().CustomerRow(store, joID))
		requireSameProperty(t, want, got)
		requireSameCustomerChange(t, want, got)
		requireIncreasingTimes(t, got.all)
	})
}

// requireSameProperty requires the same last value of the active property, for the same profile, or none in both.
func requireSameProperty(t require.TestingT, want, got *run) {
	last := func(r *run) string {
		emitted := r.propertyValues(r.all)
		if len(emitted) == 0 {
			return ""
		}
		return emitted[len(emitted)-1]
	}
	require.Equal(t, last(want), last(got))
}

// requireSameCustomerChange requires the last change, by its own time, to have the same customer.
func requireSameCustomerChange(t require.TestingT, want, got *run) {
	last := func(r *run) string {
		found := changes(r.all)
		if len(found) == 0 {
			return ""
		}
		e := slices.MaxFunc(found, func(a, b subscriber.Event) int { return a.OccurredAt.Compare(b.OccurredAt) })
		return e.Customer.Email + " " + e.Customer.LastName
	}
	require.Equal(t, last(want), last(got))
}

// The state never becomes older: no row gets an older time, and no deleted row comes back.
func TestStateNeverBecomesOlder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := history(10).Draw(t, "history")
		all := webhooks(h)
		if len(all) == 0 {
			return
		}
		r := newRun(t, byID())
		r.answers = h[len(h)-1].world.answers
		at := h[len(h)-1].at
		gone := make(map[string]bool)
		for _, w := range mixedUp(all).Draw(t, "mixed") {
			before, customer := r.state().SubscriptionRows(store, joID), r.state().CustomerRow(store, joID)
			at = at.Add(time.Second)
			r.receives(w, at)
			after := r.state().SubscriptionRows(store, joID)
			for id, row := range before {
				now, there := after[id]
				gone[id] = gone[id] || !there
				require.False(t, there && now.UpdatedAt.Before(row.UpdatedAt))
			}
			for id := range after {
				require.False(t, gone[id], "deleted is final")
			}
			if customer != nil {
				require.False(t, r.state().CustomerRow(store, joID).UpdatedAt.Before(customer.UpdatedAt))
			}
		}
	})
}

// Received in order, the active property is TRUE exactly while a subscription is active, after the lookups that it needs. It is
// not emitted twice in succession with the same value for one profile.
func TestActivePropertyIsRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := stores().Draw(t, "store")
		known := false
		r := inOrder(t, s, histories(15, true).Draw(t, "history"), func(r *run, m moment) {
			row := r.state().CustomerRow(store, joID)
			known = known || len(m.world.subscriptions) > 0
			if !known || row == nil {
				return
			}
			require.NotNil(t, row.SubscriptionActive)
			require.Equal(t, m.active, *row.SubscriptionActive)
			emitted := r.propertyValues(r.all)
			require.NotEmpty(t, emitted)
			to := joID
			if s.CustomerID == subscriber.ByEmail {
				to = row.Email
			}
			want := "FALSE " + to
			if m.active {
				want = "TRUE " + to
			}
			require.Equal(t, want, emitted[len(emitted)-1])
		})
		requireIncreasingTimes(t, r.all)
		emitted := r.propertyValues(r.all)
		for i := 1; i < len(emitted); i++ {
			require.NotEqual(t, emitted[i-1], emitted[i])
		}
	})
}

// For a customer from before the installation, whichever webhook was received first, the property is right after the lookup.
func TestActivePropertyOfEarlierCustomer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := histories(12, true).Draw(t, "history")
		from := rapid.IntRange(0, len(h)-1).Draw(t, "received from")
		received := h[from:]
		inOrder(t, stores().Draw(t, "store"), received, func(r *run, m moment) {
			row := r.state().CustomerRow(store, joID)
			if row == nil || row.SubscriptionActive == nil {
				return // no value was emitted
			}
			require.Equal(t, m.active, *row.SubscriptionActive)
		})
	})
}

// The same records with the same times of receipt give the same decisions and the same state.
func TestReprocessingIsDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := stores().Draw(t, "store")
		h := history(10).Draw(t, "history")
		one, two := inOrder(t, s, h, nothing), inOrder(t, s, h, nothing)
		require.Equal(t, one.all, two.all)
		require.Equal(t, one.rows.Rows, two.rows.Rows)
	})
}
