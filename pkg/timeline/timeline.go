package timeline

import (
	"encoding/json"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// Customer is a customer of a store.
type Customer struct {
	Store string `json:"store"`
	ID    string `json:"recharge_customer_id"`
}

// Key returns the key of the customer's records.
func (c Customer) Key() string { return c.Store + "/" + c.ID }

// Timeline is what happened to a customer, oldest first.
type Timeline struct {
	Customer

	// Email is that of the customer's row, else of the last event; masked unless personal data is revealed.
	Email string `json:"email,omitempty"`
	// Partition is the one that was read of each topic; Partitions is how many there are.
	Partition  int       `json:"partition"`
	Partitions int       `json:"partitions"`
	Since      time.Time `json:"since,omitzero"`
	Entries    []Entry   `json:"entries"`
}

// Kind is what an entry is about.
type Kind string

// The kinds. A raw record that is no webhook is a lookup, an import, an owner record, a moved record or a deletion record.
const (
	KindWebhook    Kind = "webhook"
	KindLookup     Kind = "lookup"
	KindImport     Kind = "import"
	KindOwner      Kind = "owner"
	KindMoved      Kind = "moved"
	KindDeletion   Kind = "deletion"
	KindEvent      Kind = "event"
	KindFact       Kind = "fact"
	KindTrigger    Kind = "trigger"
	KindRevocation Kind = "revocation"
	KindRow        Kind = "row"
	KindText       Kind = "text"
	KindDeadLetter Kind = "dead_letter"
)

// State is how far an entry has come. That of a text is its status, see package message.
type State string

// The states.
const (
	Done       State = "done"        // a raw record with outputs; a revocation that was read
	NoOutput   State = "no_output"   // a raw record that was read and became no event, fact or trigger: Reason is the likely one. It may have changed rows
	Parked     State = "parked"      // waits for a lookup of its customer, or behind a record that does
	Waiting    State = "waiting"     // not read yet by its role, or sent to it again and not read yet
	Rejected   State = "rejected"    // a dead letter
	Replayed   State = "replayed"    // a dead letter that was sent to its role again
	Sent       State = "sent"        // the sink's group has committed an offset above it, and there is no dead letter
	NotTracked State = "not_tracked" // a fact that the store does not send
	Off        State = "off"         // the store has no destination for it
	NoText     State = "no_text"     // a trigger that was read and is in no text
	InText     State = "in_text"     // a trigger of a text
	Current    State = "current"     // a row that is in the table now
	Deleted    State = "deleted"     // a row that was removed
)

// Entry is a record, or a text with all its changes.
type Entry struct {
	// At is when the webhook was received; of other records when they were written, of a text when it changed last.
	At   time.Time `json:"at"`
	Kind Kind      `json:"kind"`
	// Type is the Recharge topic, the type and status of an event or fact, the flow of a trigger or text, the table of a row, or the role
	// of a dead letter.
	Type  string `json:"type,omitempty"`
	State State  `json:"state"`
	// Reason is why there is no output or no text, or why a record was rejected. Likely means that it was derived, not recorded.
	Reason reason.Reason `json:"reason,omitempty"`
	Likely bool          `json:"likely,omitempty"`
	// Detail names what it is about, such as charge 580825303, or has the words of who refused it.
	Detail string `json:"detail,omitempty"`
	// ID is that of the fact, the trigger or the text.
	ID string `json:"id,omitempty"`
	// Record is where the record is: topic/partition/offset.
	Record string `json:"record,omitempty"`
	// LatencyMS is the time from the receipt of the webhook to the output, in milliseconds.
	LatencyMS *int64 `json:"latency_ms,omitempty"`
	// Value is the value of the record, if personal data is revealed.
	Value json.RawMessage `json:"value,omitempty"`
	// Entries are the outputs of a raw record, the dead letters of a record, or the changes of a text.
	Entries []Entry `json:"entries,omitempty"`
}
