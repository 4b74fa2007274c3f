package wording

// ChargeError returns Recharge's error type of a failed charge in words for the customer, "" for none. It knows the types that
// a customer can fix. All others concern the shop: the customer reads that the payment failed.
func ChargeError(errorType string) string {
	if errorType == "" {
		return ""
	}
	for _, words := range []func(string) string{cardWords, bankWords, confirmationWords, methodWords} {
		if text := words(errorType); text != "" {
			return text
		}
	}
	return "payment failed"
}

func cardWords(errorType string) string {
	switch errorType {
	case "CARD_DECLINED":
		return "card declined"
	case "CARD_EXPIRED":
		return "card expired"
	case "INVALID_EXPIRY_DATE":
		return "expiry date not valid"
	case "CARDNUMBER_INCORRECT", "INCORRECT_NUMBER", "INVALID_NUMBER":
		return "card number not valid"
	case "CUSTOMER_NEEDS_TO_UPDATE_CARD":
		return "card needs an update"
	case "CARD_ERROR_GENERAL":
		return "card not accepted"
	case "PURCHASE_TYPE_NOT_SUPPORTED_BY_CARD", "INVALID_PURCHASE_TYPE":
		return "card not accepted for this purchase"
	case "CARD_ZIPCODE_FAILED_VALIDATION", "INCORRECT_ZIP":
		return "postal code does not match"
	case "BILLING_ADDRESS_ERROR", "INVALID_BILLING_ADDRESS":
		return "billing address does not match"
	}
	return ""
}

func bankWords(errorType string) string {
	switch errorType {
	case "CALL_ISSUER", "DO_NOT_HONOR", "PICK_UP_CARD", "REFER_TO_CUSTOMER":
		return "declined by your bank"
	case "INSUFFICIENT_FUNDS", "INSUFFICIENT_CREDIT_BALANCE":
		return "insufficient funds"
	case "AMOUNT_TOO_LARGE", "TRANSACTION_LIMIT_EXCEEDED", "TRANSACTION_SIZE_DECLINE":
		return "amount above your limit"
	case "ACCOUNT_CLOSED":
		return "bank account closed"
	case "BANK_ACCOUNT_RESTRICTED":
		return "bank account restricted"
	case "INVALID_ACCOUNT_NUMBER", "INVALID_ROUTING_NUMBER":
		return "bank account not valid"
	case "DEBIT_AUTHORIZATION_REVOKED", "DEBIT_NOT_AUTHORIZED":
		return "direct debit not authorized"
	case "SEPA_DEBIT_FAILURE":
		return "direct debit failed"
	}
	return ""
}

func confirmationWords(errorType string) string {
	switch errorType {
	case "AUTHENTICATION_REQUIRED", "PENDING_SCA_AUTHENTICATION", "OFF_SESSION_REJECTED":
		return "confirmation needed"
	case "AUTHENTICATION_FAILED", "CONFIRMATION_REJECTED", "SCA_CONFIRM_FAILED":
		return "confirmation failed"
	case "EXPIRED_BUYER_ACTION":
		return "confirmation expired"
	}
	return ""
}

func methodWords(errorType string) string {
	switch errorType {
	case "PAYMENT_METHOD_DECLINED", "INSTRUMENT_DECLINED", "RETRY_DECLINED":
		return "payment method declined"
	case "EXPIRED_PAYMENT_METHOD":
		return "payment method expired"
	case "CUSTOMER_NO_TOKEN", "PAYMENT_METHOD_NOT_FOUND", "PAYMENT_METHOD_NOT_SPECIFIED":
		return "payment method missing"
	case "INVALID_CUSTOMER_BILLING_AGREEMENT", "INVALID_PAYMENT_METHOD", "INVALID_TOKEN", "PAYMENT_METHOD_REVOKED",
		"BUYER_CANCELED_PAYMENT_METHOD":
		return "payment method no longer valid"
	case "PAYMENT_METHOD_UNSUPPORTED":
		return "payment method not accepted"
	case "CANCELLED_PAYMENT":
		return "payment canceled"
	case "PAYPAL_ERROR_GENERAL":
		return "PayPal payment failed"
	case "COULD_NOT_PROCESS", "GENERIC_ERROR", "PAYMENT_INTENT_PAYMENT_ATTEMPT_FAILED":
		return "payment failed"
	}
	return ""
}
