package credentials

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	errNotAToken = errors.New("expected a bearer token: letters, digits and - . _ ~ + / with = at the end (RFC 6750, section 2.1)")
	errNotJSON   = errors.New(`expected {"token": "...", "expires_in": seconds}: the JSON object can't be read`)
)

// parseToken checks the form of a token, https://www.rfc-editor.org/rfc/rfc6750#section-2.1. Errors do not contain it.
func parseToken(text string) (string, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`).MatchString(text) {
		return "", errNotAToken
	}
	return text, nil
}

// token is a token and when it expires; the zero time if that is unknown.
type token struct {
	text    string
	expires time.Time
}

// parseOutput reads the output of a command: a token alone, or a JSON object with the token and its expiry. The names are those
// of OAuth 2.0 (access_token, expires_in in seconds, https://www.rfc-editor.org/rfc/rfc6749#section-5.1) and of AWS's signers
// (token, expiration_time_ms since 1970, https://github.com/aws/aws-msk-iam-sasl-signer-go). Without an expiry the token is
// searched for one.
func parseOutput(output string, now time.Time) (token, error) {
	output = strings.TrimSpace(output)
	if !strings.HasPrefix(output, "{") {
		text, err := parseToken(output)
		return token{text: text, expires: expiryOf(text)}, err
	}
	var object struct {
		Token       string  `json:"token"`
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
		ExpiresAt   float64 `json:"expiration_time_ms"`
	}
	if err := json.Unmarshal([]byte(output), &object); err != nil {
		return token{}, errNotJSON // the cause could quote the output
	}
	if object.Token == "" {
		object.Token = object.AccessToken
	}
	text, err := parseToken(object.Token)
	switch {
	case err != nil:
		return token{}, err
	case object.ExpiresAt > 0:
		return token{text: text, expires: time.UnixMilli(int64(object.ExpiresAt))}, nil
	case object.ExpiresIn > 0:
		return token{text: text, expires: now.Add(time.Duration(object.ExpiresIn * float64(time.Second)))}, nil
	}
	return token{text: text, expires: expiryOf(text)}, nil
}

// expiryOf returns the expiry of a token that contains it: a JWT, or one of AWS's signers. Nothing is verified.
func expiryOf(text string) time.Time {
	var claims struct {
		Expires float64 `json:"exp"`
	}
	if readClaims(text, &claims) && claims.Expires > 0 {
		return time.Unix(int64(claims.Expires), 0)
	}
	return expiryOfSigned(text)
}

// Subject returns the subject of a JWT, which Kafka uses as the name of the user by default; "" if the token has none.
func Subject(text string) string {
	var claims struct {
		Subject string `json:"sub"`
	}
	_ = readClaims(text, &claims) // empty if it fails
	return claims.Subject
}

func readClaims(text string, into any) bool {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	return err == nil && json.Unmarshal(payload, into) == nil
}

// expiryOfSigned returns the expiry of a token for Amazon MSK: a presigned URL in base64
// (https://github.com/aws/aws-msk-iam-sasl-signer-go/blob/v1.0.0/signer/msk_auth_token_provider.go).
func expiryOfSigned(text string) time.Time {
	decoded, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return time.Time{}
	}
	signed, err := url.Parse(string(decoded))
	if err != nil {
		return time.Time{}
	}
	query := signed.Query()
	at, err := time.Parse("20060102T150405Z", query.Get("X-Amz-Date"))
	seconds, failed := strconv.Atoi(query.Get("X-Amz-Expires"))
	if err != nil || failed != nil {
		return time.Time{}
	}
	return at.Add(time.Duration(seconds) * time.Second)
}
