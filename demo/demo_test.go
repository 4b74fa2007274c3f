package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
