package message

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// Receipt says what came of a claim, or reports a delivery. It is the value of a record in recharge.sms-receipts.
type Receipt struct {
	Store      string `json:"store"`
	CustomerID string `json:"recharge_customer_id"`
	MessageID  string `json:"message_id"`
	// Attempt is that of the claim, 0 for a report of the provider, which says that it has the text.
	Attempt int `json:"attempt,omitempty"`
	// Outcome is Accepted, Rejected, Unknown, Sent, Delivered or Undelivered; Planned means that the text was certainly not sent.
	Outcome    Status    `json:"outcome"`
	At         time.Time `json:"at"`
	RetryAt    time.Time `json:"retry_at,omitzero"` // of Planned
	ProviderID string    `json:"provider_id,omitempty"`
	// LookedUp means that the call was not answered, and that the provider has a text like it, see sms.Finder.
	LookedUp bool   `json:"looked_up,omitempty"`
	Code     string `json:"code,omitempty"`
	Error    string `json:"error,omitempty"` // the provider's words, at most MaxError bytes
}

// MaxError is the longest Error in bytes.
const MaxError = 500

const (
	// CodeResolved is the code of a text whose outcome an operator found out. A provider can't send it.
	CodeResolved = "resolved_by_operator"
	// ResolvedBy begins the Error of such a text: the operator's name and, after ": ", a note follow.
	ResolvedBy = "found out by "
)

// ErrReceipt means that a receipt can't be read as one.
var ErrReceipt = errors.New("receipt is incomplete")

// Receive applies a receipt. It returns why it has no effect: MessageUnknown, or ReceiptOutdated if the message is past it.
func (b *Book) Receive(r Receipt) (reason.Reason, error) {
	if err := r.check(); err != nil {
		return "", err
	}
	m, err := b.message(r.Store, r.CustomerID, r.MessageID)
	switch {
	case err != nil:
		return "", err
	case m == nil:
		return reason.MessageUnknown, nil
	}
	if r.LookedUp {
		if r, err = b.verify(m, r); err != nil {
			return "", err
		}
	}
	before := snapshot(m)
	if !m.receive(r) {
		return reason.ReceiptOutdated, nil
	}
	return "", b.saveReceived(&before, m)
}

// saveReceived saves a message that a receipt has moved.
func (b *Book) saveReceived(before, m *Message) error {
	if m.Status != Planned {
		return b.saveAnswered(before, m)
	}
	for i := range m.Triggers { // it is sent again: late triggers are in time, and some may be revoked
		m.Triggers[i].Late = false
	}
	m.lead()
	return b.replan(before, m)
}

// CodeAlike is the code of a text that was not answered, and of which the provider has one like it, which may be another one.
const CodeAlike = "found_alike"

// alike is how long before a text another one may have been claimed that a look-up takes for it: the clocks may differ by a minute, and sms.timeout
// is at most 5 minutes.
const alike = 10 * time.Minute

// verify returns the receipt of a look-up, which is unknown if the text that was found may be another one of the customer. Whatever the provider had
// then was claimed before, so the rows have it.
func (b *Book) verify(m *Message, r Receipt) (Receipt, error) {
	all, err := b.OfCustomer(m.Store, m.CustomerID)
	for _, other := range all {
		found := other.ProviderID == "" || other.ProviderID == r.ProviderID
		if found && other.ID != m.ID && other.maybeSent() && !other.ClaimedAt.Before(m.ClaimedAt.Add(-alike)) {
			r.Outcome, r.ProviderID, r.Code = Unknown, "", CodeAlike
		}
	}
	return r, err
}

// saveAnswered saves a message that the provider has answered. It counts a text that the provider has now.
func (b *Book) saveAnswered(before, m *Message) error {
	if rank(before.Status) < rank(Accepted) && rank(m.Status) >= rank(Accepted) && !m.isErased() {
		if err := b.noteOptOut(m); err != nil {
			return err
		}
	}
	return b.save(before, m)
}

func (r Receipt) check() error {
	switch {
	case r.Store == "" || r.CustomerID == "" || r.MessageID == "" || r.At.IsZero() || rank(r.Outcome) == 0:
		return fmt.Errorf("%w: it needs store, recharge_customer_id, message_id, at and an outcome, which is %q", ErrReceipt, r.Outcome)
	case r.Attempt == 0 && rank(r.Outcome) < rank(Accepted):
		return fmt.Errorf("%w: outcome %q needs the attempt: only the process that called the provider knows", ErrReceipt, r.Outcome)
	}
	return nil
}

// rank orders the outcomes by how much they prove; 0 for others. Of the reports of a provider the one with the highest rank holds, so their order
// makes no difference.
func rank(s Status) int {
	switch s {
	case Planned, Unknown:
		return 1
	case Rejected:
		return 2
	case Accepted:
		return 3
	case Sent:
		return 4
	case Undelivered:
		return 5
	case Delivered: // some providers report a failure first, and try on
		return 6
	}
	return 0
}

// receive moves the message, and reports whether the receipt is news.
func (m *Message) receive(r Receipt) bool {
	if !m.expects(r) {
		return false
	}
	m.Status, m.Lease, m.ReleaseAt = r.Outcome, time.Time{}, time.Time{}
	if r.Outcome == Planned {
		m.releaseAt(r.RetryAt)
		if r.RetryAt.IsZero() {
			m.releaseAt(r.At)
		}
	}
	m.ProviderID = cmp.Or(r.ProviderID, m.ProviderID)
	m.Code, m.Error = r.Code, strings.ToValidUTF8(r.Error[:min(len(r.Error), MaxError)], "")
	return true
}

// expects reports whether a receipt is news. What proves that the provider has the text counts whichever claim it is of.
func (m *Message) expects(r Receipt) bool {
	current := r.Attempt == 0 || r.Attempt == m.Attempt
	open := m.Status == Claimed || m.Status == Unknown && r.Outcome != Unknown
	switch {
	case m.Status == Suppressed || m.Attempt == 0: // never claimed
		return false
	case rank(r.Outcome) < rank(Accepted):
		return current && open
	}
	return open || rank(m.Status) < rank(r.Outcome)
}
