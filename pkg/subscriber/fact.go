package subscriber

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// factID hashes the parts that define a fact. The delivery is not part of it, so a fact that is delivered twice has the same
// id. Each part is preceded by its length, so that different lists of parts hash different bytes. The id has 32 hex digits.
func factID(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		sum.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// instant formats a time for a fact id.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// changed formats the time of a webhook's change for a fact id; without a time, the hash of the body. It does not depend on the
// time of receipt: the same webhook, delivered again, must be the same fact.
func (d *draft) changed(at time.Time) string {
	if at.IsZero() {
		return "body " + d.webhook.Hash
	}
	return instant(recharge.Earliest(at))
}

// firstTime returns the first non-zero time.
func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}
