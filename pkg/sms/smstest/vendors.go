package smstest

import (
	"fmt"
	"net/http"
	"time"
)

// These are the ways of real providers, as far as a gateway of one address can show them. Twilio's errors have the shape
// {code, message, more_info, status} (https://github.com/twilio/twilio-go, client/error.go).

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

// NotCapable is a refusal for good: the number takes no texts, as a landline. Twilio's 21614
// (https://www.twilio.com/docs/api/errors/21614).
func NotCapable() Behaviour {
	return twilio(http.StatusBadRequest, 21614, "'To' number is not a valid mobile number")
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

// BadSender is trouble of the account that comes as a 400, as if it were the text's: Twilio's 21606
// (https://www.twilio.com/docs/api/errors/21606). The webhook driver believes the status; what stands between it and Twilio
// has to answer 403 instead.
func BadSender() Behaviour {
	return twilio(http.StatusBadRequest, 21606, "The 'From' phone number is not a valid, SMS-capable inbound phone number")
}

// Overloaded is Twilio's own 429, code 20429, without a Retry-After (https://www.twilio.com/docs/api/errors/20429).
func Overloaded() Behaviour { return twilio(http.StatusTooManyRequests, 20429, "Too Many Requests") }

// TestNumbers are Twilio's magic numbers that a text is sent to, and what comes of it
// (https://www.twilio.com/docs/iam/test-credentials), for [Gateway.ForNumber].
func TestNumbers() map[string]Behaviour {
	return map[string]Behaviour{
		"+15005550001": InvalidNumber(), "+15005550002": Unroutable(), "+15005550003": RegionNotEnabled(),
		"+15005550004": OptedOut(), "+15005550009": NotCapable(),
	}
}

// QueueFull is a refusal for now that comes as a 400: Twilio's 21611, "not created: retry later"
// (https://www.twilio.com/docs/api/errors/21611).
func QueueFull() Behaviour {
	return twilio(http.StatusBadRequest, 21611, "This 'From' number has exceeded the maximum number of queued messages")
}

// BadCredentials is Twilio's 20003 (https://www.twilio.com/docs/api/errors/20003).
func BadCredentials() Behaviour {
	return twilio(http.StatusUnauthorized, 20003, "Authenticate")
}

// TooManyRequests is Postscript's 429, which comes without a Retry-After
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

// NeverSent accepts with 202 a text that nobody gets: Postscript looks for its subscriber afterwards, so that "an unknown
// phone still gives 202" (https://developers.postscript.io/reference/create-custom-event); Klaviyo is silent likewise about
// a number where texts are not enabled. No status tells it from Queued.
func NeverSent() Behaviour {
	return Behaviour{Status: http.StatusAccepted, Body: `{"event_ids":["00000000-0000-4000-8000-000000000001"]}`}
}

// FailedInside answers 200 although the text was refused, as Vonage does: "HTTP 200 even on failure, look at
// messages[].status" (https://github.com/api-evangelist/vonage). The webhook driver believes the status alone and takes
// the text as accepted: what stands between it and such a provider has to answer 4xx instead.
func FailedInside() Behaviour {
	return Behaviour{Status: http.StatusOK, Body: `{"message-count":"1","messages":[{"status":"6","error-text":"Invalid message"}]}`}
}

// FailedAfterwards accepts the text and answers 500 all the same: nobody can tell it from one that was not accepted. No
// provider's message route is known to honour an idempotency key, so that the text must not be sent again.
func FailedAfterwards() Behaviour {
	return Behaviour{Accept: true, Status: http.StatusInternalServerError, Body: `{"error":"internal"}`}
}

// NotJSON is what a proxy in front of a provider says when the provider is away.
func NotJSON() Behaviour {
	return Behaviour{
		Status: http.StatusBadGateway, Body: "<html><body><h1>502 Bad Gateway</h1></body></html>",
		Header: http.Header{"Content-Type": {"text/html"}},
	}
}
