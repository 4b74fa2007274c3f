package message_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// history draws triggers of one customer within four minutes, of flows that absorb each other and of others.
func history(t *rapid.T) (all []subscriber.Trigger) {
	for i := range rapid.IntRange(1, 8).Draw(t, "triggers") {
		at := time.Duration(rapid.IntRange(0, 24).Draw(t, "at")) * 10 * time.Second
		key := rapid.SampledFrom([]flow.Key{
			flow.SubscriptionStarted, flow.ChargePaid, flow.OrderProcessed, flow.SubscriptionCanceled, flow.ChargeFailed, flow.ChargeWillBeRetried,
		}).Draw(t, "flow")
		item := fmt.Sprintf("subscription/%d", rapid.IntRange(1, 3).Draw(t, "subscription"))
		items := []string{item}
		switch key {
		case flow.ChargePaid, flow.ChargeFailed, flow.ChargeWillBeRetried, flow.UpcomingOrder:
			items = []string{fmt.Sprintf("charge/c%d", rapid.IntRange(1, 2).Draw(t, "charge"))}
		case flow.OrderProcessed:
			items = []string{fmt.Sprintf("order/%d", rapid.IntRange(1, 2).Draw(t, "order")), item}
		}
		all = append(all, trigger(fmt.Sprintf("t%d", i), key, at, items...))
	}
	return all
}

// texted maps each trigger to the texts that have it, late ones included.
func (w *world) texted() map[string][]string {
	texted := map[string][]string{}
	for _, m := range w.messages() {
		if m.Status == message.Suppressed {
			continue
		}
		for _, t := range m.Triggers {
			texted[t.ID] = append(texted[t.ID], m.ID)
		}
	}
	return texted
}

func requireEachOnce(t *rapid.T, w *world, all []subscriber.Trigger) {
	texted := w.texted()
	for _, each := range all {
		require.Len(t, texted[each.ID], 1, "%s in texts %v", each.ID, texted)
	}
}

// TestEachTriggerOnce: live, whenever triggers come, each is in one text.
func TestEachTriggerOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, all := newWorld(t), history(t)
		for _, each := range all {
			w.add(each)
			w.pass(time.Duration(rapid.IntRange(0, 90).Draw(t, "pause")) * time.Second)
		}
		w.pass(2 * time.Minute)
		requireEachOnce(t, w, all)
	})
}

// TestRevokedOnce: with revocations between them, each trigger that is left is in one text, and no revoked one is in any.
func TestRevokedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, all := newWorld(t), history(t)
		for _, each := range all {
			w.add(each)
			if rapid.Bool().Draw(t, "revoke") {
				item := fmt.Sprintf("subscription/%d", rapid.IntRange(1, 3).Draw(t, "revoked"))
				w.revoke(revocation(item, time.Hour, flow.SubscriptionStarted, flow.SubscriptionCanceled))
			}
		}
		w.pass(2 * time.Minute)
		revoked := map[string]bool{}
		for _, m := range w.messages() {
			for _, each := range m.Triggers {
				revoked[each.ID] = revoked[each.ID] || each.Revoked
			}
		}
		texted := w.texted()
		for _, each := range all {
			if !revoked[each.ID] {
				require.Len(t, texted[each.ID], 1, "%s in texts %v", each.ID, texted)
			}
		}
		for _, m := range w.texts {
			require.NotEmpty(t, m.Live(w.now))
			for _, live := range m.Live(w.now) {
				require.False(t, revoked[live.ID])
			}
		}
	})
}

// TestPausedOnce: pauses change when texts are sent, not which: each trigger is in one text, and none of a paused flow is claimed.
func TestPausedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, all := newWorld(t), history(t)
		for _, each := range all {
			w.paused[rapid.SampledFrom(flow.Keys()).Draw(t, "flow")] = rapid.Bool().Draw(t, "paused")
			w.resume()
			before := len(w.texts)
			w.add(each)
			w.pass(time.Duration(rapid.IntRange(0, 90).Draw(t, "wait")) * time.Second)
			for _, m := range w.texts[before:] {
				require.False(t, w.paused[m.Flow])
			}
		}
		clear(w.paused)
		w.resume()
		w.pass(2 * time.Minute)
		requireEachOnce(t, w, all)
		require.Zero(t, w.rows.count("held/"))
	})
}

// actions are the triggers of each text of a backlog, which is read in an order.
func actions(t *rapid.T, all []subscriber.Trigger) []string {
	w := newWorld(t)
	for _, each := range all {
		w.add(each)
	}
	w.pass(2 * time.Minute)
	requireEachOnce(t, w, all)
	var texts []string
	for _, m := range w.texts {
		own := []string{}
		for _, each := range m.Triggers {
			if each.Flow == m.Flow {
				own = append(own, each.ID)
			}
		}
		texts = append(texts, string(m.Flow)+" "+strings.Join(own, " "))
	}
	slices.Sort(texts)
	return texts
}

// TestAnyOrder: a backlog gives the same texts in any order.
func TestAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := history(t)
		slices.SortStableFunc(all, func(a, b subscriber.Trigger) int { return a.OccurredAt.Compare(b.OccurredAt) })
		require.Equal(t, actions(t, all), actions(t, rapid.Permutation(all).Draw(t, "order")))
	})
}

// TestLiveAsBacklog: what arrives when it happens gives a text wherever a backlog does. It gives more only where a later trigger links texts
// that are sent already: never two of one cause within its window.
func TestLiveAsBacklog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := history(t)
		slices.SortStableFunc(all, func(a, b subscriber.Trigger) int { return a.OccurredAt.Compare(b.OccurredAt) })
		live := newWorld(t)
		for _, each := range all {
			live.pass(each.OccurredAt.Sub(live.now))
			live.add(each)
		}
		live.pass(2 * time.Minute)
		requireEachOnce(t, live, all)
		require.GreaterOrEqual(t, len(live.texts), len(actions(t, all)), "texts %v", flowsOf(live.texts))
		for i, one := range live.texts {
			for _, other := range live.texts[i+1:] {
				require.False(t, near(one, other), "%v and %v", idsOf(one), idsOf(other))
			}
		}
	})
}

// near reports whether two texts have triggers of the same cause less than its window apart.
func near(one, other message.Message) bool {
	for _, a := range one.Triggers {
		for _, b := range other.Triggers {
			if a.Cause == b.Cause && a.OccurredAt.Sub(b.OccurredAt).Abs() < flow.RuleOf(a.Flow).Window {
				return true
			}
		}
	}
	return false
}

// TestNeverTwice: whatever is claimed, answered, revoked, paused or lapses, in whichever order, a trigger is in one claim at a time, and no text
// is claimed again that may have been sent.
func TestNeverTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, perhaps, all := newWorld(t), map[string]bool{}, history(t)
		w.decide = func(m *message.Message) message.Decision {
			return rapid.SampledFrom([]message.Decision{{}, {}, {Defer: w.now.Add(time.Minute)}, {Suppress: "capped"}}).Draw(t, "decision")
		}
		claims := map[string]*message.Message{}
		for len(all) > 0 || rapid.IntRange(0, 5).Draw(t, "end") > 0 {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				if len(all) > 0 {
					w.add(all[0])
					all = all[1:]
				}
			case 1:
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "seconds")) * time.Second)
				_, err := w.open().ExpireClaims(w.deduplicates)
				require.NoError(t, err)
			case 2:
				for _, m := range w.claim(rapid.IntRange(0, 3).Draw(t, "room")) {
					for _, each := range m.Triggers {
						require.False(t, perhaps[each.ID], "%s may have been sent", each.ID)
					}
					claims[m.ID] = m
					for _, each := range m.Triggers {
						perhaps[each.ID] = true
					}
				}
			case 3:
				if ids := slices.Sorted(maps.Keys(claims)); len(ids) > 0 {
					m := claims[rapid.SampledFrom(ids).Draw(t, "message")]
					outcome := rapid.SampledFrom([]message.Status{message.Accepted, message.Rejected, message.Unknown, message.Planned}).Draw(t, "outcome")
					if w.receive(m, message.Receipt{Outcome: outcome}) == "" && outcome == message.Planned {
						for _, each := range m.Triggers {
							delete(perhaps, each.ID)
						}
					}
				}
			case 4:
				item := fmt.Sprintf("subscription/%d", rapid.IntRange(1, 3).Draw(t, "revoked"))
				w.revoke(subscriber.Revocation{
					ID: "r", Store: shop, RechargeCustomerID: customer, Flows: flow.Keys(), Items: []string{item}, OccurredAt: w.now,
				})
			case 5:
				w.paused[rapid.SampledFrom(flow.Keys()).Draw(t, "flow")] = rapid.Bool().Draw(t, "pause")
				w.resume()
			}
		}
	})
}
