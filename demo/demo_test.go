package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

func TestSumsThatDoNotHoldAreReported(t *testing.T) {
	a := account{
		sent: 5, accepted: 4, webhooks: 7, lookups: 1, internal: 2, events: 2, tracked: 2, deadLetter: 1,
		outcomes: map[string]int{
			"gateway accepted": 4, "gateway refused not_json": 1, "tracking done": 2,
			"transformer done": 3, "transformer skipped no_fact": 1, "transformer skipped owner_applied": 2, "transformer rejected malformed": 1, "transformer parked": 1,
		},
	}
	var out bytes.Buffer
	require.NoError(t, a.check(&out), out.String())
	assert.Contains(t, out.String(), "\n5 webhooks sent = 4 accepted + 1 refused by the gateway\n")
	assert.Contains(t, out.String(), "\n7 records in recharge.webhooks = 3 done + 3 skipped + 1 rejected by role transformer\n")
	assert.Contains(t, out.String(), "\n0 texts sent twice = 0\n")
	assert.True(t, strings.HasSuffix(out.String(), "every record has exactly one outcome\n"))

	a.tracked, a.doubled = 3, 1
	out.Reset()
	require.EqualError(t, a.check(&out), "2 sums do not balance")
	assert.Contains(t, out.String(), "\nDOES NOT BALANCE: 3 commands that reached bloomreach is not 2 done by role tracking\n")
	assert.NotContains(t, out.String(), "everything balances")
}

func TestCommandsAreReadable(t *testing.T) {
	for raw, want := range map[string]string{
		`{"customer_ids":{"registered":"jo@example.com"},"properties":{"recharge_subscription_active":true}}`: "recharge_subscription_active=true of customer registered=jo@example.com",
		`{"customer_ids":{"b":"2","a":"1"},"event_type":"subscription","properties":{"status":"created"}}`:    "event subscription status=created of customer a=1, b=2",
	} {
		assert.Equal(t, want, delivered([]byte(raw)))
	}
}

// Webhooks that arrive together have one text, whose log line names the first of them.
func TestFollowWebhooksTogether(t *testing.T) {
	decided := func(trace string, outputs int) lab.Line {
		return lab.Line{Message: "record handled", Role: "transformer", Outcome: "done", Outputs: outputs, Traceparent: trace}
	}
	planned := func(trace string) lab.Line {
		return lab.Line{Message: "record handled", Role: "sms", Type: envelope.TypeTrigger, Outcome: "done", Traceparent: trace}
	}
	log := []lab.Line{decided("a", 1), planned("a"), decided("b", 1), planned("b"), {Message: "record handled", Traceparent: "other"}}
	lines, complete := follow(log, []string{"a", "b"})
	assert.Len(t, lines, 4)
	assert.False(t, complete, "the text has no end yet")
	log = append(log, lab.Line{Message: "text accepted", Traceparent: "a"})
	assert.False(t, hasReceipt(log, []string{"a", "b"}))
	log = append(log, lab.Line{Message: "record handled", Type: envelope.TypeReceipt, Traceparent: "a"})
	_, complete = follow(log, []string{"a", "b"})
	assert.True(t, complete)
	assert.True(t, hasReceipt(log, []string{"a", "b"}))
}
