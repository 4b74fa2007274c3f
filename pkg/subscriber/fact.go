package subscriber

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// factID hashes what defines a fact, never its delivery: the same fact told
// twice has one id. Each part is preceded by its length, so that no two lists of
// parts run into one another. 32 hex digits.
func factID(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		sum.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// instant is how a time enters a fact id.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// changed is how the change that a webhook tells enters a fact id: its time, or
// the body itself where the time is missing. Never the time of receipt: the same
// webhook delivered again must be the same fact.
func (d *draft) changed(at time.Time) string {
	if at.IsZero() {
		return "body " + d.webhook.Hash
	}
	return instant(at)
}

// firstTime is the first time that is set.
func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}
