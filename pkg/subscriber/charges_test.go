package subscriber_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// What a customer is told when a charge fails, by Recharge's error type. Both
// lists are from "Managing order errors",
// https://support.getrecharge.com/hc/en-us/articles/22181648082839-Managing-order-errors.
func TestFailedCharge(t *testing.T) {
	retried, final := string(flow.ChargeWillBeRetried), string(flow.ChargeFailed)
	notTheirs, unknown := string(subscriber.SkipNotCustomers), string(subscriber.SkipUnknownError)
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
				assert.Equal(t, subscriber.Decision{Skip: subscriber.Skip(test.want)}, decision)
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

// A retry that is due when the webhook comes is no retry to come.
func TestRetryDate(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		name  string
		retry time.Duration // after the receipt
		skip  subscriber.Skip
	}{
		{"to come", time.Second, ""},
		{"now", 0, subscriber.SkipRetryDatePassed},
		{"passed", -time.Second, subscriber.SkipRetryDatePassed},
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
		assert.Equal(t, subscriber.SkipRetryDatePassed, decided(t, c).Skip)
	})
}

// When Recharge has given up, the error type does not matter.
func TestGivenUp(t *testing.T) {
	for _, errorType := range []string{"CARD_DECLINED", "CLOSED_MAX_RETRIES_REACHED", "SHIPPING_RATE_ERROR", "NEVER_HEARD_OF", ""} {
		c := plain("charge/max_retries_reached", time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))
		c.webhook.Charge.ErrorType = errorType
		decision := decided(t, c)
		require.Len(t, decision.Triggers, 1, errorType)
		assert.Equal(t, flow.ChargeFailed, decision.Triggers[0].Flow)
		assert.Equal(t, []string{"charge/580825303", "subscription/784594001"}, decision.Triggers[0].Items)
	}
}
