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

// inOrder hears a history as it happened, and asks as it goes.
func inOrder(t require.TestingT, s subscriber.Settings, h []moment, check func(*life, moment)) *life {
	l := newLife(t, s)
	for _, m := range h {
		l.answers = m.world.answers
		for i, w := range m.sent {
			l.hears(w, m.at.Add(time.Duration(i)*10*time.Millisecond))
		}
		l.asksAll(m.at.Add(time.Second / 2))
		check(l, m)
	}
	return l
}

// afterwards hears webhooks after all of them happened, then asks.
func afterwards(t require.TestingT, s subscriber.Settings, h []moment, order []recharge.Webhook) *life {
	l := newLife(t, s)
	last := h[len(h)-1]
	l.answers = last.world.answers
	at := last.at.Add(time.Minute)
	for _, w := range order {
		at = at.Add(time.Second)
		l.hears(w, at)
	}
	l.asksAll(at.Add(time.Second))
	return l
}

func nothing(*life, moment) {}

// factIDs are those of the events that happen, each as often as it was told.
func factIDs(l *life) []string {
	var found []string
	for _, e := range l.all.Events {
		if e.Type == subscriber.EventSubscription || e.Type == subscriber.EventCharge {
			found = append(found, e.Status+" "+e.ID)
		}
	}
	slices.Sort(found)
	return found
}

func textIDs(l *life) []string {
	var found []string
	for _, t := range l.all.Triggers {
		found = append(found, t.ID)
	}
	for _, r := range l.all.Revocations {
		found = append(found, r.ID)
	}
	slices.Sort(found)
	return found
}

// stores are how a store may know its customers.
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

// Whatever the order in which a history is heard, and however often: the same facts are told, each once, and the same is
// known in the end.
func TestAnyOrder(t *testing.T) {
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
		require.Equal(t, want.memory().SubscriptionRows(store, joID), got.memory().SubscriptionRows(store, joID))
		require.Equal(t, want.memory().Row(store, joID), got.memory().Row(store, joID))
		requireSameFlag(t, want, got)
		requireSameChange(t, want, got)
		requireGrowing(t, got.all)
	})
}

// requireSameFlag wants the same to be said last, to the same profile; none is said where none was.
func requireSameFlag(t require.TestingT, want, got *life) {
	last := func(l *life) string {
		said := flags(l.all)
		if len(said) == 0 {
			return ""
		}
		return said[len(said)-1]
	}
	require.Equal(t, last(want), last(got))
}

// requireSameChange wants the last change, by its own time, to show the same customer.
func requireSameChange(t require.TestingT, want, got *life) {
	last := func(l *life) string {
		found := changes(l.all)
		if len(found) == 0 {
			return ""
		}
		e := slices.MaxFunc(found, func(a, b subscriber.Event) int { return a.OccurredAt.Compare(b.OccurredAt) })
		return e.Customer.Email + " " + e.Customer.LastName
	}
	require.Equal(t, last(want), last(got))
}

// What is known never goes back to what it was: no row gets an older time, none that is gone comes again.
func TestNeverBackwards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := history(10).Draw(t, "history")
		all := webhooks(h)
		if len(all) == 0 {
			return
		}
		l := newLife(t, byID())
		l.answers = h[len(h)-1].world.answers
		at := h[len(h)-1].at
		gone := make(map[string]bool)
		for _, w := range mixedUp(all).Draw(t, "mixed") {
			before, customer := l.memory().SubscriptionRows(store, joID), l.memory().Row(store, joID)
			at = at.Add(time.Second)
			l.hears(w, at)
			after := l.memory().SubscriptionRows(store, joID)
			for id, row := range before {
				now, there := after[id]
				gone[id] = gone[id] || !there
				require.False(t, there && now.UpdatedAt.Before(row.UpdatedAt))
			}
			for id := range after {
				require.False(t, gone[id], "deleted is final")
			}
			if customer != nil {
				require.False(t, l.memory().Row(store, joID).UpdatedAt.Before(customer.UpdatedAt))
			}
		}
	})
}

// As it happens, the flag is TRUE exactly while a subscription is active, once the API was asked where nobody could tell.
// It is never said twice to one profile, unless the profile was left in between.
func TestFlagIsTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := stores().Draw(t, "store")
		met := false
		l := inOrder(t, s, histories(15, true).Draw(t, "history"), func(l *life, m moment) {
			row := l.memory().Row(store, joID)
			met = met || len(m.world.subscriptions) > 0
			if !met || row == nil {
				return
			}
			require.NotNil(t, row.SubscriptionActive)
			require.Equal(t, m.active, *row.SubscriptionActive)
			said := flags(l.all)
			require.NotEmpty(t, said)
			to := joID
			if s.CustomerID == subscriber.ByEmail {
				to = row.Email
			}
			want := "FALSE " + to
			if m.active {
				want = "TRUE " + to
			}
			require.Equal(t, want, said[len(said)-1])
		})
		requireGrowing(t, l.all)
		said := flags(l.all)
		for i := 1; i < len(said); i++ {
			require.NotEqual(t, said[i-1], said[i])
		}
	})
}

// A customer who was there before us: whatever we heard of them first, what the API says makes it right.
func TestFlagOfWhoWasThereBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := histories(12, true).Draw(t, "history")
		from := rapid.IntRange(0, len(h)-1).Draw(t, "heard from")
		heard := h[from:]
		inOrder(t, stores().Draw(t, "store"), heard, func(l *life, m moment) {
			row := l.memory().Row(store, joID)
			if row == nil || row.SubscriptionActive == nil {
				return // nothing was said that could be wrong
			}
			require.Equal(t, m.active, *row.SubscriptionActive)
		})
	})
}

// Read again, with the same times of receipt, everything comes out as it did.
func TestRebuilt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := stores().Draw(t, "store")
		h := history(10).Draw(t, "history")
		one, two := inOrder(t, s, h, nothing), inOrder(t, s, h, nothing)
		require.Equal(t, one.all, two.all)
		require.Equal(t, one.rows.rows, two.rows.rows)
	})
}
