package smsclient

import (
	"net/http"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// ClassOf returns the class for the status of a text that was not accepted, if the provider says no more than that.
func ClassOf(status int) sms.Class {
	switch {
	case status == http.StatusTooManyRequests:
		return sms.NotSent
	case status == http.StatusForbidden:
		return sms.Forbidden
	case isConfigStatus(status), status >= 300 && status < 400:
		return sms.Config
	case status == http.StatusRequestTimeout, status < 400, status >= 500:
		return sms.Unknown
	}
	return sms.Rejected
}

// isConfigStatus reports whether a status is caused by the address, credentials or account, not by the text.
func isConfigStatus(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusNotFound,
		http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusProxyAuthRequired,
		http.StatusUnsupportedMediaType, http.StatusUpgradeRequired:
		return true
	}
	return false
}
