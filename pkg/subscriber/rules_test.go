package subscriber_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// showing is a webhook that shows a happening at a time.
type showing func(at time.Time) recharge.Webhook

func showings() map[flow.Happening][]showing {
	ofSubscription := func(topic recharge.Topic, change ...func(*recharge.Subscription)) showing {
		return func(at time.Time) recharge.Webhook { return about(topic, at, change...) }
	}
	charge := func(topic recharge.Topic, change func(*recharge.Charge)) showing {
		return func(at time.Time) recharge.Webhook { return ofCharge(topic, at, change) }
	}
	order := func(topic recharge.Topic) showing {
		return func(at time.Time) recharge.Webhook {
			w := plain(topic, at).webhook
			w.Order.LineItems = []recharge.LineItem{{SubscriptionID: "784594001"}}
			return w
		}
	}
	errorType := func(name string) func(*recharge.Charge) {
		return func(c *recharge.Charge) { c.ErrorType = name }
	}
	return map[flow.Happening][]showing{
		flow.Created: {func(at time.Time) recharge.Webhook {
			return about("subscription/created", at, func(s *recharge.Subscription) { s.CreatedAt = at })
		}},
		flow.Activated: {ofSubscription("subscription/activated")},
		flow.Canceled:  {ofSubscription("subscription/cancelled")},
		flow.Deleted:   {ofSubscription("subscription/deleted")},
		flow.Expired:   {ofSubscription("subscription/updated", status("expired"))},
		flow.Paused:    {ofSubscription("subscription/paused")},
		flow.Skipped:   {ofSubscription("subscription/skipped")},
		flow.Unskipped: {ofSubscription("subscription/unskipped")},
		flow.Replaced: {func(at time.Time) recharge.Webhook {
			return about("subscription/created", at, numbered("2"), createdAt(at))
		}},
		flow.Upcoming:         {charge("charge/upcoming", func(*recharge.Charge) {}), order("order/upcoming")},
		flow.RetryScheduled:   {charge("charge/failed", errorType("CARD_DECLINED"))},
		flow.FailedForGood:    {charge("charge/failed", errorType("DO_NOT_HONOR")), charge("charge/max_retries_reached", errorType("CARD_DECLINED"))},
		flow.Paid:             {charge("charge/paid", func(*recharge.Charge) {}), charge("charge/created", func(c *recharge.Charge) { c.Status = "success" })},
		flow.Processed:        {order("order/processed")},
		flow.AccountActivated: {func(at time.Time) recharge.Webhook { return ofCustomer("customer/activated", jo(at)) }},
	}
}

// known receives webhooks of a customer who was looked up, each a second after the other.
func known(t require.TestingT, received ...recharge.Webhook) *run {
	r := newRun(t, byID())
	c := jo(start())
	r.applies(recharge.Lookup{LookupRequest: recharge.LookupRequest{Kind: recharge.LookupCustomer}, Customer: &c}, start())
	for i, w := range received {
		r.receives(w, start().Add(2*time.Hour+time.Duration(i)*time.Second))
	}
	return r
}

// revoked reports whether revocations, as the schema describes them, cover a whole trigger.
func revoked(trigger subscriber.Trigger, revocations []subscriber.Revocation) bool {
	left := slices.Clone(trigger.Items)
	for _, r := range revocations {
		item := r.Items[0]
		if !slices.Contains(r.Flows, trigger.Flow) || !slices.Contains(trigger.Items, item) {
			continue
		}
		if strings.HasPrefix(item, "charge/") {
			if showsPayment(r.Cause) || !trigger.OccurredAt.After(r.OccurredAt) {
				return true
			}
		} else if trigger.OccurredAt.Before(r.OccurredAt) {
			left = slices.DeleteFunc(left, func(i string) bool { return i == item })
		}
	}
	return !slices.ContainsFunc(left, func(i string) bool { return strings.HasPrefix(i, "subscription/") }) && len(left) < len(trigger.Items)
}

func showsPayment(cause recharge.Topic) bool {
	return cause == "charge/paid" || cause == "charge/created"
}

// texts reports whether the trigger was emitted and is not revoked in the end.
func texts(r *run, trigger subscriber.Trigger) bool {
	i := slices.IndexFunc(r.all.Triggers, func(t subscriber.Trigger) bool {
		return t.Flow == trigger.Flow && t.OccurredAt.Equal(trigger.OccurredAt)
	})
	return i >= 0 && !revoked(r.all.Triggers[i], r.all.Revocations)
}

// For each flow and each happening: the happening revokes the trigger if received after it, exactly when it contradicts the
// trigger if received before it. Both agree with the table of flows.
func TestRevocationsAreContradictions(t *testing.T) {
	at := start().Add(time.Hour)
	for _, rule := range flow.Rules() {
		for what, shows := range showings() {
			if what == rule.FiredBy {
				continue // the same fact again, or another trigger
			}
			for _, by := range shows {
				for _, fires := range showings()[rule.FiredBy] {
					for _, apart := range []time.Duration{-time.Minute, 0, time.Minute} {
						w, other := fires(at), by(at.Add(apart))
						alone := known(t, w).all
						if w.Topic == "charge/created" { // charge/paid has its text
							continue
						}
						require.Len(t, alone.Triggers, 1, w.Topic)
						require.Equal(t, rule.Flow, alone.Triggers[0].Flow)
						trigger := alone.Triggers[0]
						t.Run(strings.Join([]string{string(rule.Flow), string(w.Topic), string(what), string(other.Topic), apart.String()}, " "), func(t *testing.T) {
							want := !revokes(rule, what, trigger, other, apart)
							assert.Equal(t, want, texts(known(t, w, other), trigger), "trigger first")
							assert.Equal(t, want, texts(known(t, other, w), trigger), "trigger last")
						})
					}
				}
			}
		}
	}
}

// revokes is the expected result by the table: a happening revokes earlier triggers of its flows, and a charge only its own.
func revokes(rule flow.Rule, what flow.Happening, trigger subscriber.Trigger, by recharge.Webhook, later time.Duration) bool {
	switch {
	case !rule.RevokedBy.Has(what), by.Charge != nil && trigger.Charge == nil:
		return false
	case what == flow.Deleted: // at its receipt
		return true
	case what == flow.Paid, what == flow.Replaced: // at any time, and within 10 minutes
		return true
	case by.Charge != nil:
		return later >= 0
	}
	return later > 0
}

// The texts that are not revoked in the end are the same for every order of receipt.
func TestTextsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		received := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) recharge.Webhook {
			what := rapid.SampledFrom([]flow.Happening{
				flow.Activated, flow.Canceled, flow.Paused, flow.Skipped, flow.Unskipped, flow.Upcoming, flow.RetryScheduled, flow.FailedForGood, flow.Paid,
			}).Draw(t, "happening")
			by := rapid.SampledFrom(showings()[what]).Draw(t, "webhook")
			w := by(start().Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "minute")) * time.Minute))
			if w.Charge != nil {
				w.Charge.ID = rapid.SampledFrom([]string{"1", "2"}).Draw(t, "charge")
				w.Charge.Attempts = rapid.IntRange(1, 2).Draw(t, "attempt")
			}
			return w
		}), 2, 6).Draw(t, "received")
		once := make(map[string]bool)
		received = slices.DeleteFunc(received, func(w recharge.Webhook) bool { // a fact has one time
			key := fact(w)
			again := once[key]
			once[key] = true
			return again
		})
		require.Equal(t, left(known(t, received...)), left(known(t, rapid.Permutation(received).Draw(t, "other order")...)))
	})
}

// fact identifies the fact of a webhook, without its time where the time does not define the fact.
func fact(w recharge.Webhook) string {
	switch {
	case w.Order != nil:
		return string(w.Topic)
	case w.Charge == nil:
		return string(w.Topic) + w.Subscription.UpdatedAt.String()
	case w.Topic == "charge/failed" && w.Charge.ErrorType == "CARD_DECLINED":
		return "retry" + w.Charge.ID + string(rune('0'+w.Charge.Attempts))
	case w.Topic == "charge/upcoming":
		return "upcoming" + w.Charge.ID
	case showsPayment(w.Topic):
		return "paid" + w.Charge.ID
	}
	return "failed" + w.Charge.ID
}

// left are the texts that are not revoked in the end.
func left(r *run) []string {
	var ids []string
	for _, trigger := range r.all.Triggers {
		if !revoked(trigger, r.all.Revocations) {
			ids = append(ids, string(trigger.Flow)+" "+trigger.ID)
		}
	}
	slices.Sort(ids)
	return ids
}
