package bloomreach_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
)

var ann = map[string]string{"registered": "ann@example.com"}

func TestEventAsSent(t *testing.T) {
	command, err := bloomreach.NewEvent("id-1", bloomreach.Event{
		CustomerIDs: ann,
		Type:        "subscription_charge",
		Timestamp:   "1709566376.25",
		Properties: values{
			"status": "paid", "total_price": json.Number("18.740"), "quantity": 2, "charge_id": 9007199254740993,
			"first": true, "product_ids": []string{"a", "b"},
			"product_list": []values{{"price": json.Number("9.37"), "sku": ""}, {"title": "x", "quantity": 1}},
		}.properties(),
	})
	require.NoError(t, err)
	body, err := json.Marshal(command)
	require.NoError(t, err)
	want := `{"name":"customers/events","command_id":"id-1","data":{` +
		`"customer_ids":{"registered":"ann@example.com"},"event_type":"subscription_charge","timestamp":1709566376.25,` +
		`"properties":{"charge_id":9007199254740993,"first":true,"product_ids":["a","b"],` +
		`"product_list":[{"price":9.37},{"quantity":1,"title":"x"}],"quantity":2,"status":"paid","total_price":18.740}}}`
	assert.Equal(t, want, string(body), "byte for byte")
}

func TestCustomerUpdateAsSent(t *testing.T) {
	command, err := bloomreach.NewCustomerUpdate("id-2", bloomreach.CustomerUpdate{
		CustomerIDs:     ann,
		Properties:      values{"recharge_subscription_active": false}.properties(),
		UpdateTimestamp: "1709566376.000001",
	})
	require.NoError(t, err)
	body, err := json.Marshal(command)
	require.NoError(t, err)
	want := `{"name":"customers","command_id":"id-2","data":{"customer_ids":{"registered":"ann@example.com"},` +
		`"properties":{"recharge_subscription_active":false},"update_timestamp":1709566376.000001}}`
	assert.Equal(t, want, string(body), "byte for byte")
}

func TestNewEventErrors(t *testing.T) {
	property := func(name string, value any) bloomreach.Event {
		return bloomreach.Event{CustomerIDs: ann, Type: "x", Timestamp: "1", Properties: values{name: value}.properties()}
	}
	timestamp := func(n json.Number) bloomreach.Event {
		return bloomreach.Event{CustomerIDs: ann, Type: "x", Timestamp: n}
	}
	id := func(value string) bloomreach.Event {
		return bloomreach.Event{CustomerIDs: map[string]string{"registered": value}, Type: "x", Timestamp: "1"}
	}
	const badID = `invalid command: customer id "registered" needs a letter or a digit, and must not be null or undefined`
	const badTime = "invalid command: timestamp is not a plain decimal number"
	tests := []struct {
		name  string
		event bloomreach.Event
		want  string
	}{
		{"no type", bloomreach.Event{CustomerIDs: ann, Timestamp: "1"}, "invalid command: event type is empty"},
		{"no ids", bloomreach.Event{Type: "x", Timestamp: "1"}, "invalid command: at least one customer id is needed"},
		{"empty id", id(""), badID},
		{"blank id", id(" \t"), badID},
		{"punctuation id", id("-@."), badID},
		{"null id", id("null"), badID},
		{"undefined id", id(" undefined"), badID},
		{"no timestamp", timestamp(""), badTime},
		{"exponent", timestamp("1e9"), badTime},
		{"date", timestamp("2026-03-01T10:00:00Z"), badTime},
		{"open fraction", timestamp("1."), badTime},
		{"leading zero", timestamp("01"), badTime},
		{"plus", timestamp("+1"), badTime},
		{"not a number", timestamp("NaN"), badTime},
		{"exponent of an amount", property("n", json.Number("1e9")), `invalid command: property "n" is not a plain decimal number`},
		{"open fraction of an amount", property("n", json.Number("1.")), `invalid command: property "n" is not a plain decimal number`},
		{"nested amount", property("list", []values{{"price": json.Number("1")}, {"price": json.Number("much")}}), `invalid command: property "list[1].price" is not a plain decimal number`},
		{"name", property("größe", "1"), `invalid command: property name "größe" is not ASCII text`},
		{"no name", property("", "1"), `invalid command: property name "" is not ASCII text`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := bloomreach.NewEvent("id", test.event)
			require.ErrorIs(t, err, bloomreach.ErrCommand)
			assert.EqualError(t, err, test.want)
		})
	}
	_, err := bloomreach.NewEvent("", bloomreach.Event{CustomerIDs: ann, Type: "x", Timestamp: "1"})
	assert.EqualError(t, err, "invalid command: command id is empty")
}

func TestNewCustomerUpdateErrors(t *testing.T) {
	active := values{"active": true}.properties()
	tests := []struct {
		name   string
		update bloomreach.CustomerUpdate
		want   string
	}{
		{"no ids", bloomreach.CustomerUpdate{Properties: active, UpdateTimestamp: "1"}, "invalid command: at least one customer id is needed"},
		{"no timestamp", bloomreach.CustomerUpdate{CustomerIDs: ann, Properties: active}, "invalid command: update timestamp is not a plain decimal number"},
		{"no properties", bloomreach.CustomerUpdate{CustomerIDs: ann, UpdateTimestamp: "1"}, "invalid command: a customer update needs at least one property"},
		{"only absent", bloomreach.CustomerUpdate{CustomerIDs: ann, UpdateTimestamp: "1", Properties: values{"a": ""}.properties()}, "invalid command: a customer update needs at least one property"},
		{"not ASCII", bloomreach.CustomerUpdate{CustomerIDs: ann, UpdateTimestamp: "1", Properties: values{"größe": true}.properties()}, `invalid command: property name "größe" is not ASCII text`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := bloomreach.NewCustomerUpdate("id", test.update)
			require.ErrorIs(t, err, bloomreach.ErrCommand)
			assert.EqualError(t, err, test.want)
		})
	}
}

// A command has the same bytes for any order in which its properties were set.
func TestCommandIsDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z_]{1,8}`), 0, 12, rapid.ID[string]).Draw(t, "names")
		value := rapid.OneOf(rapid.String().AsAny(), rapid.Bool().AsAny(), rapid.Int().AsAny())
		set := values{}
		for _, name := range names {
			set[name] = value.Draw(t, name)
		}
		first := eventWith(t, set.properties(names...))
		slices.Reverse(names)
		assert.Equal(t, first, eventWith(t, set.properties(names...)))
		assert.True(t, json.Valid(first.Data))
	})
}

func eventWith(t *rapid.T, properties bloomreach.Properties) bloomreach.Command {
	command, err := bloomreach.NewEvent("id", bloomreach.Event{CustomerIDs: ann, Type: "x", Timestamp: "1", Properties: properties})
	require.NoError(t, err)
	return command
}

func TestUnixSeconds(t *testing.T) {
	zone := time.FixedZone("", 2*60*60)
	for want, at := range map[string]time.Time{
		"0":                   time.Unix(0, 0),
		"1709566376":          time.Unix(1709566376, 0),
		"1709566380":          time.Unix(1709566380, 0),
		"1709566376.5":        time.Unix(1709566376, 500_000_000),
		"1629118980.000001":   time.Date(2021, 8, 16, 15, 3, 0, 1_999, zone),
		"1629118980":          time.Date(2021, 8, 16, 15, 3, 0, 999, zone),
		"-1.5":                time.Unix(-2, 500_000_000),
		"-0.000001":           time.Unix(0, -1_000),
		"253402300799.999999": time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		"-62135596800":        {},
	} {
		assert.Equal(t, want, bloomreach.UnixSeconds(at).String(), at.String())
	}
}

// UnixSeconds is exact to the microsecond.
func TestUnixSecondsIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"))
		text := bloomreach.UnixSeconds(at).String()
		got, ok := new(big.Rat).SetString(text)
		require.True(t, ok, text)
		assert.Zero(t, got.Cmp(big.NewRat(at.UnixMicro(), 1_000_000)), text)
		assert.Regexp(t, `^-?(0|[1-9][0-9]*)(\.[0-9]{0,5}[1-9])?$`, text)
		_, err := bloomreach.NewEvent("id", bloomreach.Event{CustomerIDs: ann, Type: "x", Timestamp: json.Number(text)})
		require.NoError(t, err, fmt.Sprint(at))
	})
}
