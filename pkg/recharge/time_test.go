package recharge_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

func utc(t require.TestingT, text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return at.UTC()
}

// decodedSubscription decodes a subscription with one time in a field.
func decodedSubscription(t require.TestingT, status, field, value, receivedAt string) *recharge.Subscription {
	decoder, err := recharge.NewDecoder()
	require.NoError(t, err)
	body := fmt.Sprintf(`{"subscription": {"id": 1, "status": %q, %q: %q}}`, status, field, value)
	w, err := decoder.Decode("subscription/updated", []byte(body), utc(t, receivedAt))
	require.NoError(t, err)
	return w.Subscription
}

// When clocks go back, a time of version 2021-01 is the latest of two that is not after the receipt.
func TestHourThatOccursTwice(t *testing.T) {
	tests := []struct{ name, wall, receivedAt, want string }{
		{"in daylight time", "2026-11-01T01:50:00", "2026-11-01T05:50:02Z", "2026-11-01T05:50:00Z"},
		{"in standard time", "2026-11-01T01:10:00", "2026-11-01T06:10:02Z", "2026-11-01T06:10:00Z"},
		{"with a space", "2026-11-01 01:10:00", "2026-11-01T06:10:02Z", "2026-11-01T06:10:00Z"},
		{"with a fraction", "2026-11-01T01:10:00.5", "2026-11-01T06:10:02Z", "2026-11-01T06:10:00.5Z"},
		{"Recharge's clock is ahead", "2026-11-01T01:10:00", "2026-11-01T06:09:30Z", "2026-11-01T06:10:00Z"},
		{"longer before the later one", "2026-11-01T01:10:00", "2026-11-01T06:08:59Z", "2026-11-01T05:10:00Z"},
		{"received the next day", "2026-11-01T01:10:00", "2026-11-02T06:00:00Z", "2026-11-01T06:10:00Z"},
		{"both after the receipt", "2026-11-01T01:10:00", "2026-10-01T06:00:00Z", "2026-11-01T05:10:00Z"},
		{"the hour before", "2026-11-01T00:59:59", "2026-11-01T09:00:00Z", "2026-11-01T04:59:59Z"},
		{"the hour after", "2026-11-01T02:00:00", "2026-11-01T09:00:00Z", "2026-11-01T07:00:00Z"},
		{"another year", "2025-11-02T01:30:00", "2025-11-02T05:30:10Z", "2025-11-02T05:30:00Z"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, utc(t, test.want), decodedSubscription(t, "ACTIVE", "updated_at", test.wall, test.receivedAt).UpdatedAt)
		})
	}
	assert.Equal(t, utc(t, "2026-11-01T01:10:00Z"), decodedSubscription(t, "active", "updated_at", "2026-11-01T01:10:00", "2026-11-02T06:00:00Z").UpdatedAt, "2021-11 is UTC")
}

// A time that has an offset, or occurs once, does not depend on the receipt.
func TestTimesDoNotDependOnReceipt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(1_500_000_000, 1_900_000_000).Draw(t, "seconds"), 0).UTC()
		eastern, err := time.LoadLocation("America/New_York")
		require.NoError(t, err)
		received := at.Add(time.Second).Format(time.RFC3339)
		later := at.Add(time.Duration(rapid.IntRange(1, 1_000_000).Draw(t, "later")) * time.Second).Format(time.RFC3339)
		require.Equal(t, at, decodedSubscription(t, "active", "updated_at", at.Format(time.RFC3339), received).UpdatedAt)
		wall := at.In(eastern).Format("2006-01-02T15:04:05")
		first := decodedSubscription(t, "ACTIVE", "updated_at", wall, received).UpdatedAt
		require.Equal(t, at, first, "received at once, it is the right one")
		again := decodedSubscription(t, "ACTIVE", "updated_at", wall, later).UpdatedAt
		require.Equal(t, recharge.Earliest(first), recharge.Earliest(again), "one fact")
	})
}

// A time is read with a T or a space before it, in each form of the offset.
func TestTimeForms(t *testing.T) {
	for value, want := range map[string]string{
		"2019-05-01T10:00:00+00:00":        "2019-05-01T10:00:00Z",
		"2019-05-01 10:00:00+00:00":        "2019-05-01T10:00:00Z",
		"2019-05-01T10:00:00Z":             "2019-05-01T10:00:00Z",
		"2019-05-01 10:00:00Z":             "2019-05-01T10:00:00Z",
		"2019-05-01T10:00:00+0200":         "2019-05-01T08:00:00Z",
		"2019-05-01 10:00:00 -04:00":       "2019-05-01T14:00:00Z",
		"2019-05-01 10:00:00 +0000":        "2019-05-01T10:00:00Z",
		"2019-05-01 10:00:00 -0500":        "2019-05-01T15:00:00Z",
		"2019-05-01 10:00:00 UTC":          "2019-05-01T10:00:00Z",
		"2019-05-01 10:00:00 GMT":          "2019-05-01T10:00:00Z",
		"2019-05-01 10:00:00UTC":           "2019-05-01T10:00:00Z",
		"2019-05-01 10:00:00 Z":            "2019-05-01T10:00:00Z",
		"2019-05-01T10:00:00z":             "2019-05-01T10:00:00Z",
		"2019-05-01 10:00:00+00":           "2019-05-01T10:00:00Z",
		"2019-05-01 10:00:00.25 -0500":     "2019-05-01T15:00:00.25Z",
		"2019-05-01T10:00:00.250000+00:00": "2019-05-01T10:00:00.25Z",
		"2019-05-01 10:00:00":              "2019-05-01T10:00:00Z",
		"2019-05-01":                       "2019-05-01T04:00:00Z", // a day of the shop
	} {
		assert.Equal(t, utc(t, want), decodedSubscription(t, "active", "created_at", value, "2026-01-01T00:00:00Z").CreatedAt, value)
	}
	assert.Equal(t, utc(t, "2019-05-01T04:00:00Z"), decodedSubscription(t, "ACTIVE", "created_at", "2019-05-01 00:00:00", "2026-01-01T00:00:00Z").CreatedAt)
}

func TestDayForms(t *testing.T) {
	for value, want := range map[string]recharge.Date{
		"2019-05-01":                "2019-05-01",
		"2019-05-01T00:00:00":       "2019-05-01",
		"2019-05-01 00:00:00":       "2019-05-01",
		"2019-05-01T00:00:00+00:00": "2019-05-01",
		"2019-05-01 00:00:00-04:00": "2019-05-01",
		"2019-05-01T04:00:00+00:00": "2019-05-01",
		"2019-05-01 04:00:00+00:00": "2019-05-01",
		"2019-05-01T03:59:59+00:00": "2019-04-30",
		"2019-05-01 03:59:59+00:00": "2019-04-30",
		"2019-05-01T03:59:59+0000":  "2019-04-30",
		"2019-05-01 03:59:59 +0000": "2019-04-30",
		"2019-05-01 03:59:59 UTC":   "2019-04-30",
		"2019-05-01 03:59:59 GMT":   "2019-04-30",
		"2019-05-01 03:59:59 -0500": "2019-05-01",
		"2019-05-01 00:00:00 +0000": "2019-05-01",
		"2019-05-01 00:00:00 UTC":   "2019-05-01",
		"2019-05-01 12:30:00":       "2019-05-01",
	} {
		for _, status := range []string{"active", "ACTIVE"} {
			assert.Equal(t, want, decodedSubscription(t, status, "next_charge_scheduled_at", value, "2026-01-01T00:00:00Z").NextChargeDate, value)
		}
	}
}

// A retry date is a day of the shop, on which Recharge charges at 4 PM in US Eastern.
func TestRetryDateIsADay(t *testing.T) {
	const april, winter = "2026-04-01T20:00:00Z", "2026-01-15T21:00:00Z"
	for value, want := range map[string]string{
		"2026-04-01":                april,
		"2026-04-01T00:00:00":       april,
		"2026-04-01 00:00:00":       april,
		"2026-04-01T00:00:00+00:00": april,
		"2026-04-01T00:00:00Z":      april,
		"2026-04-01T00:00:00-04:00": april,
		"2026-04-01T04:00:00+00:00": april,
		"2026-04-01 00:00:00 UTC":   april,
		"2026-04-01T04:00:00+0000":  april,
		"2026-04-01 04:00:00+00:00": april,
		"2026-01-15":                winter,
		"2026-01-15T05:00:00+00:00": winter,
		"2026-04-01T20:10:00+00:00": "2026-04-01T20:10:00Z",
	} {
		for _, status := range []string{"error", "ERROR"} {
			w, err := newDecoder(t).Decode("charge/failed", fmt.Appendf(nil, `{"charge": {"id": 1, "status": %q, "retry_date": %q}}`, status, value), start(t))
			require.NoError(t, err)
			assert.Equal(t, utc(t, want), w.Charge.RetryAt, status+" "+value)
			assert.Equal(t, want[:10], string(recharge.DayOf(w.Charge.RetryAt)))
		}
	}
	assert.Equal(t, recharge.Date("2026-04-01"), recharge.DayOf(utc(t, "2026-04-02T02:00:00Z")), "an evening in US Eastern")
	assert.Empty(t, recharge.DayOf(time.Time{}))
}

func start(t require.TestingT) time.Time { return utc(t, "2026-03-01T10:00:00Z") }

// Two names of one counter are counted once.
func TestAttempts(t *testing.T) {
	for fields, want := range map[string]int{
		`"charge_attempts": 2, "number_times_tried": 2`:   2,
		`"charge_attempts": 3, "number_times_tried": 2`:   3,
		`"charge_attempts": "1", "number_times_tried": 4`: 4,
		`"charge_attempts": 2`:                            2,
		`"number_times_tried": "5"`:                       5,
		`"charge_attempts": null`:                         0,
	} {
		w, err := newDecoder(t).Decode("charge/failed", []byte(`{"charge": {"id": 1, `+fields+`}}`), start(t))
		require.NoError(t, err)
		assert.Equal(t, want, w.Charge.Attempts, fields)
	}
}

// charge/success is the older name of charge/paid.
func TestCurrentTopic(t *testing.T) {
	w, err := newDecoder(t).Decode("charge/success", []byte(`{"charge": {"id": 1}}`), start(t))
	require.NoError(t, err)
	assert.Equal(t, recharge.Topic("charge/paid"), w.Topic)
	assert.Equal(t, recharge.Topic("charge/created"), recharge.Topic("charge/created").Current())
	for _, topic := range recharge.Topics() {
		assert.True(t, topic.Current().Known())
		assert.Equal(t, topic.Resource(), topic.Current().Resource())
	}
}

func TestOneTimeProduct(t *testing.T) {
	for _, status := range []string{"ONETIME", "onetime", "OneTime", "ONE_TIME", "one-time"} {
		assert.Equal(t, recharge.StatusOneTime, decodedSubscription(t, status, "created_at", "2026-03-01", "2026-03-01T10:00:00Z").Status)
	}
	w, err := newDecoder(t).Decode("charge/paid", []byte(`{"charge": {"id": 1, "line_items": [
		{"subscription_id": 1}, {"purchase_item_id": 2, "purchase_item_type": "subscription"}, {"purchase_item_id": 3},
		{"purchase_item_id": 4, "purchase_item_type": "onetime"}, {"purchase_item_id": 5, "purchase_item_type": "ONETIME"},
		{"subscription_id": 6, "type": "ONETIME"}]}}`), start(t))
	require.NoError(t, err)
	var ids []string
	for _, l := range w.Charge.LineItems {
		ids = append(ids, l.SubscriptionID)
	}
	assert.Equal(t, []string{"1", "2", "3", "", "", ""}, ids)
}
