// Package ledger records every text message and its outcome, so that none is sent twice.
//
// A trigger is claimed before the provider is called, and the provider's answer is recorded afterwards. A claim without an
// answer, such as after a crash or a lost connection, becomes unknown: the provider may have accepted the text, so it is never
// sent again.
//
//	planned  --Claim-->                    claimed
//	claimed  --Accept-->                   accepted
//	claimed  --Reject-->                   rejected
//	claimed  --MarkUnknown, lease over-->  unknown
//	claimed  --Release-->                  planned    the provider did not accept it
//	unknown  --Accept, Reject-->           accepted, rejected    a late answer
//	rejected --Claim again-->              claimed    an operator retries it; the provider did not accept it
//
// There are no other transitions: an accepted message stays accepted, an unknown one is never sent again.
//
// Every trigger has an id and belongs to one message. In this version each trigger has its own message; the tables allow
// several triggers per message.
//
// The ledger contains no phone numbers and no texts.
package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"
)

// DefaultLease is how long a claim is in flight: longer than any call to a provider.
const DefaultLease = 2 * time.Minute

// Errors of a Ledger, besides those of its storage.
var (
	ErrMove    = errors.New("transition not allowed")
	ErrMessage = errors.New("no such message")
	ErrTrigger = errors.New("invalid trigger")
	ErrClosed  = errors.New("ledger is closed")
)

// Ledger records texts. It is safe for concurrent use, also by several processes on one storage. Accept, Reject,
// MarkUnknown and Release record what happened, even when ctx is already canceled.
type Ledger interface {
	// Claim claims the text of a trigger. Claim.Outcome says what to do next. Of concurrent callers exactly one gets Claimed:
	// it must call the provider and then Accept, Reject, MarkUnknown or Release.
	//
	// An existing claim is InFlight until its lease ends: retry later. When the lease ends, or when the storage knows that the
	// owner is gone, the message becomes unknown. The error wraps ErrTrigger for an invalid trigger.
	Claim(ctx context.Context, t Trigger) (Claim, error)

	// Accept records that the provider accepted the message; providerID may be "". The message must be claimed, or unknown
	// for a late answer. A repeated call only adds a missing provider id. A different provider id is ErrMove: the message
	// was sent twice.
	Accept(ctx context.Context, messageID, providerID string) error

	// Reject records that the provider refused the message for good, with a short code. It is allowed when Accept is.
	Reject(ctx context.Context, messageID, code string) error

	// MarkUnknown records that the message was perhaps accepted, with a short reason.
	MarkUnknown(ctx context.Context, messageID, reason string) error

	// Release ends a claim because the provider did not accept the message: the next Claim may send it. Only the holder of
	// the claim can release it, once, and not after the message became unknown. Otherwise the error is ErrMove.
	Release(ctx context.Context, c Claim) error

	// Messages returns messages, oldest first.
	Messages(ctx context.Context, f Filter) ([]Message, error)

	// Counts returns how many messages of a store are in each state; of all stores for "". States without messages are left out.
	Counts(ctx context.Context, store string) (map[State]int, error)

	// Close closes the ledger. Its claims without an answer become unknown.
	Close() error
}

// Trigger is a request for one text.
type Trigger struct {
	ID         string    // unique, at most 200 bytes
	Store      string    // name of the store
	Flow       string    // key of the flow
	Cause      string    // the same for triggers that one text can cover; may be ""
	CustomerID string    // Recharge customer id
	OccurredAt time.Time // source time

	// Again is an operator's retry: a rejected message may be claimed. Other states don't change.
	Again bool
}

// Outcome is the next step for a trigger.
type Outcome string

// The outcomes of Claim.
const (
	Claimed         Outcome = "claimed"          // by the caller: send it now
	InFlight        Outcome = "in_flight"        // claimed already: retry later
	AlreadyAccepted Outcome = "already_accepted" // accepted by the provider: done
	AlreadyRejected Outcome = "already_rejected" // refused by the provider: done, unless Again
	Unknown         Outcome = "unknown"          // perhaps sent: done, no retry
)

// Claim is the result of claiming a trigger.
type Claim struct {
	MessageID string
	SendKey   string // id of the text for the provider
	Outcome   Outcome
	Attempt   int    // with Claimed: 1 for the first
	Owner     string // with Claimed: the ledger that holds it
}

// State is the state of a message.
type State string

// The states of a message.
const (
	StatePlanned  State = "planned"  // to be sent
	StateClaimed  State = "claimed"  // being sent
	StateAccepted State = "accepted" // accepted by the provider
	StateRejected State = "rejected" // refused by the provider
	StateUnknown  State = "unknown"  // perhaps accepted
)

// Message is a text and its state.
type Message struct {
	ID         string
	Store      string
	Flow       string
	Cause      string
	CustomerID string
	State      State
	Attempts   int      // number of claims
	ProviderID string   // of an accepted message; may be ""
	Code       string   // reason of rejected or unknown
	Triggers   []string // ids, oldest first
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Filter selects messages. Empty fields match all.
type Filter struct {
	Store string
	Flow  string
	State State
	Limit int // 0 is 1,000
}

// Options configure a ledger.
type Options struct {
	Lease time.Duration    // how long a claim is in flight; 0 is DefaultLease
	Now   func() time.Time // nil is time.Now

	// Sole means that no other process sends texts from this storage. Then a claim of an earlier process becomes unknown at
	// once, not only after its lease. If there is another process, nothing is sent twice either: its claim becomes unknown
	// early, and its answer is recorded when it comes.
	Sole bool
}

// Defaults returns the options with defaults for unset fields.
func (o Options) Defaults() Options {
	if o.Lease <= 0 {
		o.Lease = DefaultLease
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// SendKey returns the id of a trigger's text: the hex SHA-256 of "store|flow|trigger id".
func SendKey(t Trigger) string {
	sum := sha256.Sum256([]byte(t.Store + "|" + t.Flow + "|" + t.ID))
	return hex.EncodeToString(sum[:])
}
