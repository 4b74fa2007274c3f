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

// Why a request is not ours, for receivers.
var (
	ErrSignature = errors.New("the signature does not match")
	ErrTimestamp = errors.New("the timestamp is missing or too far from now")
)

// Sign returns the signature header: v1= and the hex HMAC-SHA256 of "<timestamp>.<body>".
func Sign(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// Verify is the receiver's side: it checks a request's two headers against its body as it came, byte for byte, and that
// the timestamp is within tolerance of now. The error is ErrSignature or ErrTimestamp.
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
