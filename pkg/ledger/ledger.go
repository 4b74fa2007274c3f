// Package ledger remembers every text message and what became of it, so that none is sent twice.
//
// A trigger is claimed before the provider is called, and the provider's answer is written down after it. A claim without
// an answer (a crash, a lost connection) is unknown from then on: the provider may have taken the text, so it is never
// sent again.
//
//	planned  --Claim-->                    claimed
//	claimed  --Accept-->                   accepted
//	claimed  --Reject-->                   rejected
//	claimed  --MarkUnknown, lease over-->  unknown
//	claimed  --Release-->                  planned    the provider has certainly not taken it
//	unknown  --Accept, Reject-->           accepted, rejected    late proof
//	rejected --Claim again-->              claimed    an operator wants it so; the provider has certainly not taken it
//
// Nothing else moves: what is accepted stays so, and what is unknown is never sent again.
//
// Every trigger has an id; it belongs to one message. In this version each trigger makes a message of its own; the tables
// let several join one.
//
// The ledger holds no phone numbers and no texts.
package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"
)

// DefaultLease is how long a claim counts as in hand: longer than any call to a provider takes.
const DefaultLease = 2 * time.Minute

// What may go wrong besides the storage.
var (
	ErrMove    = errors.New("the message's state does not allow that")
	ErrMessage = errors.New("no such message")
	ErrTrigger = errors.New("the trigger is faulty")
	ErrClosed  = errors.New("the ledger is closed")
)

// Ledger is the memory of texts. It is safe for concurrent use, also by several processes on one storage. Accept, Reject,
// MarkUnknown and Release write down what has happened: they do so even when ctx is already canceled.
type Ledger interface {
	// Claim asks to send the text of a trigger, and returns what to do in Claim.Outcome. Of all that ask at the same time
	// exactly one gets Claimed; it must call the provider and then Accept, Reject, MarkUnknown or Release.
	//
	// A claim of somebody else, or of this ledger, is InFlight while its lease lasts: ask again later. When it is over,
	// or when the storage knows that its owner is gone, the message becomes unknown. The error wraps ErrTrigger for a
	// faulty trigger: asking again does not help.
	Claim(ctx context.Context, t Trigger) (Claim, error)

	// Accept notes that the provider took the message; providerID may be "". It is allowed while claimed, and as late
	// proof when unknown. Repeating it changes nothing, but adds a provider id that was missing; another one than the
	// message has is ErrMove: it has been sent twice.
	Accept(ctx context.Context, messageID, providerID string) error

	// Reject notes that the provider refused the message for good, with a short code. Allowed as Accept is.
	Reject(ctx context.Context, messageID, code string) error

	// MarkUnknown notes that nobody can tell whether the provider took the message, with a short reason.
	MarkUnknown(ctx context.Context, messageID, why string) error

	// Release gives a claim back because the provider has certainly not taken the message: the next Claim may send it. It
	// is the only way to send a message again, so it takes the claim itself: only its holder may release it, once, and
	// only while the message has not become unknown. Otherwise ErrMove.
	Release(ctx context.Context, c Claim) error

	// Messages returns messages, oldest first.
	Messages(ctx context.Context, f Filter) ([]Message, error)

	// Counts returns how many messages of a store are in each state; of all stores for "". States without any are left out.
	Counts(ctx context.Context, store string) (map[State]int, error)

	// Close ends the ledger. Its claims without an answer become unknown.
	Close() error
}

// Trigger asks for one text.
type Trigger struct {
	ID         string    // unique, at most 200 bytes
	Store      string    // name of the store
	Flow       string    // key of the flow
	Cause      string    // what the text is about, the same for triggers that one text may answer; may be ""
	CustomerID string    // Recharge's number of the customer
	OccurredAt time.Time // source time

	// Again says that an operator asks once more: a message that was rejected may be claimed. Any other is what it is.
	Again bool
}

// Outcome says what to do with a trigger.
type Outcome string

// The outcomes of Claim.
const (
	Claimed         Outcome = "claimed"          // yours: send it now
	InFlight        Outcome = "in_flight"        // somebody is sending it: ask again later
	AlreadyAccepted Outcome = "already_accepted" // the provider took it: done
	AlreadyRejected Outcome = "already_rejected" // the provider refused it: done, unless asked Again
	Unknown         Outcome = "unknown"          // it may have been sent: done, never again
)

// Claim is the answer to a trigger.
type Claim struct {
	MessageID string
	SendKey   string // identity of the text towards the provider
	Outcome   Outcome
	Attempt   int    // with Claimed: 1 for the first
	Owner     string // with Claimed: the ledger that holds it
}

// State is where a message stands.
type State string

// The states of a message.
const (
	StatePlanned  State = "planned"  // to be sent
	StateClaimed  State = "claimed"  // being sent
	StateAccepted State = "accepted" // the provider took it
	StateRejected State = "rejected" // the provider refused it
	StateUnknown  State = "unknown"  // nobody can tell
)

// Message is a text and its life.
type Message struct {
	ID         string
	Store      string
	Flow       string
	Cause      string
	CustomerID string
	State      State
	Attempts   int      // how often it was claimed
	ProviderID string   // of an accepted one, if the provider said
	Code       string   // why it was rejected, or is unknown
	Triggers   []string // ids, oldest first
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Filter chooses messages; what is empty does not restrict.
type Filter struct {
	Store string
	Flow  string
	State State
	Limit int // at most so many; 0 is 1,000
}

// Options configure a ledger.
type Options struct {
	Lease time.Duration    // how long a claim counts as in hand; 0 is DefaultLease
	Now   func() time.Time // nil is time.Now

	// Sole says that no other process sends texts from this storage. Then a claim that an earlier process left behind
	// is unknown at once, not only when its lease is over. If it is not true, nothing is sent twice all the same: the
	// other process's claim becomes unknown early, and its answer is noted when it comes.
	Sole bool
}

// Defaults fills in what is not set.
func (o Options) Defaults() Options {
	if o.Lease <= 0 {
		o.Lease = DefaultLease
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// SendKey returns the identity of a trigger's text: the hex SHA-256 of "store|flow|trigger id".
func SendKey(t Trigger) string {
	sum := sha256.Sum256([]byte(t.Store + "|" + t.Flow + "|" + t.ID))
	return hex.EncodeToString(sum[:])
}
