package bloomreachtest_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

func TestEventIsStored(t *testing.T) {
	server := start(t)
	assert.Equal(t, []result{{Success: true, CommandID: "e1"}}, send(t, server, event).results(t))
	assert.Equal(t, []bloomreachtest.Event{{
		CommandID:   "e1",
		CustomerIDs: map[string]string{"registered": "ann"},
		Type:        "subscription",
		Timestamp:   "1700000000.5",
		Properties:  map[string]any{"status": "created", "price": json.Number("18.50")},
	}}, server.Events())
	received := server.Received()
	require.Len(t, received, 1)
	assert.Equal(t, "e1", received[0].ID)
	assert.Equal(t, "customers/events", received[0].Name)
	assert.Contains(t, event, string(received[0].Data))
}

func TestDeduplication(t *testing.T) {
	tests := []struct {
		name, old, changed string
		duplicate          bool
	}{
		{"the same", "", "", true},
		{"other command id", `"e1"`, `"e2"`, true},
		{"same time in other digits", `1700000000.5`, `1700000000.500`, true},
		{"same time as a date", `1700000000.5`, `"2023-11-14T22:13:20.5Z"`, true},
		{"same number in other digits", `18.50`, `1.85e1`, true},
		{"other order of attributes", `"status":"created","price":18.50`, `"price":18.50,"status":"created"`, true},
		{"id with surrounding white space", `"ann"`, `" ann\n"`, true},
		{"other last decimal", `1700000000.5`, `1700000000.500001`, false},
		{"other value", `18.50`, `18.51`, false},
		{"other type of value", `18.50`, `"18.50"`, false},
		{"one attribute more", `18.50`, `18.50,"n":1`, false},
		{"other event type", `"subscription"`, `"subscription_charge"`, false},
		{"other customer", `"ann"`, `"Ann"`, false},
		{"other id name", `"registered"`, `"cookie"`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := start(t)
			second := event
			if test.old != "" {
				second = strings.Replace(event, test.old, test.changed, 1)
				require.NotEqual(t, event, second)
			}
			send(t, server, event)
			assert.True(t, send(t, server, second).results(t)[0].Success)
			assert.Len(t, server.Received(), 2)
			if test.duplicate {
				assert.Len(t, server.Events(), 1)
				assert.Equal(t, 1, server.Deduplicated())
			} else {
				assert.Len(t, server.Events(), 2)
				assert.Zero(t, server.Deduplicated())
			}
		})
	}
}

func TestDeduplicationEndsAfter90Days(t *testing.T) {
	server := start(t)
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	server.SetClock(func() time.Time { return now })
	send(t, server, event)
	now = now.Add(89 * 24 * time.Hour)
	send(t, server, event)
	assert.Len(t, server.Events(), 1)
	now = now.Add(89 * 24 * time.Hour) // the second receipt began a new window
	send(t, server, event)
	assert.Len(t, server.Events(), 1)
	now = now.Add(90 * 24 * time.Hour)
	send(t, server, event)
	assert.Len(t, server.Events(), 2)
}

func TestConsentIsNeverDeduplicated(t *testing.T) {
	server := start(t)
	consent := strings.Replace(event, `"subscription"`, `"consent"`, 1)
	send(t, server, consent, consent)
	assert.Len(t, server.Events(), 2)
}

func TestEventWithoutTimestampGetsTimeOfArrival(t *testing.T) {
	server := start(t)
	server.SetClock(func() time.Time { return time.UnixMicro(-1_500_000) })
	send(t, server, strings.Replace(event, `1700000000.5`, `null`, 1))
	assert.Equal(t, "-1.5", server.Events()[0].Timestamp)
}

func TestTimestampFormats(t *testing.T) {
	for given, want := range map[string]string{
		`1700000000`:                    "1700000000",
		`1700000000.0`:                  "1700000000",
		`1629118980.000001`:             "1629118980.000001",
		`1.7e9`:                         "1700000000",
		`-0`:                            "0",
		`"2018-8-5 12:20:25"`:           "1533471625",
		`"2018-8-5 12:20:25Z"`:          "1533471625",
		`"2018-8-5 12:20:25.555Z"`:      "1533471625.555",
		`"2021-08-16T13:03:00.000001Z"`: "1629118980.000001",
	} {
		server := start(t)
		send(t, server, strings.Replace(event, `1700000000.5`, given, 1))
		require.Len(t, server.Events(), 1, given)
		assert.Equal(t, want, server.Events()[0].Timestamp, given)
	}
}

func TestCustomerUpdate(t *testing.T) {
	set := func(timestamp, value string) string {
		return strings.NewReplacer("1700000000", timestamp, "true", value).Replace(update)
	}
	tests := []struct {
		name      string
		commands  []string
		equalWins bool
		want      any
	}{
		{"newer wins", []string{set("10", `"a"`), set("10.000001", `"b"`)}, false, "b"},
		{"older is ignored", []string{set("10", `"a"`), set("9.999999", `"b"`)}, false, "a"},
		{"compared as numbers, not as texts", []string{set("9", `"a"`), set("10", `"b"`)}, false, "b"},
		{"equal is ignored", []string{set("10", `"a"`), set("10.0", `"b"`)}, false, "a"},
		{"equal wins by setting", []string{set("10", `"a"`), set("10.0", `"b"`)}, true, "b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := start(t)
			server.OverwriteOnEqualTimestamp(test.equalWins)
			for _, result := range send(t, server, test.commands...).results(t) {
				assert.True(t, result.Success)
			}
			properties, found := server.Customer("registered", " ann ")
			require.True(t, found)
			assert.Equal(t, map[string]any{"active": test.want}, properties)
		})
	}
}

func TestUpdateTimestampPerProperty(t *testing.T) {
	server := start(t)
	send(t, server,
		`{"name":"customers","data":{"customer_ids":{"registered":"ann"},"update_timestamp":10,"properties":{"a":1}}}`,
		`{"name":"customers","data":{"customer_ids":{"registered":"ann"},"update_timestamp":5,"properties":{"a":2,"b":2}}}`)
	properties, _ := server.Customer("registered", "ann")
	assert.Equal(t, map[string]any{"a": json.Number("1"), "b": json.Number("2")}, properties)
}

func TestCustomerByAnyID(t *testing.T) {
	server := start(t)
	command := func(ids, value string) string {
		return `{"name":"customers","data":{"customer_ids":` + ids + `,"update_timestamp":` + value + `,"properties":{"n":` + value + `}}}`
	}
	send(t, server,
		command(`{"registered":"ann"}`, "1"),
		command(`{"recharge_id":7,"registered":"ann"}`, "2"),
		command(`{"recharge_id":"7"}`, "3"),
		command(`{"registered":"Ann","cookie":null}`, "4"))
	for id, want := range map[[2]string]string{{"registered", "ann"}: "3", {"recharge_id", "7"}: "3", {"registered", "Ann"}: "4"} {
		properties, found := server.Customer(id[0], id[1])
		require.True(t, found, id)
		assert.Equal(t, map[string]any{"n": json.Number(want)}, properties, id)
	}
	_, found := server.Customer("cookie", "")
	assert.False(t, found)
}
