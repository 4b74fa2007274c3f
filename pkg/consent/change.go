package consent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// Status is what a number has decided.
type Status string

// The statuses.
const (
	OptedIn  Status = "opted_in"
	OptedOut Status = "opted_out"
)

// Source is what a change came by.
type Source string

// The sources.
const (
	ByKeyword     Source = "keyword"     // a reply, such as STOP
	ByDestination Source = "destination" // the SMS gateway or its platform
	ByImport      Source = "import"      // a list
	ByOperator    Source = "operator"    // a command
)

// MaxDetail is the longest Detail in bytes.
const MaxDetail = 200

// Change is one decision about a number. It is the value of a record of recharge.consent.
type Change struct {
	Store  string `json:"store"`
	Number string `json:"number"` // E.164
	Status Status `json:"status"`
	// At is when it was decided, by the clock of the source, in milliseconds.
	At time.Time `json:"at"`
	By Source    `json:"by"`
	// Detail is what By leaves open: the keyword, the source that a list names, the note of an operator. At most MaxDetail bytes.
	Detail string `json:"detail,omitempty"`
	// Event is the source's id of what happened, where the source does not say when: then At is when it was reported, and of the changes of a
	// number with the same event the earliest holds.
	Event string `json:"event,omitempty"`
}

// ErrChange means that a change is incomplete or not valid. The error has no number.
var ErrChange = errors.New("consent change is not valid")

// New returns a valid change: its number in its canonical form, its time in UTC milliseconds, its detail cut. The error is ErrChange.
func New(c Change) (Change, error) {
	number, err := sms.Canonical(c.Number)
	if err != nil {
		return Change{}, fmt.Errorf("%w: %w", ErrChange, err)
	}
	c.Number, c.At = number, c.At.UTC().Truncate(time.Millisecond)
	c.Detail = strings.ToValidUTF8(c.Detail[:min(len(c.Detail), MaxDetail)], "")
	return c, c.check()
}

// Decode decodes the value of a record. The error is ErrChange, and has neither the value nor the number.
func Decode(value []byte) (Change, error) {
	var c Change
	if err := json.Unmarshal(value, &c); err != nil {
		return Change{}, fmt.Errorf("%w: it is not the JSON of one", ErrChange)
	}
	return c, c.check()
}

// check checks all but the canonical form of the number.
func (c Change) check() error {
	switch {
	case !sms.IsE164(c.Number):
		return fmt.Errorf("%w: the number is not in E.164", ErrChange)
	case c.Store == "":
		return fmt.Errorf("%w: the store is missing", ErrChange)
	case c.Status != OptedIn && c.Status != OptedOut:
		return fmt.Errorf("%w: the status is neither %s nor %s", ErrChange, OptedIn, OptedOut)
	case c.At.Before(earliest()) || c.At.After(latest()):
		return fmt.Errorf("%w: the time is not between 2000 and 2200", ErrChange)
	case len(c.Event) > MaxDetail:
		return fmt.Errorf("%w: the event has more than %d bytes", ErrChange, MaxDetail)
	case !slices.Contains([]Source{ByKeyword, ByDestination, ByImport, ByOperator}, c.By):
		return fmt.Errorf("%w: what it came by is missing", ErrChange)
	}
	return nil
}

// Times outside are mistakes, such as seconds taken for milliseconds.
func earliest() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }
func latest() time.Time   { return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }

// Key returns the key of the change's record: {store}/{hash of store and number}/{time in milliseconds}/{status}, and for a change with an event
// /{hash of event}. The keys of a number are in the order of its changes, and the last one holds that does not repeat an event: "opted_out" comes
// after "opted_in".
//
// The hash keeps numbers out of what shows keys, such as logs, tools and the tombstones of deleted rows. It hides nothing from who may
// read the topic: the value has the number.
func (c Change) Key() string {
	key := fmt.Sprintf("%s%013d/%s", Prefix(c.Store, c.Number), c.At.UnixMilli(), c.Status)
	if c.Event == "" {
		return key
	}
	sum := sha256.Sum256([]byte(c.Event))
	return key + "/" + hex.EncodeToString(sum[:])[:hashLength]
}

// Record returns the record of a valid change that arrived now, for the topic recharge.consent under its full name.
func (c Change) Record(topic string, now time.Time) (kafka.Record, error) {
	value, err := envelope.Encode(c)
	if err != nil {
		return kafka.Record{}, fmt.Errorf("encode consent: %w", err)
	}
	event := envelope.Event{Schema: schemas.Consent, ID: c.Key(), Store: c.Store, At: c.At, Received: now}
	return kafka.Record{Topic: topic, Partition: kafka.ByKey, Key: []byte(c.Key()), Value: value, Headers: event.Headers(), Time: now}, nil
}

// Prefix returns the beginning of the keys of a store's number in E.164.
func Prefix(store, number string) string {
	sum := sha256.Sum256([]byte(store + "\n" + number))
	return store + "/" + hex.EncodeToString(sum[:])[:hashLength] + "/"
}

// hashLength is the length of the hash in a key: 128 bits in hex.
const hashLength = 32

// Newest returns the change that holds for each number, from the rows of a store in the order of their keys.
func Newest(rows iter.Seq2[string, Change]) (newest []Change) {
	for _, c := range decisions(rows) {
		if last := len(newest) - 1; last >= 0 && newest[last].Number == c.Number {
			newest[last] = c
			continue
		}
		newest = append(newest, c)
	}
	return newest
}
