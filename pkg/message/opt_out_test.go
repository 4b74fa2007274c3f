package message_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
)

// TestOptOutDue: the first text that a customer has got says how to opt out, and every fifth after it. A text that was refused, or perhaps
// not sent, does not count.
func TestOptOutDue(t *testing.T) {
	w := newWorld(t)
	w.decide = func(m *message.Message) message.Decision {
		due, err := w.open().OptOutDue(m.Store, m.CustomerID)
		require.NoError(t, err)
		return message.Decision{OptOut: due}
	}
	text := func(id int, outcomes ...message.Status) (says bool) {
		w.add(trigger(fmt.Sprintf("t%d", id), flow.ChargePaid, w.now.Sub(start()), fmt.Sprintf("charge/c%d", id)))
		w.now = w.now.Add(time.Minute)
		claimed := w.claim(1)
		require.Len(t, claimed, 1)
		for _, outcome := range outcomes {
			require.Empty(t, w.receive(claimed[0], message.Receipt{Outcome: outcome}))
		}
		return claimed[0].OptOut
	}
	assert.True(t, text(0, message.Rejected))
	assert.True(t, text(1, message.Unknown))
	var says []int
	for id := 2; id < 14; id++ {
		if text(id, message.Accepted, message.Delivered) {
			says = append(says, id)
		}
	}
	assert.Equal(t, []int{2, 7, 12}, says)
	assert.False(t, text(14, message.Unknown, message.Delivered), "a late report counts")
	assert.False(t, text(15, message.Accepted))
	assert.False(t, text(16, message.Accepted))
	assert.True(t, text(17))
	assert.True(t, text(18), "until one is accepted")
}

// TestOptOutDueAgain: a text that was not sent says how to opt out when it is claimed again.
func TestOptOutDueAgain(t *testing.T) {
	w := newWorld(t)
	w.decide = func(m *message.Message) message.Decision {
		due, err := w.open().OptOutDue(m.Store, m.CustomerID)
		require.NoError(t, err)
		return message.Decision{OptOut: due}
	}
	w.add(trigger("t", flow.ChargePaid, 0, "charge/c"))
	w.now = w.now.Add(time.Minute)
	w.receive(w.claim(1)[0], message.Receipt{Outcome: message.Planned})
	w.pass(time.Second)
	require.Len(t, w.texts, 2)
	assert.True(t, w.texts[1].OptOut)
	w.rows["opt-out/acme/42"] = []byte{9}
	_, err := w.open().OptOutDue("acme", "42")
	require.ErrorContains(t, err, "written by a newer version")
}

// TestOptOutExpires: with the last text of a customer it is forgotten how long ago one said how to opt out.
func TestOptOutExpires(t *testing.T) {
	w := newWorld(t)
	w.decide = func(*message.Message) message.Decision { return message.Decision{OptOut: true} }
	w.add(trigger("a", flow.ChargePaid, 0, "charge/c1"))
	w.pass(2 * time.Minute)
	w.now = w.now.Add(20 * 24 * time.Hour)
	w.add(trigger("b", flow.ChargePaid, 20*24*time.Hour, "charge/c2"))
	w.pass(2 * time.Minute)
	w.now = w.now.Add(16 * 24 * time.Hour)
	require.NoError(t, w.open().Expire())
	assert.Equal(t, 1, w.rows.count("opt-out/"), "one text is left")
	w.now = w.now.Add(20 * 24 * time.Hour)
	require.NoError(t, w.open().Expire())
	assert.Empty(t, w.messages())
	assert.Zero(t, w.rows.count("opt-out/"))
}
