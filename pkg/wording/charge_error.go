package wording

// ChargeError returns Recharge's error type of a failed charge as a clause that a customer can read: "your card has expired". It is
// "" for a type that a customer can't fix, that says no more than that the payment failed, or that is not known. The types are those of
// "Managing order errors", https://support.getrecharge.com/hc/en-us/articles/22181648082839-Managing-order-errors; the words are ours.
// Recharge's field error is a log of all attempts for the shop.
func ChargeError(errorType string) string {
	for _, words := range []func(string) string{cardWords, bankWords, confirmationWords, methodWords} {
		if text := words(errorType); text != "" {
			return text
		}
	}
	return ""
}

func cardWords(errorType string) string {
	switch errorType {
	case "CARD_DECLINED":
		return "your card was declined"
	case "CARD_EXPIRED":
		return "your card has expired"
	case "INVALID_EXPIRY_DATE":
		return "the expiry date is not valid"
	case "CARDNUMBER_INCORRECT", "INCORRECT_NUMBER", "INVALID_NUMBER":
		return "your card number is not valid"
	case "CUSTOMER_NEEDS_TO_UPDATE_CARD":
		return "your card needs an update"
	case "CARD_ERROR_GENERAL":
		return "your card was not accepted"
	case "PURCHASE_TYPE_NOT_SUPPORTED_BY_CARD", "INVALID_PURCHASE_TYPE":
		return "your card does not allow this purchase"
	case "CARD_ZIPCODE_FAILED_VALIDATION", "INCORRECT_ZIP":
		return "the postal code does not match your card"
	case "BILLING_ADDRESS_ERROR", "INVALID_BILLING_ADDRESS":
		return "your billing address does not match"
	}
	return ""
}

func bankWords(errorType string) string {
	switch errorType {
	case "CALL_ISSUER", "DO_NOT_HONOR", "PICK_UP_CARD", "REFER_TO_CUSTOMER":
		return "your bank declined the payment"
	case "INSUFFICIENT_FUNDS", "INSUFFICIENT_CREDIT_BALANCE":
		return "your account has insufficient funds"
	case "AMOUNT_TOO_LARGE", "TRANSACTION_LIMIT_EXCEEDED", "TRANSACTION_SIZE_DECLINE":
		return "the amount is above your limit"
	case "ACCOUNT_CLOSED":
		return "your bank account is closed"
	case "BANK_ACCOUNT_RESTRICTED":
		return "your bank account is restricted"
	case "INVALID_ACCOUNT_NUMBER", "INVALID_ROUTING_NUMBER":
		return "your bank account is not valid"
	case "DEBIT_AUTHORIZATION_REVOKED", "DEBIT_NOT_AUTHORIZED":
		return "the direct debit is not authorized"
	case "SEPA_DEBIT_FAILURE":
		return "the direct debit failed"
	}
	return ""
}

func confirmationWords(errorType string) string {
	switch errorType {
	case "AUTHENTICATION_REQUIRED", "PENDING_SCA_AUTHENTICATION", "OFF_SESSION_REJECTED":
		return "the payment needs your confirmation"
	case "AUTHENTICATION_FAILED", "CONFIRMATION_REJECTED", "SCA_CONFIRM_FAILED":
		return "the payment was not confirmed"
	case "EXPIRED_BUYER_ACTION":
		return "the time to confirm the payment is over"
	}
	return ""
}

func methodWords(errorType string) string {
	switch errorType {
	case "PAYMENT_METHOD_DECLINED", "INSTRUMENT_DECLINED", "RETRY_DECLINED":
		return "your payment method was declined"
	case "EXPIRED_PAYMENT_METHOD":
		return "your payment method has expired"
	case "CUSTOMER_NO_TOKEN", "PAYMENT_METHOD_NOT_FOUND", "PAYMENT_METHOD_NOT_SPECIFIED":
		return "your payment method is missing"
	case "INVALID_CUSTOMER_BILLING_AGREEMENT", "INVALID_PAYMENT_METHOD", "INVALID_TOKEN", "PAYMENT_METHOD_REVOKED",
		"BUYER_CANCELED_PAYMENT_METHOD":
		return "your payment method is no longer valid"
	case "PAYMENT_METHOD_UNSUPPORTED":
		return "your payment method is not accepted"
	case "CANCELLED_PAYMENT":
		return "the payment was canceled"
	case "PAYPAL_ERROR_GENERAL":
		return "the PayPal payment failed"
	}
	return ""
}
