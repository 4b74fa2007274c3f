package twiliotest

import (
	"fmt"
	"net/http"

	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

// Refusal returns an error in Twilio's form (https://github.com/twilio/twilio-go, client/error.go).
func Refusal(status, code int, message string) smstest.Behaviour {
	return smstest.Behaviour{Status: status, Body: fmt.Sprintf(
		`{"code":%d,"message":%q,"more_info":"https://www.twilio.com/docs/errors/%[1]d","status":%[3]d}`, code, message, status)}
}

// InvalidTo is https://www.twilio.com/docs/api/errors/21211.
func InvalidTo() smstest.Behaviour {
	return Refusal(http.StatusBadRequest, 21211, "Invalid 'To' Phone Number")
}

// BadFrom is https://www.twilio.com/docs/api/errors/21606.
func BadFrom() smstest.Behaviour {
	return Refusal(http.StatusBadRequest, 21606, "The 'From' phone number provided is not a valid message-capable Twilio phone number for this destination")
}

// BadCredentials is https://www.twilio.com/docs/api/errors/20003.
func BadCredentials() smstest.Behaviour {
	return Refusal(http.StatusUnauthorized, 20003, "Authenticate")
}

// Suspended is https://www.twilio.com/docs/api/errors/20403.
func Suspended() smstest.Behaviour {
	return Refusal(http.StatusForbidden, 20403, "Forbidden")
}

// OptedOut is https://www.twilio.com/docs/api/errors/21610.
func OptedOut() smstest.Behaviour {
	return Refusal(http.StatusBadRequest, 21610, "Attempt to send to unsubscribed recipient")
}

// TestNumbers returns Twilio's magic numbers and their answers (https://www.twilio.com/docs/iam/test-credentials).
func TestNumbers() map[string]smstest.Behaviour {
	return map[string]smstest.Behaviour{
		"+15005550001": InvalidTo(),
		"+15005550002": Refusal(http.StatusBadRequest, 21612, "The 'To' phone number is not currently reachable using the 'From' phone number via SMS"),
		"+15005550003": Refusal(http.StatusBadRequest, 21408, "Permission to send an SMS has not been enabled for the region"),
		"+15005550004": OptedOut(),
		"+15005550009": Refusal(http.StatusBadRequest, 21614, "'To' number is not a valid mobile number"),
	}
}
