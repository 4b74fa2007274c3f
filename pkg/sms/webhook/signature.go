package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"time"
)

// The headers of a signed request.
const (
	TimestampHeader = "X-Rechargeflow-Timestamp" // UNIX seconds
	SignatureHeader = "X-Rechargeflow-Signature" // v1=<hex>
)

// Errors of Verify.
var (
	ErrSignature = errors.New("signature does not match")
	ErrTimestamp = errors.New("timestamp is missing or too far from now")
)

// Sign returns the value of the signature header: v1= and the hex HMAC-SHA256 of "<timestamp>.<body>".
func Sign(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// Verify checks the two headers of a request against the bytes of its body, and that the timestamp is within tolerance of
// now. Receivers call it. The error is ErrSignature or ErrTimestamp.
func Verify(secret, timestamp, signature string, body []byte, now time.Time, tolerance time.Duration) error {
	if !hmac.Equal([]byte(Sign(secret, timestamp, body)), []byte(signature)) {
		return ErrSignature
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return ErrTimestamp
	}
	return nil
}
