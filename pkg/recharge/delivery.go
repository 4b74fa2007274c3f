package recharge

import (
	"crypto/sha256"
	"encoding/hex"
)

// DeliveryHash returns the SHA-256 of topic and body in hex. It identifies a webhook: Recharge sends no id of the
// delivery or the event, and no sequence number.
func DeliveryHash(topic Topic, body []byte) string {
	sum := sha256.New()
	sum.Write([]byte(topic + "\n"))
	sum.Write(body)
	return hex.EncodeToString(sum.Sum(nil))
}

// StoredHeaders returns the headers to store with a body: its timestamped signature can be verified again with them. The legacy
// signature is not stored. It never expires, so anyone who reads it could replay the webhook.
func StoredHeaders() []string {
	return []string{HeaderSignature, HeaderTimestamp, HeaderTopic, HeaderDomain}
}
