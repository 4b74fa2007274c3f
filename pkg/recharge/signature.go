package recharge

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Headers of a webhook. The last two are not documented: they are stored but not used.
const (
	HeaderSignature       = "X-Recharge-Webhook-Signature"
	HeaderTimestamp       = "X-Recharge-Webhook-Timestamp"
	HeaderLegacySignature = "X-Recharge-Hmac-Sha256"
	HeaderTopic           = "X-Recharge-Topic"
	HeaderDomain          = "X-Recharge-External-Platform-Domain"
)

// SignatureWindow is the maximum difference between a signature's timestamp and now, in either direction.
// https://changelog.getrecharge.com/webhook-signatures-now-support-timestamp-verification-4jEmOs
const SignatureWindow = 48 * time.Hour

// Scheme is the signature scheme that a webhook was verified with.
type Scheme string

// The two schemes. Recharge sends both with every delivery.
const (
	SchemeTimestamped Scheme = "timestamped"
	SchemeLegacy      Scheme = "legacy"
)

// Errors of Verify.
var (
	ErrNoSignature      = errors.New("no signature header")
	ErrBadSignature     = errors.New("signature does not match any secret of the store")
	ErrSignatureExpired = errors.New("signature timestamp is more than 48 h from now")
	ErrSignatureFormat  = errors.New("signature header is not of the form t=UNIX_SECONDS,v1=HEX")
)

// Verify checks the signature of body against the API client secrets (several during a rotation) and returns the scheme. If the
// timestamped header is present, the legacy header is ignored, even if it is valid. Comparisons take constant time.
func Verify(h http.Header, body []byte, secrets []string, now time.Time) (Scheme, error) {
	if sig := h.Get(HeaderSignature); sig != "" {
		return SchemeTimestamped, verifyTimestamped(sig, body, secrets, now)
	}
	if sig := h.Get(HeaderLegacySignature); sig != "" {
		return SchemeLegacy, verifyLegacy(sig, body, secrets)
	}
	return "", ErrNoSignature
}

func verifyTimestamped(sig string, body []byte, secrets []string, now time.Time) error {
	stamp, given, err := parseSignature(sig)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return ErrSignatureFormat
	}
	if now.Sub(time.Unix(seconds, 0)).Abs() > SignatureWindow {
		return ErrSignatureExpired
	}
	return matchAny(given, secrets, func(secret string) []byte { return SignTimestamped(stamp, body, secret) })
}

func verifyLegacy(sig string, body []byte, secrets []string) error {
	given, err := hex.DecodeString(strings.TrimSpace(sig))
	if err != nil {
		return ErrBadSignature
	}
	return matchAny([][]byte{given}, secrets, func(secret string) []byte { return SignLegacy(body, secret) })
}

// parseSignature parses "t=...,v1=...". There may be other versions beside v1, and several v1.
func parseSignature(sig string) (stamp string, v1 [][]byte, err error) {
	for part := range strings.SplitSeq(sig, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch key {
		case "t":
			stamp = value
		case "v1":
			mac, err := hex.DecodeString(value)
			if err != nil {
				return "", nil, ErrSignatureFormat
			}
			v1 = append(v1, mac)
		}
	}
	if stamp == "" || len(v1) == 0 {
		return "", nil, ErrSignatureFormat
	}
	return stamp, v1, nil
}

// matchAny compares every secret with every given value, even after a match.
func matchAny(given [][]byte, secrets []string, sign func(secret string) []byte) error {
	matched := false
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		want := sign(secret)
		for _, g := range given {
			matched = hmac.Equal(want, g) || matched
		}
	}
	if !matched {
		return ErrBadSignature
	}
	return nil
}

// SignTimestamped returns the HMAC-SHA-256 of "<stamp>.<body>" with secret as its key; stamp is in UNIX seconds.
func SignTimestamped(stamp string, body []byte, secret string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// SignLegacy returns the SHA-256 of secret and body. Despite the header's name it is not an HMAC
// (https://docs.getrecharge.com/docs/webhooks-overview).
func SignLegacy(body []byte, secret string) []byte {
	sum := sha256.New()
	sum.Write([]byte(secret))
	sum.Write(body)
	return sum.Sum(nil)
}
