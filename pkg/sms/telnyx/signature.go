package telnyx

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// The headers of a signed callback.
const (
	SignatureHeader = "Telnyx-Signature-Ed25519" // base64
	TimestampHeader = "Telnyx-Timestamp"         // UNIX seconds
)

// Tolerance is how far the time of a signature may be from now.
const Tolerance = 5 * time.Minute

// Signed returns what is signed: the timestamp, a bar and the body
// (https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks).
func Signed(timestamp string, body []byte) []byte { return append([]byte(timestamp+"|"), body...) }

// parseKey parses a public key as Telnyx's portal shows it: the base64 of its 32 bytes.
func parseKey(text string) (ed25519.PublicKey, error) {
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("decode public key: %w", err)
	}
	if len(key) != ed25519.PublicKeySize {
		return nil, errors.New("the public key is not the base64 of 32 bytes")
	}
	return key, nil
}

// verify returns sms.ErrBadSignature or sms.ErrSignatureExpired, nil for a signed callback.
func verify(key ed25519.PublicKey, h http.Header, body []byte, now time.Time) error {
	timestamp := h.Get(TimestampHeader)
	signature, err := base64.StdEncoding.DecodeString(h.Get(SignatureHeader))
	if err != nil || !ed25519.Verify(key, Signed(timestamp, body), signature) {
		return sms.ErrBadSignature
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > Tolerance {
		return sms.ErrSignatureExpired
	}
	return nil
}
