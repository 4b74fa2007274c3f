package recharge

import (
	"slices"
	"strings"
)

// When a customer's personal data is erased, the object stays. Its e-mail, names and phone become null, or placeholders such as
// "removed+246936001", "Removed" and "Removed", as apps for subscriptions write them
// (https://support.cratejoy.com/support/solutions/articles/43000495500-removing-customer-data). What Recharge writes is not
// documented, so both are recognized. Resources that name the customer may have the placeholder before the customer object has it.

const placeholder = "removed"

// erased reports whether the personal data was erased. An object that lacks a field says nothing about it.
func (w *wireCustomer) erased() bool {
	switch {
	case bool(w.Erased), isPlaceholder(w.Email.value):
		return true
	case strings.Contains(string(w.Email.value), "@"), !w.Email.known, !w.FirstName.known, !w.LastName.known:
		return false
	}
	return removed(w.FirstName.value) && removed(w.LastName.value) && removed(w.Phone.value) && removed(w.BillingPhone.value)
}

// removed reports whether a text is empty or the placeholder.
func removed(v text) bool { return v == "" || strings.EqualFold(string(v), placeholder) }

// isPlaceholder reports whether the e-mail of a customer object is that of an erased customer: any without a domain, such as
// "redacted", or a removed one.
func isPlaceholder(email text) bool {
	return email != "" && !strings.Contains(string(email), "@") || isRemoved(email)
}

// isRemoved reports whether an e-mail is "removed", or "removed", a separator and an id, with or without a domain.
func isRemoved(email text) bool {
	local, _, address := strings.Cut(string(email), "@")
	if len(local) < len(placeholder) || !strings.EqualFold(local[:len(placeholder)], placeholder) {
		return false
	}
	if len(local) == len(placeholder) {
		return !address
	}
	separator, id := local[len(placeholder)], local[len(placeholder)+1:]
	return strings.IndexByte("+-_.", separator) >= 0 && isDigits(id)
}

// emailOf returns the first e-mail that is set. If any is that of an erased customer, there is none. Another text without a domain is
// no e-mail, and proves no erasure: a mistyped one in a charge must not end the customer's events.
func emailOf(emails ...text) (email string, erased bool) {
	if slices.ContainsFunc(emails, isRemoved) {
		return "", true
	}
	for _, e := range emails {
		if strings.Contains(string(e), "@") {
			return string(e), false
		}
	}
	return "", false
}
