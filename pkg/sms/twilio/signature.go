package twilio

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's scheme
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// SignatureHeader is the header of a signed callback.
const SignatureHeader = "X-Twilio-Signature"

// Sign returns the signature of a callback: the base64 HMAC-SHA1, keyed with the account's auth token, of the address as Twilio called it, and of
// each parameter of the form with its value, in the order of their names (https://www.twilio.com/docs/usage/security#validating-requests).
func Sign(authToken, address string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(authToken))
	_, _ = mac.Write([]byte(address)) // never fails
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range slices.Sorted(slices.Values(form[name])) {
			_, _ = mac.Write([]byte(name + value))
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// spellings returns an address with and without the port that its scheme has anyway: Twilio signs either
// (https://github.com/twilio/twilio-go, client/request_validator.go).
func spellings(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	port := map[string]string{"https": "443", "http": "80"}[u.Scheme]
	with, without := *u, *u
	if u.Port() == "" {
		with.Host = u.Host + ":" + port
	}
	without.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	return []string{address, with.String(), without.String()}
}

// isSigned reports whether one of the spellings of an address was signed.
func isSigned(authToken, address string, form url.Values, signature string) bool {
	for _, spelling := range spellings(address) {
		if hmac.Equal([]byte(Sign(authToken, spelling, form)), []byte(signature)) {
			return true
		}
	}
	return false
}
