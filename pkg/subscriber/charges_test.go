package subscriber_test

import (
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// The flow of a failed charge, by Recharge's error type. Both lists are from "Managing order errors",
// https://support.getrecharge.com/hc/en-us/articles/22181648082839-Managing-order-errors.
func TestFailedCharge(t *testing.T) {
	retried, final := string(flow.ChargeWillBeRetried), string(flow.ChargeFailed)
	notTheirs, unknown := string(reason.NotCustomerFixable), string(reason.ChargeErrorUnknown)
	tests := []struct {
		errorType string
		want      string // the flow, or why there is none
	}{
		{"CARD_DECLINED", retried},
		{"CARD_EXPIRED", retried},
		{"INSUFFICIENT_FUNDS", retried},
		{"INVALID_PAYMENT_METHOD", retried},
		{"PAYPAL_ERROR_GENERAL", retried},
		{"SCA_CONFIRM_FAILED", retried},
		{"GENERIC_ERROR", retried},
		{"TRANSACTION_SIZE_DECLINE", retried},
		{"AUTHENTICATION_REQUIRED", final},
		{"DO_NOT_HONOR", final},
		{"CUSTOMER_NO_TOKEN", final},
		{"INCORRECT_ZIP", final},
		{"PAYMENT_METHOD_NOT_FOUND", final},
		{"PICK_UP_CARD", final},
		{"THROTTLE", notTheirs},
		{"PAYMENT_PROVIDER_ERROR", notTheirs},
		{"CLOSED_MAX_RETRIES_REACHED", notTheirs},
		{"UNEXPECTED_INVENTORY_LEVEL", notTheirs},
		{"SHIPPING_RATE_ERROR", notTheirs},
		{"FRAUD_SUSPECTED", notTheirs},
		{"UNKNOWN_ERROR", notTheirs},
		{"VARIANT_DOES_NOT_EXIST", notTheirs},
		{"", unknown},
		{"card_declined", unknown}, // the decoder makes them upper case
		{"NEVER_HEARD_OF", unknown},
	}
	for _, test := range tests {
		t.Run(test.errorType, func(t *testing.T) {
			c := plain("charge/failed", time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))
			c.webhook.Charge.ErrorType = test.errorType
			decision, err := c.decide()
			require.NoError(t, err)
			assert.Empty(t, decision.Events, "a failed charge is no event")
			if test.want != retried && test.want != final {
				assert.Equal(t, reason.Reason(test.want), decision.Skip)
				assert.Empty(t, decision.Triggers)
				assert.Empty(t, decision.Revocations)
				require.Len(t, decision.Facts, 1)
				assert.Equal(t, "failed", decision.Facts[0].Status)
				return
			}
			require.Len(t, decision.Triggers, 1)
			assert.Equal(t, test.want, string(decision.Triggers[0].Flow))
			if test.want == final {
				require.Len(t, decision.Revocations, 1)
				assert.Equal(t, []flow.Key{flow.ChargeWillBeRetried}, decision.Revocations[0].Flows)
			} else {
				assert.Empty(t, decision.Revocations)
			}
		})
	}
}

// A charge whose retry is due at the receipt or before is skipped.
func TestRetryDate(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		name  string
		retry time.Duration // after the receipt
		skip  reason.Reason
	}{
		{"to come", time.Second, ""},
		{"now", 0, reason.RetryDatePassed},
		{"passed", -time.Second, reason.RetryDatePassed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := plain("charge/failed", at)
			c.webhook.Charge.RetryAt = c.at.Add(test.retry)
			assert.Equal(t, test.skip, decided(t, c).Skip)
		})
	}
	t.Run("none", func(t *testing.T) {
		c := plain("charge/failed", at)
		c.webhook.Charge.RetryAt = time.Time{}
		assert.Equal(t, []string{"charge_failed"}, flows(decided(t, c)), "it will not be retried")
		c.webhook.Charge.ErrorType = "THROTTLE"
		assert.Equal(t, reason.NotCustomerFixable, decided(t, c).Skip)
	})
}

// The last retry failed for a reason that the customer may fix, unless the body or the last failed attempt has another one.
func TestRetriesReached(t *testing.T) {
	for _, errorType := range []string{"CARD_DECLINED", "CLOSED_MAX_RETRIES_REACHED", "NEVER_HEARD_OF", ""} {
		c := plain("charge/max_retries_reached", time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))
		c.webhook.Charge.ErrorType = errorType
		decision := decided(t, c)
		require.Len(t, decision.Triggers, 1, errorType)
		assert.Equal(t, flow.ChargeFailed, decision.Triggers[0].Flow)
		assert.Equal(t, []string{"charge/580825303", "subscription/784594001"}, decision.Triggers[0].Items)
	}
}

// retries receives failed attempts, a day apart, and the final failure.
func retries(t *testing.T, final string, errorTypes ...string) *run {
	t.Helper()
	r := known(t)
	at := start()
	for i, errorType := range errorTypes {
		at = at.AddDate(0, 0, 1)
		r.receives(failing("1", i+1, errorType, at), at)
	}
	r.all = subscriber.Decision{}
	at = at.AddDate(0, 0, 1)
	r.receives(ofCharge("charge/max_retries_reached", at, func(c *recharge.Charge) { c.ID, c.ErrorType = "1", final }), at)
	return r
}

func failing(id string, attempt int, errorType string, at time.Time) recharge.Webhook {
	return ofCharge("charge/failed", at, func(c *recharge.Charge) { c.ID, c.Attempts, c.ErrorType = id, attempt, errorType })
}

func TestReasonOfFinalFailure(t *testing.T) {
	const closed = "CLOSED_MAX_RETRIES_REACHED"
	tests := []struct {
		name     string
		attempts []string
		final    string
		text     bool
	}{
		{"the card", []string{"CARD_DECLINED", "CARD_DECLINED"}, closed, true},
		{"the stock", []string{"UNEXPECTED_INVENTORY_LEVEL"}, closed, false},
		{"the processor", []string{"PAYMENT_PROVIDER_ERROR"}, closed, false},
		{"not retried, the shop", []string{"SHIPPING_RATE_ERROR"}, closed, false},
		{"the last one counts, the stock", []string{"CARD_DECLINED", "UNEXPECTED_INVENTORY_LEVEL"}, closed, false},
		{"the last one counts, the card", []string{"UNEXPECTED_INVENTORY_LEVEL", "CARD_DECLINED"}, closed, true},
		{"unknown", nil, closed, true},
		{"unknown error type", []string{"NEVER_HEARD_OF"}, closed, true},
		{"unknown error type after the stock", []string{"UNEXPECTED_INVENTORY_LEVEL", "NEVER_HEARD_OF"}, closed, false},
		{"unknown error type of the body, the stock", []string{"UNEXPECTED_INVENTORY_LEVEL"}, "NEVER_HEARD_OF", false},
		{"no error type", []string{""}, "", true},
		{"no reason, but a state", []string{"CARD_UPDATED_NOW_PENDING_NEXT_ATTEMPT"}, closed, true},
		{"the body's own, the card", []string{"UNEXPECTED_INVENTORY_LEVEL"}, "CARD_DECLINED", true},
		{"the body's own, the stock", []string{"CARD_DECLINED"}, "UNEXPECTED_INVENTORY_LEVEL", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := retries(t, test.final, test.attempts...)
			if test.text {
				assert.Equal(t, []string{"charge_failed"}, flows(r.all))
			} else {
				assert.Empty(t, r.all.Triggers)
			}
			require.Len(t, r.all.Revocations, 1, "texts about retries are untrue in any case")
			assert.Equal(t, []flow.Key{flow.ChargeWillBeRetried}, r.all.Revocations[0].Flows)
			require.NotEmpty(t, r.requests, "the subscriptions are looked up in any case")
			assert.Equal(t, recharge.LookupCancellation, r.requests[len(r.requests)-1].Kind)
		})
	}
	t.Run("an older failure arrives last", func(t *testing.T) {
		r := known(t)
		at := start().AddDate(0, 0, 5)
		r.receives(failing("1", 2, "UNEXPECTED_INVENTORY_LEVEL", at), at)
		r.receives(failing("1", 1, "CARD_DECLINED", at.AddDate(0, 0, -1)), at)
		r.receives(ofCharge("charge/max_retries_reached", at, func(c *recharge.Charge) { c.ID, c.ErrorType = "1", closed }), at)
		assert.NotContains(t, flows(r.all), "charge_failed")
	})
	t.Run("of another charge", func(t *testing.T) {
		r := known(t, failing("2", 1, "UNEXPECTED_INVENTORY_LEVEL", start()))
		at := start().AddDate(0, 0, 5)
		assert.Equal(t, []string{"charge_failed"}, flows(r.receives(ofCharge("charge/max_retries_reached", at, func(c *recharge.Charge) { c.ID, c.ErrorType = "1", closed }), at)))
	})
}

// What is known of failures is forgotten with a payment, and expires as emitted facts do. It is bounded.
func TestFailuresAreForgotten(t *testing.T) {
	at := start().AddDate(0, 0, 1)
	paid := ofCharge("charge/paid", at.Add(time.Hour), func(c *recharge.Charge) { c.ID = "1" })
	r := known(t, failing("1", 1, "UNEXPECTED_INVENTORY_LEVEL", at))
	require.Contains(t, r.state().Customer.Failures, "1")
	r.receives(paid, at.Add(time.Hour))
	assert.Empty(t, r.state().Customer.Failures)
	r.receives(failing("1", 2, "UNEXPECTED_INVENTORY_LEVEL", at), at.Add(2*time.Hour))
	assert.Empty(t, r.state().Customer.Failures, "a late failure of a paid charge")

	r = known(t, failing("1", 1, "UNEXPECTED_INVENTORY_LEVEL", at))
	r.receives(failing("2", 1, "UNEXPECTED_INVENTORY_LEVEL", at.AddDate(0, 20, 0)), at.AddDate(0, 20, 0))
	assert.Equal(t, []string{"2"}, slices.Sorted(maps.Keys(r.state().Customer.Failures)))

	for i := range 50 {
		r.receives(failing(strconv.Itoa(100+i), 1, "CARD_DECLINED", at.AddDate(0, 20, i)), at.AddDate(0, 20, i))
	}
	var newest []string
	for i := 130; i < 150; i++ {
		newest = append(newest, strconv.Itoa(i))
	}
	assert.Equal(t, newest, slices.Sorted(maps.Keys(r.state().Customer.Failures)), "the newest 20")
	assert.Equal(t, at.AddDate(0, 20, 49), r.state().Customer.Failures["149"].At)
	r.receives(failing("200", 1, "CARD_DECLINED", at), at.AddDate(0, 22, 0))
	assert.Equal(t, newest, slices.Sorted(maps.Keys(r.state().Customer.Failures)), "an older one is not stored")
	for i := range 20 {
		r.receives(failing(strconv.Itoa(320-i), 1, "CARD_DECLINED", at.AddDate(0, 23, 0)), at.AddDate(0, 23, 0))
	}
	r.receives(failing("321", 1, "CARD_DECLINED", at.AddDate(0, 23, 0)), at.AddDate(0, 23, 0))
	assert.NotContains(t, r.state().Customer.Failures, "301", "of those with the same time, the least id is forgotten")
	assert.Contains(t, r.state().Customer.Failures, "302")

	r = known(t)
	r.receives(failing("1", 2, "CARD_DECLINED", at), at.AddDate(0, 2, 0))
	r.receives(failing("1", 1, "CARD_DECLINED", at), at) // replayed
	assert.Equal(t, "2026-05", r.state().Customer.Failures["1"].Month)

	r.receives(ofCustomer("customer/deleted", jo(at)), at.AddDate(0, 2, 1))
	_, after, err := subscriber.Decide(r.settings, r.state(), failing("3", 1, "CARD_DECLINED", at), at.AddDate(0, 2, 1))
	require.NoError(t, err)
	assert.Empty(t, after.Customer.Failures, "a deleted customer")
}

// A charge of nothing is an event, and no text says that a payment was received.
func TestNothingCharged(t *testing.T) {
	for total, text := range map[string]bool{
		"0": false, "0.00": false, "0.0": false, "00.000": false, "-5.00": false, "-0.00": false,
		"": true, "0.01": true, "10": true, "100.00": true, "41.90": true,
	} {
		r := known(t, ofCharge("charge/paid", start(), func(c *recharge.Charge) { c.Status, c.TotalPrice = "success", total }))
		assert.Equal(t, []string{"paid"}, statuses(r.all), total)
		assert.Equal(t, text, len(r.all.Triggers) == 1, total)
	}
	free := func(topic recharge.Topic) recharge.Webhook {
		return ofCharge(topic, start(), func(c *recharge.Charge) { c.Status, c.TotalPrice = "success", "0.00" })
	}
	r := known(t, free("charge/created"))
	assert.Equal(t, reason.NothingCharged, r.receives(free("charge/paid"), start().Add(3*time.Hour)).Skip)
	assert.Equal(t, reason.Duplicate, r.receives(free("charge/paid"), start().Add(4*time.Hour)).Skip)
}
