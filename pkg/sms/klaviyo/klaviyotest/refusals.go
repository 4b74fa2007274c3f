package klaviyotest

import (
	"encoding/json"
	"net/http"

	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

// Refusal returns an error in Klaviyo's form (https://github.com/klaviyo/openapi, ClientError).
func Refusal(status int, code, title, detail, pointer string) smstest.Behaviour {
	body, err := json.Marshal(map[string]any{"errors": []any{map[string]any{
		"id": "5b1f5c6e-0000-4000-8000-000000000001", "status": status, "code": code, "title": title, "detail": detail,
		"source": map[string]any{"pointer": pointer}, "links": map[string]any{}, "meta": map[string]any{},
	}}})
	if err != nil {
		panic(err) // it has texts and a number only
	}
	return smstest.Behaviour{Status: status, Body: string(body), Header: http.Header{"Content-Type": {"application/vnd.api+json"}}}
}

// Invalid is the answer to an event that is wrong. Its form is that of https://github.com/klaviyo/klaviyo-swift-sdk; the pointers into an event
// are an assumption.
func Invalid(detail, pointer string) smstest.Behaviour {
	return Refusal(http.StatusBadRequest, "invalid", "Invalid input.", detail, pointer)
}

// InvalidNumber is the answer to an event with a number that is wrong and without an e-mail
// (https://community.klaviyo.com/developer-group-64/api-validation-improvements-for-phone-number-handling-18034).
func InvalidNumber() smstest.Behaviour {
	return Invalid("Invalid phone number format (Example of a valid format: +12345678901)", "/data/attributes/profile/data/attributes/phone_number")
}

// Throttled is https://github.com/klaviyo/klaviyo-api-node/issues/66. Retry-After is not among the headers in
// https://github.com/klaviyo/klaviyo-api-python/issues/15.
func Throttled() smstest.Behaviour {
	return Refusal(http.StatusTooManyRequests, "throttled", "Request was throttled.", "Request was throttled. Expected available in 12 seconds.", "/data/")
}

// NotAuthenticated is the answer to a request without a key.
func NotAuthenticated() smstest.Behaviour {
	return Refusal(http.StatusUnauthorized, "not_authenticated", "Authentication credentials were not provided.", "Missing or invalid authorization header.", "/data/")
}

// WrongKey is https://github.com/trufflesecurity/trufflehog/pull/1870.
func WrongKey() smstest.Behaviour {
	return Refusal(http.StatusUnauthorized, "authentication_failed", "Incorrect authentication credentials.", "Incorrect authentication credentials.", "/data/")
}

// NoScope is the answer to a key without events:write (https://github.com/segment-boneyard/segment-docs/pull/6758).
func NoScope() smstest.Behaviour {
	return Refusal(http.StatusForbidden, "permission_denied", "You do not have permission to perform this action.", "The API key does not have the scope events:write.", "/data/")
}
