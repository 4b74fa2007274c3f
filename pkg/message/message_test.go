package message_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// TestBoxOfFive: five subscriptions that are canceled at once are one text about five.
func TestBoxOfFive(t *testing.T) {
	w := newWorld(t)
	for i, id := range []string{"1", "2", "3", "4", "5"} {
		assert.Empty(t, w.add(trigger("t"+id, flow.SubscriptionCanceled, time.Duration(i)*10*time.Second, "subscription/"+id)))
	}
	assert.Equal(t, reason.Duplicate, w.add(trigger("t1", flow.SubscriptionCanceled, 0, "subscription/1")))
	w.pass(2 * time.Minute)
	require.Len(t, w.texts, 1)
	assert.Equal(t, []string{"t1", "t2", "t3", "t4", "t5"}, idsOf(w.texts[0]))
	assert.Equal(t, reason.MergedLate, w.add(trigger("t6", flow.SubscriptionCanceled, 99*time.Second, "subscription/6")))
	assert.Empty(t, w.add(trigger("t7", flow.SubscriptionCanceled, 159*time.Second, "subscription/7")), "another action")
	w.pass(2 * time.Minute)
	assert.Len(t, w.texts, 2)
}

// TestFirstCheckout: a checkout of three products is one text, in whichever order its triggers come.
func TestFirstCheckout(t *testing.T) {
	all := []subscriber.Trigger{
		trigger("s1", flow.SubscriptionStarted, 0, "subscription/1"),
		trigger("s2", flow.SubscriptionStarted, time.Second, "subscription/2"),
		trigger("c", flow.ChargePaid, 2*time.Second, "charge/c9", "subscription/1", "subscription/2"),
		trigger("o", flow.OrderProcessed, 3*time.Second, "order/9", "subscription/1", "subscription/2"),
	}
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 3, 0, 1}, {3, 0, 2, 1}} {
		w := newWorld(t)
		for _, i := range order {
			w.add(all[i])
		}
		w.pass(2 * time.Minute)
		require.Equal(t, []flow.Key{flow.SubscriptionStarted}, flowsOf(w.texts), order)
		assert.Equal(t, []string{"s1", "s2", "c", "o"}, idsOf(w.texts[0]))
	}
}

// TestAbsorbingFlowIsInactive: then the absorbed flow has a text of its own.
func TestAbsorbingFlowIsInactive(t *testing.T) {
	w := newWorld(t)
	w.inactive[flow.SubscriptionStarted] = true
	assert.Equal(t, reason.FlowInactive, w.add(trigger("s", flow.SubscriptionStarted, 0, "subscription/1")))
	assert.Empty(t, w.add(trigger("c", flow.ChargePaid, 0, "charge/c9")))
	w.pass(2 * time.Minute)
	assert.Equal(t, []flow.Key{flow.ChargePaid}, flowsOf(w.texts))
}

// TestRecurringChargeIsNoCheckout: a new subscription does not absorb the payment of another one.
func TestRecurringChargeIsNoCheckout(t *testing.T) {
	w := newWorld(t)
	paid := trigger("c", flow.ChargePaid, 0, "charge/c9")
	paid.Charge.Type = "recurring"
	other := trigger("c8", flow.ChargePaid, 0, "charge/c8", "subscription/2")
	w.add(trigger("s", flow.SubscriptionStarted, 0, "subscription/1"))
	w.add(paid)
	w.add(other)
	w.add(trigger("o", flow.OrderProcessed, 0, "order/7", "subscription/2"))
	w.add(trigger("o2", flow.OrderProcessed, 0, "order/6"))
	w.pass(2 * time.Minute)
	assert.ElementsMatch(t, []flow.Key{
		flow.SubscriptionStarted, flow.ChargePaid, flow.ChargePaid, flow.OrderProcessed, flow.OrderProcessed,
	}, flowsOf(w.texts))
}

// TestRevoked: a text goes if one of its items is left.
func TestRevoked(t *testing.T) {
	canceled := func(item string, at time.Duration) subscriber.Revocation {
		return subscriber.Revocation{
			ID: "r" + item, Store: shop, RechargeCustomerID: customer, Flows: []flow.Key{flow.SubscriptionStarted}, Items: []string{item},
			OccurredAt: start().Add(at), Cause: "subscription/cancelled",
		}
	}
	w := newWorld(t)
	w.add(trigger("s1", flow.SubscriptionStarted, 0, "subscription/1"))
	w.add(trigger("s2", flow.SubscriptionStarted, 0, "subscription/2"))
	assert.Equal(t, reason.NothingToRevoke, w.revoke(canceled("subscription/1", 0)), "not after the trigger")
	assert.Empty(t, w.revoke(canceled("subscription/1", time.Second)))
	w.pass(2 * time.Minute)
	require.Len(t, w.texts, 1)
	live := w.texts[0].Live(w.now)
	require.Len(t, live, 1)
	assert.Equal(t, "s2", live[0].ID)

	w = newWorld(t)
	w.add(trigger("s1", flow.SubscriptionStarted, 0, "subscription/1"))
	w.add(trigger("c", flow.ChargePaid, time.Second, "charge/c9"))
	assert.Empty(t, w.revoke(canceled("subscription/1", time.Second)))
	w.pass(2 * time.Minute)
	assert.Equal(t, []flow.Key{flow.ChargePaid}, flowsOf(w.texts), "what was absorbed has a text of its own")
	assert.Equal(t, reason.NothingToRevoke, w.revoke(canceled("subscription/1", time.Second)))
}

// TestRevokedItem: a text is not about an item that was revoked.
func TestRevokedItem(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("u", flow.UpcomingOrder, 0, "charge/c1", "subscription/1", "subscription/2"))
	require.Empty(t, w.revoke(revocation("subscription/1", time.Second, flow.UpcomingOrder)))
	w.pass(time.Minute)
	require.Len(t, w.texts, 1)
	live := w.texts[0].Live(w.now)
	require.Len(t, live, 1)
	assert.Equal(t, []string{"charge/c1", "subscription/2"}, live[0].Items)
	assert.Equal(t, []string{"charge/c1", "subscription/1", "subscription/2"}, w.texts[0].Triggers[0].Items, "the message keeps all")
}

// TestSplitOfTheFirst: the same if the absorbed trigger came first.
func TestSplitOfTheFirst(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("c", flow.ChargePaid, 0, "charge/c9"))
	w.add(trigger("s", flow.SubscriptionStarted, 0, "subscription/1"))
	require.Empty(t, w.revoke(revocation("subscription/1", time.Second, flow.SubscriptionStarted)))
	w.pass(2 * time.Minute)
	require.Equal(t, []flow.Key{flow.ChargePaid}, flowsOf(w.texts))
}

// TestRevokedWhileClaimed: what becomes untrue during a claim is not texted when it turns out that it was not sent.
func TestRevokedWhileClaimed(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("s", flow.SubscriptionStarted, 0, "subscription/1"))
	w.now = w.now.Add(time.Minute)
	m := w.claim(1)[0]
	require.Empty(t, w.revoke(revocation("subscription/1", time.Second, flow.SubscriptionStarted)))
	require.Equal(t, message.Claimed, w.messages()[0].Status)
	require.Empty(t, w.receive(m, message.Receipt{Outcome: message.Planned}))
	require.Equal(t, message.Suppressed, w.messages()[0].Status)
	w.pass(2 * time.Minute)
	require.Len(t, w.texts, 1)
}

// TestLateInTime: a trigger that came too late is in time when it turns out that the text was not sent.
func TestLateInTime(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("s1", flow.SubscriptionStarted, 0, "subscription/1"))
	w.now = w.now.Add(time.Minute)
	m := w.claim(1)[0]
	require.Equal(t, reason.MergedLate, w.add(trigger("s2", flow.SubscriptionStarted, 0, "subscription/2")))
	require.Empty(t, w.receive(m, message.Receipt{Outcome: message.Planned}))
	w.pass(time.Minute)
	require.Len(t, w.texts[1].Live(w.now), 2)
}

// TestAfterRejected: a trigger of the same action as a refused text has a text of its own.
func TestAfterRejected(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("s1", flow.SubscriptionStarted, 0, "subscription/1"))
	w.now = w.now.Add(time.Minute)
	w.receive(w.claim(1)[0], message.Receipt{Outcome: message.Rejected})
	require.Empty(t, w.add(trigger("s2", flow.SubscriptionStarted, 0, "subscription/2")))
	w.pass(2 * time.Minute)
	require.Len(t, w.texts, 2)
}

// TestFarRelease: a release time that is far away delays no other text, and is not after the text is stale.
func TestFarRelease(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("s1", flow.SubscriptionStarted, 0, "subscription/1"))
	w.now = w.now.Add(time.Minute)
	w.receive(w.claim(1)[0], message.Receipt{Outcome: message.Planned, RetryAt: w.now.AddDate(1000, 0, 0)})
	w.add(trigger("f", flow.ChargeFailed, time.Minute, "charge/1"))
	require.Len(t, w.claim(10), 1)
	w.now = w.now.Add(48 * time.Hour)
	w.claim(10)
	require.Zero(t, w.rows.count("due/"))
}

// TestMissingMessage: an entry of an index whose message is missing is removed.
func TestMissingMessage(t *testing.T) {
	for _, after := range []time.Duration{0, time.Minute, 40 * 24 * time.Hour} {
		w := newWorld(t)
		w.add(trigger("s1", flow.SubscriptionStarted, 0, "subscription/1"))
		if after > 0 {
			w.now = w.now.Add(time.Minute)
			m := w.claim(1)[0]
			if after > time.Minute {
				w.receive(m, message.Receipt{Outcome: message.Accepted})
			}
		}
		for key := range w.rows.Scan([]byte("message/")) {
			w.rows.Delete(key)
		}
		w.now = w.now.Add(after + time.Hour)
		w.claim(10)
		_, err := w.open().ExpireClaims(w.deduplicates)
		require.NoError(t, err)
		expire(t, w)
		require.Empty(t, w.rows)
	}
}

// TestOldEntry: a text that was sent is not sent again because of an entry that was left behind.
func TestOldEntry(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("s1", flow.SubscriptionStarted, 0, "subscription/1"))
	left := rows{}
	for key, value := range w.rows.Scan([]byte("due/")) {
		left.Set(key, value)
	}
	w.now = w.now.Add(time.Minute)
	w.receive(w.claim(1)[0], message.Receipt{Outcome: message.Accepted})
	for key, value := range left.Scan(nil) {
		w.rows.Set(key, value)
	}
	w.now = w.now.Add(time.Hour)
	require.Empty(t, w.claim(10))
	require.Zero(t, w.rows.count("due/"))
}

// TestSplitOff: what is left of a checkout without its subscriptions is one text, too.
func TestSplitOff(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("s", flow.SubscriptionStarted, 0, "subscription/1"))
	w.add(trigger("c", flow.ChargePaid, time.Second, "charge/c9"))
	w.add(trigger("o", flow.OrderProcessed, 2*time.Second, "order/9", "subscription/1"))
	w.revoke(subscriber.Revocation{
		ID: "r", Store: shop, RechargeCustomerID: customer, Flows: []flow.Key{flow.SubscriptionStarted}, Items: []string{"subscription/1"}, OccurredAt: start().Add(time.Second),
	})
	w.pass(2 * time.Minute)
	require.Equal(t, []flow.Key{flow.OrderProcessed}, flowsOf(w.texts))
	assert.Equal(t, []string{"s", "c", "o"}, idsOf(w.texts[0]))
	assert.True(t, w.texts[0].Triggers[0].Revoked)
}

// TestLateForTwo: a trigger that comes too late for two texts changes neither.
func TestLateForTwo(t *testing.T) {
	w := newWorld(t)
	other := trigger("s2", flow.SubscriptionStarted, 0, "subscription/2")
	other.Cause += "other address"
	w.add(trigger("s1", flow.SubscriptionStarted, 0, "subscription/1"))
	w.add(other)
	w.pass(2 * time.Minute)
	assert.Equal(t, reason.MergedLate, w.add(trigger("c", flow.ChargePaid, 0, "charge/c9")))
	for _, m := range w.messages() {
		assert.Equal(t, message.Accepted, m.Status)
	}
	texted := 0
	for _, ids := range w.texted() {
		texted += len(ids)
	}
	assert.Equal(t, 3, texted)
}

// TestLateTakesPlanned: a late trigger takes along the planned text that it links to the text that was sent.
func TestLateTakesPlanned(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("c1", flow.ChargePaid, 0, "charge/1"))
	w.pass(time.Minute)
	w.add(trigger("c2", flow.ChargePaid, 65*time.Second, "charge/2"))
	assert.Equal(t, reason.MergedLate, w.add(trigger("s", flow.SubscriptionStarted, 50*time.Second, "subscription/1")))
	w.pass(5 * time.Minute)
	require.Len(t, w.texts, 1)
	for _, m := range w.messages() {
		if m.Status == message.Accepted {
			assert.Equal(t, []string{"c1", "s", "c2"}, idsOf(m))
			assert.Equal(t, []bool{false, true, true}, []bool{m.Triggers[0].Late, m.Triggers[1].Late, m.Triggers[2].Late})
		}
	}
}

// TestReportOfAnother: a report on a text that was never claimed changes nothing.
func TestReportOfAnother(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("s", flow.SubscriptionStarted, 0, "subscription/1"))
	planned := w.messages()[0]
	assert.Equal(t, reason.ReceiptOutdated, w.report(&planned, message.Receipt{Outcome: message.Delivered}))
	w.now = w.now.Add(time.Minute)
	claimed := w.claim(1)[0]
	for _, outcome := range []message.Status{message.Planned, message.Unknown, message.Rejected} {
		_, err := w.open().Receive(message.Receipt{Store: shop, CustomerID: customer, MessageID: claimed.ID, At: w.now, Outcome: outcome})
		require.ErrorIs(t, err, message.ErrReceipt, outcome)
	}
	assert.Empty(t, w.report(claimed, message.Receipt{Outcome: message.Delivered}))
}

// TestPaidRevokes: a payment revokes the texts about failures of its charge, whenever it happened.
func TestPaidRevokes(t *testing.T) {
	w := newWorld(t)
	w.decide = func(*message.Message) message.Decision { return message.Decision{Defer: start().Add(time.Hour)} }
	w.add(trigger("f", flow.ChargeFailed, time.Minute, "charge/7", "subscription/1"))
	w.pass(time.Minute)
	paid := subscriber.Revocation{
		ID: "r", Store: shop, RechargeCustomerID: customer, Flows: []flow.Key{flow.ChargeFailed}, Items: []string{"charge/7"}, OccurredAt: start(), Cause: "charge/paid",
	}
	assert.Empty(t, w.revoke(paid))
	assert.Equal(t, message.Suppressed, w.messages()[0].Status)
	assert.Equal(t, reason.Revoked, w.messages()[0].Reason)
	w.pass(2 * time.Hour)
	assert.Empty(t, w.texts)
}

// TestStale: a text that could not be sent in time is not sent.
func TestStale(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("s", flow.SubscriptionStarted, 0, "subscription/1"))
	w.now = w.now.Add(24 * time.Hour)
	w.claim(10)
	assert.Empty(t, w.texts)
	assert.Equal(t, reason.Stale, w.messages()[0].Reason)
}

// TestReportsInAnyOrder: reports of a provider give the same status in whatever order and however often they come.
func TestReportsInAnyOrder(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 0))
		reports := []message.Status{message.Accepted, message.Sent, message.Undelivered, message.Delivered}[:1+random.IntN(4)]
		last := reports[len(reports)-1]
		reports = append(slices.Clone(reports), reports[random.IntN(len(reports))], reports[random.IntN(len(reports))])
		random.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
		w := newWorld(t)
		w.add(trigger("s", flow.SubscriptionStarted, 0, "subscription/1"))
		w.now = w.now.Add(time.Minute)
		m := w.claim(1)[0]
		if random.IntN(2) == 0 {
			w.receive(m, message.Receipt{Outcome: message.Unknown})
		}
		for _, outcome := range reports {
			w.report(m, message.Receipt{Outcome: outcome})
		}
		assert.Equal(t, last, w.messages()[0].Status, "%v", reports)
	}
}

// TestReceipts: testable moves of a message that was claimed once: what it was, the receipt, what it is then.
func TestReceipts(t *testing.T) {
	const (
		claimed, unknown, accepted, rejected = "claimed", "unknown", "accepted", "rejected"
		sent, delivered, undelivered         = "sent", "delivered", "undelivered"
		planned, none                        = "planned", "-"
	)
	for _, c := range [][3]string{
		{claimed, accepted, accepted},
		{claimed, rejected, rejected},
		{claimed, unknown, unknown},
		{claimed, planned, planned},
		{claimed, delivered, delivered},
		{claimed, sent, sent},
		{claimed, undelivered, undelivered},
		{unknown, accepted, accepted},
		{unknown, rejected, rejected},
		{unknown, planned, planned},
		{unknown, delivered, delivered},
		{unknown, unknown, none},
		{accepted, sent, sent},
		{accepted, delivered, delivered},
		{accepted, undelivered, undelivered},
		{accepted, accepted, none},
		{accepted, rejected, none},
		{accepted, unknown, none},
		{accepted, planned, none},
		{sent, delivered, delivered},
		{sent, accepted, none},
		{sent, sent, none},
		{delivered, sent, none},
		{delivered, undelivered, none},
		{undelivered, undelivered, none},
		{undelivered, sent, none},
		{undelivered, delivered, delivered},
		{delivered, accepted, none},
		{rejected, accepted, accepted},
		{rejected, planned, none},
		{rejected, unknown, none},
		{rejected, rejected, none},
		{rejected, delivered, delivered},
		{planned, accepted, accepted},
		{planned, unknown, none},
		{planned, rejected, none},
		{planned, planned, none},
	} {
		w := newWorld(t)
		w.add(trigger("s", flow.SubscriptionStarted, 0, "subscription/1"))
		w.now = w.now.Add(time.Minute)
		m := w.claim(1)[0]
		if c[0] != claimed {
			require.Empty(t, w.receive(m, message.Receipt{Outcome: message.Status(c[0]), Code: "first"}))
		}
		why := w.receive(m, message.Receipt{Outcome: message.Status(c[1]), Code: "second"})
		want := c[2]
		if want == none {
			require.Equal(t, reason.ReceiptOutdated, why, c)
			want = c[0]
		} else {
			require.Empty(t, why, c)
			require.Equal(t, "second", w.messages()[0].Code, c)
		}
		require.Equal(t, message.Status(want), w.messages()[0].Status, c)
		require.Equal(t, 1, w.rows.count("due/")+w.rows.count("lease/")+w.rows.count("ended/"), "%s: one entry in the indexes", c)
	}
}

// TestLookedUp: what a look-up has found is the text, unless it may be another one of the customer.
func TestLookedUp(t *testing.T) {
	for name, c := range map[string]struct {
		apart time.Duration   // from the text to the other one
		other message.Receipt // of the other one; without an outcome there is none yet
		want  message.Status
	}{
		"in flight":                {0, message.Receipt{}, message.Unknown},
		"claimed a minute earlier": {-time.Minute, message.Receipt{}, message.Unknown},
		"claimed later":            {time.Minute, message.Receipt{}, message.Unknown},
		"long ago":                 {-11 * time.Minute, message.Receipt{}, message.Accepted},
		"known by the same id":     {0, message.Receipt{Outcome: message.Accepted, ProviderID: "SM1"}, message.Unknown},
		"known by another id":      {0, message.Receipt{Outcome: message.Accepted, ProviderID: "SM2"}, message.Accepted},
		"accepted without an id":   {0, message.Receipt{Outcome: message.Accepted}, message.Unknown},
		"unknown":                  {0, message.Receipt{Outcome: message.Unknown}, message.Unknown},
		"rejected":                 {0, message.Receipt{Outcome: message.Rejected}, message.Accepted},
		"not sent":                 {0, message.Receipt{Outcome: message.Planned}, message.Accepted},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			claim := func(charge string, at time.Duration) *message.Message {
				w.now = start().Add(time.Hour + at)
				w.add(trigger(charge, flow.ChargePaid, time.Hour+at, "charge/"+charge))
				w.now = w.now.Add(time.Minute)
				return w.claim(1)[0]
			}
			var text, other *message.Message
			if c.apart < 0 {
				other, text = claim("2", c.apart), claim("1", 0)
			} else {
				text, other = claim("1", 0), claim("2", c.apart)
			}
			if c.other.Outcome != "" {
				require.Empty(t, w.receive(other, c.other))
			}
			require.Empty(t, w.receive(text, message.Receipt{Outcome: message.Accepted, LookedUp: true, ProviderID: "SM1"}))
			for _, m := range w.messages() {
				if m.ID == text.ID {
					require.Equal(t, c.want, m.Status)
					require.Equal(t, c.want == message.Accepted, m.ProviderID == "SM1")
				}
			}
		})
	}
}

// TestOutdatedClaim: what is said of an earlier claim counts only if it proves that the provider has the text.
func TestOutdatedClaim(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("s", flow.SubscriptionStarted, 0, "subscription/1"))
	w.now = w.now.Add(time.Minute)
	first := *w.claim(1)[0]
	require.Empty(t, w.receive(&first, message.Receipt{Outcome: message.Planned}))
	require.Len(t, w.claim(1), 1)
	for _, old := range []message.Status{message.Planned, message.Rejected, message.Unknown} {
		require.Equal(t, reason.ReceiptOutdated, w.receive(&first, message.Receipt{Outcome: old}), old)
	}
	require.Empty(t, w.receive(&first, message.Receipt{Outcome: message.Accepted}))
}

// TestExpireClaims: a claim without a receipt is unknown after its lease, and never claimed again.
func TestExpireClaims(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("s", flow.SubscriptionStarted, 0, "subscription/1"))
	w.now = w.now.Add(time.Minute)
	m := w.claim(1)[0]
	w.now = w.now.Add(lease - time.Millisecond)
	lapse := func() {
		_, err := w.open().ExpireClaims(w.deduplicates)
		require.NoError(t, err)
	}
	lapse()
	require.Equal(t, message.Claimed, w.messages()[0].Status)
	w.now = w.now.Add(time.Millisecond)
	lapse()
	require.Equal(t, message.Unknown, w.messages()[0].Status)
	require.Equal(t, message.CodeNoReceipt, w.messages()[0].Code)
	w.pass(48 * time.Hour)
	require.Len(t, w.texts, 1)
	require.Empty(t, w.receive(m, message.Receipt{Outcome: message.Accepted, ProviderID: "p"}), "late proof")
	require.Equal(t, message.Accepted, w.messages()[0].Status)
}

// A claim without a receipt is planned again if the provider drops a second text. Only proof that it has the text counts of the earlier claim.
func TestExpireClaimsOfAProviderThatDeduplicates(t *testing.T) {
	w := newWorld(t)
	w.dropsSecond = true
	w.add(trigger("s", flow.SubscriptionStarted, 0, "subscription/1"))
	w.now = w.now.Add(time.Minute)
	first := *w.claim(1)[0]
	w.now = w.now.Add(lease)
	_, err := w.open().ExpireClaims(w.deduplicates)
	require.NoError(t, err)
	m := w.messages()[0]
	require.Equal(t, message.Planned, m.Status)
	require.Equal(t, message.CodeNoReceipt, m.Code)
	second := *w.claim(1)[0]
	require.Equal(t, first.ID, second.ID)
	require.Equal(t, 2, second.Attempt)
	for _, old := range []message.Status{message.Planned, message.Rejected, message.Unknown} {
		require.Equal(t, reason.ReceiptOutdated, w.receive(&first, message.Receipt{Outcome: old}), old)
	}
	require.Empty(t, w.receive(&first, message.Receipt{Outcome: message.Accepted}))
	require.Equal(t, reason.ReceiptOutdated, w.receive(&second, message.Receipt{Outcome: message.Accepted}))
	require.Equal(t, message.Accepted, w.messages()[0].Status)
}

// A text that was revoked while it was claimed is not sent again.
func TestExpireClaimsOfARevokedText(t *testing.T) {
	w := newWorld(t)
	w.dropsSecond = true
	w.add(trigger("s", flow.SubscriptionStarted, 0, "subscription/1"))
	w.now = w.now.Add(time.Minute)
	require.Len(t, w.claim(1), 1)
	w.revoke(subscriber.Revocation{ID: "r", Store: shop, RechargeCustomerID: customer, Flows: flow.Keys(), Items: []string{"subscription/1"}, OccurredAt: w.now})
	w.now = w.now.Add(lease)
	_, err := w.open().ExpireClaims(w.deduplicates)
	require.NoError(t, err)
	require.Equal(t, message.Suppressed, w.messages()[0].Status)
	require.Equal(t, reason.Revoked, w.messages()[0].Reason)
}

// TestReceiptsThatSayNothing: incomplete receipts are errors, those of unknown messages are skipped.
func TestReceiptsThatSayNothing(t *testing.T) {
	w := newWorld(t)
	for _, r := range []message.Receipt{
		{},
		{Store: shop, CustomerID: customer, MessageID: "m", Outcome: message.Accepted},
		{Store: shop, CustomerID: customer, MessageID: "m", At: w.now},
		{Store: shop, CustomerID: customer, MessageID: "m", At: w.now, Outcome: "seen"},
		{Store: shop, CustomerID: customer, MessageID: "m", At: w.now, Outcome: message.Claimed},
	} {
		_, err := w.open().Receive(r)
		require.ErrorIs(t, err, message.ErrReceipt)
	}
	why, err := w.open().Receive(message.Receipt{Store: shop, CustomerID: customer, MessageID: "m", At: w.now, Outcome: message.Accepted})
	require.NoError(t, err)
	require.Equal(t, reason.MessageUnknown, why)
}

// TestLongError: the provider's words are cut.
func TestLongError(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("s", flow.SubscriptionStarted, 0, "subscription/1"))
	w.now = w.now.Add(time.Minute)
	w.receive(w.claim(1)[0], message.Receipt{Outcome: message.Rejected, Error: "x" + strings.Repeat("ä", message.MaxError)})
	got := w.messages()[0].Error
	assert.LessOrEqual(t, len(got), message.MaxError)
	assert.Equal(t, "x"+strings.Repeat("ä", message.MaxError/2-1), got)
}

// TestFairOrder: at the morning the oldest deferred texts go first, and fresh ones take turns with them.
func TestFairOrder(t *testing.T) {
	w := newWorld(t)
	night := start().Add(9 * time.Hour)
	w.decide = func(*message.Message) message.Decision { return message.Decision{Defer: night} }
	for i := range 5 {
		id := string(rune('a' + i))
		w.add(trigger("d"+id, flow.UpcomingOrder, time.Duration(i)*time.Second, "charge/"+id))
	}
	w.pass(time.Minute)
	require.Equal(t, 5, w.rows.count("due/acme/1/"))
	w.now = night
	w.decide = func(*message.Message) message.Decision { return message.Decision{} }
	for i := range 2 {
		id := string(rune('a' + i))
		w.add(trigger("f"+id, flow.ChargeFailed, 9*time.Hour, "charge/"+id))
	}
	var classes []bool
	for range 7 {
		classes = append(classes, w.claim(1)[0].Deferred)
	}
	assert.Equal(t, []bool{false, true, false, true, true, true, true}, classes)
	assert.Empty(t, w.claim(1))
}

// TestVersion: a row of a newer version is an error that says so.
func TestVersion(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("s", flow.SubscriptionStarted, 0, "subscription/1"))
	for key, value := range w.rows {
		w.rows[key] = append([]byte{2}, value[1:]...)
	}
	_, err := w.open().Add(trigger("s2", flow.SubscriptionStarted, 0, "subscription/2"), message.Origin{})
	require.ErrorContains(t, err, "newer version")
}

// TestExpire: a message is forgotten 35 days after its end, with its entries.
func TestExpire(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("s", flow.SubscriptionStarted, 0, "subscription/1"))
	w.pass(2 * time.Minute)
	w.now = w.now.Add(34 * 24 * time.Hour)
	expire(t, w)
	require.Len(t, w.messages(), 1)
	w.now = w.now.Add(2 * 24 * time.Hour)
	expire(t, w)
	require.Empty(t, w.rows)
}

func expire(t *testing.T, w *world) {
	t.Helper()
	err := w.open().Expire()
	require.NoError(t, err)
}

// TestLargeTriggers: a message stays small enough for a record; the rest are texts of their own.
func TestLargeTriggers(t *testing.T) {
	w := newWorld(t)
	for n := range 5 {
		added := trigger(fmt.Sprint("s", n), flow.SubscriptionStarted, time.Duration(n)*time.Second, fmt.Sprint("subscription/", n))
		_, err := w.open().Add(added, message.Origin{Bytes: 150_000})
		require.NoError(t, err)
	}
	var sizes []int
	for _, m := range w.messages() {
		sizes = append(sizes, len(m.Triggers))
	}
	assert.ElementsMatch(t, []int{2, 2, 1}, sizes)
}

// TestErased: nothing personal is left of a customer who was deleted, what is planned is not sent, and what was sent is removed from the texts.
func TestErased(t *testing.T) {
	w := newWorld(t)
	personal := func(id string, key flow.Key, at time.Duration, item string) subscriber.Trigger {
		trigger := trigger(id, key, at, item)
		trigger.Recipient = subscriber.Recipient{FirstName: "Jo", LastName: "Bean", Phone: "+14155552671", Email: "jo.bean@example.com", PortalHash: "f99bd4a6"}
		trigger.Subscription = &subscriber.Subscription{ID: "1", CancellationReasonComments: "I, Jo Bean, move"}
		return trigger
	}
	w.add(personal("sent", flow.SubscriptionCanceled, 0, "subscription/1"))
	w.pass(2 * time.Minute)
	w.add(personal("claimed", flow.SubscriptionPaused, 2*time.Minute, "subscription/2"))
	w.now = w.now.Add(2 * time.Minute)
	claimed := w.claim(1)
	require.Len(t, claimed, 1)
	w.add(personal("planned", flow.SubscriptionCanceled, 5*time.Minute, "subscription/3"))

	book := w.open()
	why, err := book.Revoke(subscriber.Revocation{ID: "e", Store: shop, RechargeCustomerID: customer, Erased: true, OccurredAt: w.now})
	require.NoError(t, err)
	assert.Empty(t, why)
	assert.Len(t, book.Removed(), 2, "the sent one and the claimed one")
	assert.Len(t, book.Changed(), 3)
	for key, value := range w.rows {
		for _, private := range []string{"Jo", "Bean", "4155552671", "example.com", "f99bd4a6"} {
			assert.NotContains(t, string(value), private, key)
		}
	}
	assert.Zero(t, w.rows.count("opt-out/"))
	assert.Empty(t, w.receive(claimed[0], message.Receipt{Outcome: message.Planned}))
	w.pass(2 * time.Minute)
	assert.Len(t, w.texts, 2, "a claimed text that was not sent is not sent again")
	counts := map[string]int{}
	for _, m := range w.messages() {
		counts[string(m.Status)+" "+string(m.Reason)]++
	}
	assert.Equal(t, map[string]int{"accepted ": 1, "suppressed revoked": 1, "suppressed customer_erased": 1}, counts)

	why, err = w.open().Revoke(subscriber.Revocation{ID: "e", Store: shop, RechargeCustomerID: "43", Erased: true, OccurredAt: w.now})
	require.NoError(t, err)
	assert.Equal(t, reason.NothingToRevoke, why)
}

// TestItems: the items of a text are those of its live triggers that are not revoked.
func TestItems(t *testing.T) {
	w := newWorld(t)
	w.add(trigger("c", flow.ChargePaid, 0, "charge/c9", "subscription/1", "subscription/2"))
	w.add(trigger("s1", flow.SubscriptionCanceled, 0, "subscription/1"))
	w.add(trigger("s2", flow.SubscriptionCanceled, time.Second, "subscription/2"))
	w.revoke(revocation("subscription/2", time.Minute, flow.SubscriptionCanceled))
	items := map[flow.Key][]string{}
	for _, m := range w.messages() {
		items[m.Flow] = m.Items(w.now)
	}
	assert.Equal(t, map[flow.Key][]string{
		flow.ChargePaid: {"charge/c9", "subscription/1", "subscription/2"}, flow.SubscriptionCanceled: {"subscription/1"},
	}, items)
}
