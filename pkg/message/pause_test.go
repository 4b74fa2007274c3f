package message_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// TestPaused: texts of a paused flow are held, and do not stand in the way of others.
func TestPaused(t *testing.T) {
	w := newWorld(t)
	w.paused[flow.ChargePaid] = true
	for i := range 500 {
		w.add(trigger(fmt.Sprint("c", i), flow.ChargePaid, 0, fmt.Sprint("charge/", i)))
	}
	w.add(trigger("s", flow.SubscriptionCanceled, 10*time.Second, "subscription/1"))
	w.pass(2 * time.Minute)
	assert.Equal(t, []flow.Key{flow.SubscriptionCanceled}, flowsOf(w.texts))
	require.Equal(t, 500, w.rows.count("held/"))
	for _, m := range w.messages() {
		if m.Flow == flow.ChargePaid {
			assert.Equal(t, message.Planned, m.Status)
			assert.Equal(t, reason.Paused, m.Reason)
		}
	}

	w.resume()
	require.Equal(t, 500, w.rows.count("held/"), "it is still paused")
	w.paused[flow.ChargePaid] = false
	w.resume()
	w.pass(time.Minute)
	assert.Len(t, w.texts, 501)
}

// TestPausedHelp: an answer to HELP is held while all texts are, and sent afterwards.
func TestPausedHelp(t *testing.T) {
	w := newWorld(t)
	w.paused[flow.Help] = true
	w.add(trigger("h", flow.Help, 0, "customer/9"))
	w.pass(time.Second)
	assert.Empty(t, w.texts)
	w.paused[flow.Help] = false
	w.resume()
	w.pass(time.Second)
	assert.Equal(t, []flow.Key{flow.Help}, flowsOf(w.texts))
}

// TestPausedTooLong: a text that is not worth sending any more when its flow is resumed is suppressed.
func TestPausedTooLong(t *testing.T) {
	w := newWorld(t)
	w.paused[flow.SubscriptionCanceled] = true
	w.add(trigger("s", flow.SubscriptionCanceled, 0, "subscription/1"))
	w.pass(2 * time.Minute)
	w.now = w.now.Add(25 * time.Hour)
	w.paused[flow.SubscriptionCanceled] = false
	w.resume()
	w.pass(time.Second)
	assert.Empty(t, w.texts)
	assert.Equal(t, reason.Stale, w.messages()[0].Reason)
}

// TestRevokedWhilePaused: a held text that becomes untrue is not sent.
func TestRevokedWhilePaused(t *testing.T) {
	w := newWorld(t)
	w.paused[flow.SubscriptionCanceled] = true
	w.add(trigger("s", flow.SubscriptionCanceled, 0, "subscription/1"))
	w.pass(2 * time.Minute)
	assert.Empty(t, w.revoke(revocation("subscription/1", time.Minute, flow.SubscriptionCanceled)))
	assert.Zero(t, w.rows.count("held/"))
	assert.Equal(t, reason.Revoked, w.messages()[0].Reason)
}
