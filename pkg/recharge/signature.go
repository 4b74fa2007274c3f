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

// Headers that Recharge sends with a webhook. The last two are sent in practice
// and not documented, so they are kept and never relied on.
const (
	HeaderSignature       = "X-Recharge-Webhook-Signature"
	HeaderTimestamp       = "X-Recharge-Webhook-Timestamp"
	HeaderLegacySignature = "X-Recharge-Hmac-Sha256"
	HeaderTopic           = "X-Recharge-Topic"
	HeaderDomain          = "X-Recharge-External-Platform-Domain"
)

// SignatureWindow is how far a signature's timestamp may lie from now.
// https://changelog.getrecharge.com/webhook-signatures-now-support-timestamp-verification-4jEmOs
const SignatureWindow = 48 * time.Hour

// Scheme names the signature scheme that a webhook was verified with.
type Scheme string

// The two schemes; both are sent with every delivery.
const (
	SchemeTimestamped Scheme = "timestamped"
	SchemeLegacy      Scheme = "legacy"
)

// Why a webhook's signature was refused.
var (
	ErrNoSignature      = errors.New("no signature header")
	ErrBadSignature     = errors.New("signature matches none of the store's secrets")
	ErrSignatureExpired = errors.New("signature timestamp is more than 48 h from now")
	ErrSignatureFormat  = errors.New("signature header is not of the form t=UNIX_SECONDS,v1=HEX")
)

// Verify reports which scheme proves that body was sent by the owner of one of
// secrets (API client secrets; several while one is being rotated). When the
// timestamped header is present it alone decides: a failed one is never made
// good by the legacy header. Comparisons take constant time.
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

// parseSignature reads "t=...,v1=..." by key: other versions may come beside v1,
// and v1 may come more than once.
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

// matchAny tries every secret against every given value, whatever has matched.
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

// SignTimestamped is HMAC-SHA-256 of "<stamp>.<body>", keyed with secret; stamp
// is in unix seconds.
func SignTimestamped(stamp string, body []byte, secret string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// SignLegacy is the plain SHA-256 of secret and body. The header's name says
// HMAC; it is none. https://docs.getrecharge.com/docs/webhooks-overview
func SignLegacy(body []byte, secret string) []byte {
	sum := sha256.New()
	sum.Write([]byte(secret))
	sum.Write(body)
	return sum.Sum(nil)
}
