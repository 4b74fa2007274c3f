package subscriber

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
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

// Emitted holds the emitted facts of a customer, by the month ("2006-01") in which they were first received. A fact is stored
// as the first eight bytes of its id, which are unique among the facts of one customer.
type Emitted map[string]ShortIDs

// ShortIDs are the first eight bytes of fact ids, in the order in which the facts were emitted. Their JSON is that of all bytes.
type ShortIDs []uint64

// Append appends the bytes.
func (ids ShortIDs) Append(b []byte) []byte {
	for _, id := range ids {
		b = binary.BigEndian.AppendUint64(b, id)
	}
	return b
}

// ReadShortIDs reads what Append has appended.
func ReadShortIDs(b []byte) (ShortIDs, error) {
	if len(b)%8 != 0 {
		return nil, fmt.Errorf("fact ids have %d bytes, not a multiple of 8", len(b))
	}
	ids := make(ShortIDs, len(b)/8)
	for i := range ids {
		ids[i] = binary.BigEndian.Uint64(b[8*i:])
	}
	return ids, nil
}

// UnmarshalJSON reads the bytes in base64.
func (ids *ShortIDs) UnmarshalJSON(raw []byte) error {
	var b []byte
	err := json.Unmarshal(raw, &b)
	if err != nil {
		return err
	}
	*ids, err = ReadShortIDs(b)
	return err
}

// MarshalJSON writes the bytes in base64.
func (ids ShortIDs) MarshalJSON() ([]byte, error) { return json.Marshal(ids.Append(nil)) }

// emittedMonths is how many months are stored besides the current one. That is longer than the 400 days of retention for raw
// webhooks, so that a webhook that is read again emits no duplicates.
const emittedMonths = 14

func month(at time.Time) string { return at.UTC().Format("2006-01") }

func short(id string) uint64 {
	b, err := hex.DecodeString(id[:min(len(id), 16)])
	if err != nil || len(b) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func (e Emitted) has(id string) bool {
	s := short(id)
	for _, ids := range e {
		if slices.Contains(ids, s) {
			return true
		}
	}
	return false
}

func (e Emitted) add(id string, receivedAt time.Time) {
	m := month(receivedAt)
	e[m] = append(slices.Clip(e[m]), short(id))
}

// OldestEmitted is the first month whose facts are kept at a time.
func OldestEmitted(now time.Time) string {
	now = now.UTC()
	return month(time.Date(now.Year(), now.Month()-emittedMonths, 1, 0, 0, 0, 0, time.UTC))
}

// expire removes expired months.
func (e Emitted) expire(now time.Time) {
	oldest := OldestEmitted(now)
	for m := range e {
		if m < oldest {
			delete(e, m)
		}
	}
}

func (e Emitted) clone() Emitted {
	c := make(Emitted, len(e))
	for m, ids := range e {
		c[m] = ids
	}
	return c
}
