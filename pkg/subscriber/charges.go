package subscriber

import (
	"strconv"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// chargeFailed drafts a failed charge that Recharge retries, or one that it does not retry: it is of a kind that is not retried,
// or has no retry date. A retry date alone proves nothing: closed charges still have one.
func (d *draft) chargeFailed() {
	c := d.webhook.Charge
	kind, published := chargeErrorKind(c.ErrorType)
	at := firstTime(c.UpdatedAt, d.receivedAt)
	d.noteAttempt(c.ID, c.ErrorType, at)
	switch {
	case !published:
		d.skip(reason.ChargeErrorUnknown)
	case !kind.fixable:
		d.skip(reason.NotCustomerFixable)
	case !kind.retried || c.RetryAt.IsZero():
		d.chargeFailedForGood(true)
	case !c.RetryAt.After(d.receivedAt):
		d.skip(reason.RetryDatePassed)
	default:
		fact := factID(d.settings.Store, "charge_will_be_retried", c.ID, strconv.Itoa(c.Attempts))
		d.happened(flow.RetryScheduled, at, fact)
	}
}

// chargeFailedForGood drafts a final failure. Without a text it still revokes those about retries.
func (d *draft) chargeFailedForGood(text bool) {
	c := d.webhook.Charge
	at := firstTime(c.UpdatedAt, d.receivedAt)
	fact := factID(d.settings.Store, "charge_failed", c.ID)
	d.noteFailed(c.ID, at)
	if !text {
		d.skip(reason.NotCustomerFixable)
		d.revoke(flow.FailedForGood, at, fact)
		return
	}
	d.happened(flow.FailedForGood, at, fact)
}

// retriesReached drafts the final failure, and requests a lookup of the charge's subscriptions: Recharge may cancel them
// without a webhook.
func (d *draft) retriesReached() {
	c := d.webhook.Charge
	requested := factID(d.settings.Store, "charge_max_retries", c.ID)
	d.chargeFailedForGood(d.customerCanFix(c.ID, c.ErrorType))
	if !d.settings.API || d.state.Emitted.has(requested) {
		return
	}
	r := recharge.LookupRequest{Kind: recharge.LookupCancellation, ChargeID: c.ID}
	for _, l := range c.LineItems {
		if l.SubscriptionID != "" {
			r.SubscriptionIDs = append(r.SubscriptionIDs, l.SubscriptionID)
		}
	}
	if len(r.SubscriptionIDs) == 0 {
		return
	}
	delay, _ := cancellationDelay(0)
	r.Due = d.receivedAt.Add(delay)
	d.state.Emitted.add(requested, d.receivedAt)
	d.requestLookup(r)
}

// chargeError describes one error_type.
type chargeError struct {
	// retried: Recharge's failed payment recovery retries the charge.
	retried bool
	// fixable: the customer can fix it with another payment method.
	fixable bool
}

// chargeErrorKind classifies the published error types. Which are retried is from Recharge's list, "Managing order errors",
// https://support.getrecharge.com/hc/en-us/articles/22181648082839-Managing-order-errors. Which of them a customer can fix is
// an interpretation of it: a text that says "check your card" does not help when the stock, the shipping rate or the processor
// failed.
func chargeErrorKind(errorType string) (kind chargeError, published bool) {
	switch errorType {
	case "ACCOUNT_CLOSED", "AMOUNT_TOO_LARGE", "BANK_ACCOUNT_RESTRICTED", "BILLING_ADDRESS_ERROR",
		"BUYER_CANCELED_PAYMENT_METHOD", "CALL_ISSUER", "CANCELLED_PAYMENT", "CARDNUMBER_INCORRECT",
		"CARD_DECLINED", "CARD_ERROR_GENERAL", "CARD_EXPIRED", "CARD_ZIPCODE_FAILED_VALIDATION",
		"COULD_NOT_PROCESS", "CUSTOMER_NEEDS_TO_UPDATE_CARD", "DEBIT_AUTHORIZATION_REVOKED",
		"DEBIT_NOT_AUTHORIZED", "EXPIRED_PAYMENT_METHOD", "GENERIC_ERROR", "INCORRECT_NUMBER",
		"INSUFFICIENT_FUNDS", "INVALID_ACCOUNT_NUMBER", "INVALID_CUSTOMER_BILLING_AGREEMENT",
		"INVALID_NUMBER", "INVALID_PAYMENT_METHOD", "INVALID_PURCHASE_TYPE", "INVALID_ROUTING_NUMBER",
		"INVALID_TOKEN", "PAYMENT_INTENT_PAYMENT_ATTEMPT_FAILED", "PAYMENT_METHOD_DECLINED",
		"PAYMENT_METHOD_REVOKED", "PAYPAL_ERROR_GENERAL", "PURCHASE_TYPE_NOT_SUPPORTED_BY_CARD",
		"REFER_TO_CUSTOMER", "SCA_CONFIRM_FAILED", "SEPA_DEBIT_FAILURE", "TRANSACTION_LIMIT_EXCEEDED",
		"TRANSACTION_SIZE_DECLINE":
		return chargeError{retried: true, fixable: true}, true
	case "CARD_UPDATED_NOW_PENDING_NEXT_ATTEMPT", "CLOSED_MAX_RETRIES_REACHED",
		"INVENTORY_ALLOCATIONS_NOT_FOUND", "PAYMENT_PROVIDER_ERROR", "PROCESSING_ERROR", "THROTTLE",
		"TRANSIENT_ERROR", "UNEXPECTED_ERROR", "UNEXPECTED_INVENTORY_LEVEL":
		return chargeError{retried: true}, true
	case "AUTHENTICATION_FAILED", "AUTHENTICATION_REQUIRED", "CONFIRMATION_REJECTED", "CUSTOMER_NO_TOKEN",
		"DO_NOT_HONOR", "EXPIRED_BUYER_ACTION", "INCORRECT_ZIP", "INSTRUMENT_DECLINED",
		"INSUFFICIENT_CREDIT_BALANCE", "INVALID_BILLING_ADDRESS", "INVALID_EXPIRY_DATE",
		"OFF_SESSION_REJECTED", "PAYMENT_METHOD_NOT_FOUND", "PAYMENT_METHOD_NOT_SPECIFIED",
		"PAYMENT_METHOD_UNSUPPORTED", "PENDING_SCA_AUTHENTICATION", "PICK_UP_CARD", "RETRY_DECLINED":
		return chargeError{fixable: true}, true
	case "AMOUNT_TOO_SMALL", "AUTHENTICATION_ERROR", "BLOCKED_FROM_AUTOMATIC_PROCESSING",
		"CAPTURE_AMOUNT_EXCEEDS_AUTHORIZED", "CAPTURE_FAILED", "CAPTURE_PAYMENT_ERROR", "CARD_TESTING",
		"CONTRACT_NOT_AVAILABLE", "CONTRACT_TERMINATED", "CONTRACT_UNDER_REVIEW", "CUSTOMER_INVALID",
		"CUSTOMER_NOT_FOUND", "EMPTY_CHARGE_ENTRY", "FRAUD_SUSPECTED", "FREE_GIFT_CARD_NOT_ALLOWED",
		"GENERAL_FAILURE", "HIGH_RISK_FRAUD_SUSPECTED", "INCORRECT_ADDRESS", "INVALID", "INVALID_COUNTRY",
		"INVALID_CURRENCY", "INVALID_DISCOUNT", "INVALID_DISCOUNT_AMOUNT", "INVALID_LINE_ITEM_PROPERTY",
		"INVALID_PHONE_NUMBER", "INVALID_PICK_UP_LOCATION", "INVALID_SHIPPING_ADDRESS",
		"INVALID_SHIPPING_PROVINCE", "INVALID_ZIP_CODE", "MERCHANT_ACCOUNT_ERROR", "MERCHANT_RULE",
		"MIN_CHARGE_ERROR", "NO_JSON_FOUND", "NON_TEST_ORDER_LIMIT_REACHED", "PAYMENT_CAPTURE_ERROR",
		"PAYMENT_METHOD_INCOMPATIBLE_WITH_GATEWAY_CONFIG", "PAYMENT_PROVIDER_IS_NOT_ENABLED",
		"SHIPPING_RATE_ERROR", "SHOPIFY_REJECTED", "TAX_RATE_ERROR", "TEST_MODE", "UNEXPECTED_REGEN_ERROR",
		"UNEXPECTED_VARIANT_ERROR_TYPE", "UNKNOWN_ERROR", "VARIANT_DOES_NOT_EXIST":
		return chargeError{}, true
	}
	return chargeError{}, false
}
