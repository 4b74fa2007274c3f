package recharge

import (
	"crypto/sha256"
	"encoding/hex"
)

// DeliveryHash tells one webhook from another: Recharge sends no id of the
// delivery, the event or its place in a sequence. SHA-256 of topic and body, hex.
func DeliveryHash(topic Topic, body []byte) string {
	sum := sha256.New()
	sum.Write([]byte(topic + "\n"))
	sum.Write(body)
	return hex.EncodeToString(sum.Sum(nil))
}

// KeptHeaders are the headers of a delivery that are worth keeping with its body:
// with them anybody can verify it again.
func KeptHeaders() []string {
	return []string{HeaderSignature, HeaderTimestamp, HeaderLegacySignature, HeaderTopic, HeaderDomain}
}
