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
