package subscriber

import (
	"strconv"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// chargeFailed tells a failure that Recharge will try again from one that it
// won't. A retry date alone proves nothing: closed charges keep theirs.
func (d *draft) chargeFailed() {
	c := d.webhook.Charge
	kind, published := chargeErrorKind(c.ErrorType)
	switch {
	case !published:
		d.skip(SkipUnknownError)
	case !kind.mendable:
		d.skip(SkipNotCustomers)
	case !kind.retried:
		d.chargeFailedForGood()
	case !c.RetryAt.After(d.receivedAt):
		d.skip(SkipRetryDatePassed)
	default:
		at := firstTime(c.UpdatedAt, d.receivedAt)
		fact := factID(d.settings.Store, "charge_will_be_retried", c.ID, strconv.Itoa(c.Attempts))
		d.trigger(flow.ChargeWillBeRetried, at, fact)
	}
}

func (d *draft) chargeFailedForGood() {
	c := d.webhook.Charge
	at := firstTime(c.UpdatedAt, d.receivedAt)
	fact := factID(d.settings.Store, "charge_failed", c.ID)
	d.trigger(flow.ChargeFailed, at, fact)
	d.revoke(at, fact, flow.ChargeWillBeRetried)
}

// retriesReached is the only word that Recharge has of subscriptions that it cancels because their charge can't be paid:
// whether it does is looked up a little later.
func (d *draft) retriesReached() {
	c := d.webhook.Charge
	asked := factID(d.settings.Store, "charge_max_retries", c.ID)
	d.chargeFailedForGood()
	if !d.settings.API || d.memory.told.has(asked) {
		return
	}
	ask := Ask{Kind: AskCancellation, ChargeID: c.ID}
	for _, l := range c.LineItems {
		if l.SubscriptionID != "" {
			ask.Subscriptions = append(ask.Subscriptions, l.SubscriptionID)
		}
	}
	if len(ask.Subscriptions) == 0 {
		return
	}
	delay, _ := cancellationDelay(0)
	ask.Due = d.receivedAt.Add(delay)
	d.memory.told.add(asked, d.receivedAt)
	d.out.Asks = append(d.out.Asks, ask)
}

// chargeError is what is known of one error_type.
type chargeError struct {
	// retried says that Recharge's failed payment recovery tries it again.
	retried bool
	// mendable says that the customer can mend it by another payment method.
	mendable bool
}

// chargeErrorKind knows the published error types. Which are retried is
// Recharge's list, "Managing order errors",
// https://support.getrecharge.com/hc/en-us/articles/22181648082839-Managing-order-errors;
// which a customer can mend is our reading of it: a text that says "check your
// card" helps nobody when the stock, the shipping rate or the processor failed.
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
		return chargeError{retried: true, mendable: true}, true
	case "CARD_UPDATED_NOW_PENDING_NEXT_ATTEMPT", "CLOSED_MAX_RETRIES_REACHED",
		"INVENTORY_ALLOCATIONS_NOT_FOUND", "PAYMENT_PROVIDER_ERROR", "PROCESSING_ERROR", "THROTTLE",
		"TRANSIENT_ERROR", "UNEXPECTED_ERROR", "UNEXPECTED_INVENTORY_LEVEL":
		return chargeError{retried: true}, true
	case "AUTHENTICATION_FAILED", "AUTHENTICATION_REQUIRED", "CONFIRMATION_REJECTED", "CUSTOMER_NO_TOKEN",
		"DO_NOT_HONOR", "EXPIRED_BUYER_ACTION", "INCORRECT_ZIP", "INSTRUMENT_DECLINED",
		"INSUFFICIENT_CREDIT_BALANCE", "INVALID_BILLING_ADDRESS", "INVALID_EXPIRY_DATE",
		"OFF_SESSION_REJECTED", "PAYMENT_METHOD_NOT_FOUND", "PAYMENT_METHOD_NOT_SPECIFIED",
		"PAYMENT_METHOD_UNSUPPORTED", "PENDING_SCA_AUTHENTICATION", "PICK_UP_CARD", "RETRY_DECLINED":
		return chargeError{mendable: true}, true
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
