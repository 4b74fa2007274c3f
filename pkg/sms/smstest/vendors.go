package smstest

import (
	"fmt"
	"net/http"
	"time"
)

// The behaviours of real providers.

// twilio returns an error in Twilio's form {code, message, more_info, status}
// (https://github.com/twilio/twilio-go, client/error.go).
func twilio(status, code int, message string) Behaviour {
	return Behaviour{Status: status, Body: fmt.Sprintf(
		`{"code":%d,"message":%q,"more_info":"https://www.twilio.com/docs/errors/%[1]d","status":%[3]d}`, code, message, status)}
}

// OptedOut is a refusal for good: the recipient has sent STOP. Twilio's 21610
// (https://www.twilio.com/docs/api/errors/21610); Telnyx has 40300
// (https://developers.telnyx.com/docs/messaging/messages/error-codes/index).
func OptedOut() Behaviour {
	return twilio(http.StatusBadRequest, 21610, "Attempt to send to unsubscribed recipient")
}

// InvalidNumber is a refusal for good: Twilio's 21211 (https://www.twilio.com/docs/api/errors/21211).
func InvalidNumber() Behaviour {
	return twilio(http.StatusBadRequest, 21211, "Invalid 'To' Phone Number")
}

// NotCapable is a refusal for good: the number can't receive texts, such as a fixed line. Twilio's 21614
// (https://www.twilio.com/docs/api/errors/21614).
func NotCapable() Behaviour {
	return twilio(http.StatusBadRequest, 21614, "'To' number is not a valid mobile number")
}

// Blocked is a refusal for good with 403: the recipient blocked the sender (https://github.com/nyaruka/courier/pull/875), or the
// number is of a kind that may not be texted (https://github.com/sinch/docs/pull/314).
func Blocked() Behaviour {
	return Behaviour{Status: http.StatusForbidden, Body: `{"error":{"code":"illegal_number_type","message":"The recipient blocked this sender"}}`}
}

// Unroutable is a refusal for good: Twilio's 21612 (https://www.twilio.com/docs/api/errors/21612); Telnyx has 40001.
func Unroutable() Behaviour {
	return twilio(http.StatusBadRequest, 21612, "The 'To' phone number is not currently reachable via SMS")
}

// RegionNotEnabled is a refusal for good: the account may not send to that country. Twilio's 21408
// (https://www.twilio.com/docs/api/errors/21408).
func RegionNotEnabled() Behaviour {
	return twilio(http.StatusBadRequest, 21408, "Permission to send an SMS has not been enabled for the region")
}

// BadSender is an account error with status 400, as if the text were invalid: Twilio's 21606
// (https://www.twilio.com/docs/api/errors/21606). The webhook driver uses the status only, so an adapter for Twilio must answer
// 403 instead.
func BadSender() Behaviour {
	return twilio(http.StatusBadRequest, 21606, "The 'From' phone number is not a valid, SMS-capable inbound phone number")
}

// Overloaded is Twilio's own 429, code 20429, without a Retry-After (https://www.twilio.com/docs/api/errors/20429).
func Overloaded() Behaviour { return twilio(http.StatusTooManyRequests, 20429, "Too Many Requests") }

// TestNumbers returns Twilio's magic numbers and their behaviours, for [Gateway.ForNumber]
// (https://www.twilio.com/docs/iam/test-credentials).
func TestNumbers() map[string]Behaviour {
	return map[string]Behaviour{
		"+15005550001": InvalidNumber(), "+15005550002": Unroutable(), "+15005550003": RegionNotEnabled(),
		"+15005550004": OptedOut(), "+15005550009": NotCapable(),
	}
}

// QueueFull is a temporary refusal with status 400: Twilio's 21611, "not created: retry later"
// (https://www.twilio.com/docs/api/errors/21611).
func QueueFull() Behaviour {
	return twilio(http.StatusBadRequest, 21611, "This 'From' number has exceeded the maximum number of queued messages")
}

// BadCredentials is Twilio's 20003 (https://www.twilio.com/docs/api/errors/20003).
func BadCredentials() Behaviour {
	return twilio(http.StatusUnauthorized, 20003, "Authenticate")
}

// TooManyRequests is Postscript's 429, without a Retry-After
// (https://developers.postscript.io/reference/create-custom-event). Bird's documentation says "429 was not processed, safe
// to retry".
func TooManyRequests() Behaviour {
	return Behaviour{
		Status: http.StatusTooManyRequests, Body: `{"error_code":3002,"error_message":"Rate limit exceeded","success":false}`,
	}
}

// TooManyRequestsUntil is a 429 with a Retry-After, as assumed of Klaviyo, and Attentive's rate-limit headers
// (https://github.com/api-evangelist/attentive).
func TooManyRequestsUntil(retryAfter time.Duration) Behaviour {
	b := TooManyRequests()
	b.RetryAfter = retryAfter
	b.Header = http.Header{"X-Ratelimit-Limit": {"150"}, "X-Ratelimit-Remaining": {"0"}}
	return b
}

// Queued accepts with 202 and no body, as Klaviyo does: "validated and submitted, not guaranteed processed"
// (https://github.com/klaviyo/openapi, openapi/stable/apis/create_event.json).
func Queued() Behaviour {
	return Behaviour{Accept: true, Status: http.StatusAccepted, Body: Empty}
}

// NeverSent answers 202 to a text that is never sent. Postscript looks up the subscriber afterwards, so that "an unknown
// phone still gives 202" (https://developers.postscript.io/reference/create-custom-event). Klaviyo does the same for a
// number without texts enabled. The answer looks the same as that of Queued.
func NeverSent() Behaviour {
	return Behaviour{Status: http.StatusAccepted, Body: `{"event_ids":["00000000-0000-4000-8000-000000000001"]}`}
}

// FailedInside answers 200 although the text was refused, as Vonage does: "HTTP 200 even on failure, look at
// messages[].status" (https://github.com/api-evangelist/vonage). The webhook driver goes by the status and treats the text
// as accepted; an adapter for such a provider has to answer 4xx instead.
func FailedInside() Behaviour {
	return Behaviour{Status: http.StatusOK, Body: `{"message-count":"1","messages":[{"status":"6","error-text":"Invalid message"}]}`}
}

// FailedAfterwards accepts the text and answers 500. The caller can't know that it was accepted, and no provider is known
// to honour an idempotency key for messages, so the text must not be sent again.
func FailedAfterwards() Behaviour {
	return Behaviour{Accept: true, Status: http.StatusInternalServerError, Body: `{"error":"internal"}`}
}

// NotJSON is the response of a proxy whose provider is down.
func NotJSON() Behaviour {
	return Behaviour{
		Status: http.StatusBadGateway, Body: "<html><body><h1>502 Bad Gateway</h1></body></html>",
		Header: http.Header{"Content-Type": {"text/html"}},
	}
}
