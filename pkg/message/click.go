package message

import (
	"fmt"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// Click is a request for a short link of a text. It is the value of a record in recharge.sms-receipts. It has no address of who clicked.
type Click struct {
	Store      string    `json:"store"`
	CustomerID string    `json:"recharge_customer_id"`
	MessageID  string    `json:"message_id"`
	LinkID     string    `json:"link_id"`
	Number     int       `json:"number"` // which link of the text it is, from 1 on
	At         time.Time `json:"at"`
	Bot        bool      `json:"bot"`             // a program made it
	Sign       string    `json:"sign,omitempty"`  // of a program
	Agent      string    `json:"agent,omitempty"` // kind of browser or program, one of few
}

// Click applies a click. A person's first one moves ClickedAt, whatever came before: clicks may come late, twice and in any order. It returns
// why another one has no effect: BotClick, Duplicate for one that is not the first, MessageUnknown, or ReceiptOutdated for one of a text
// that was never claimed or whose customer was erased.
func (b *Book) Click(c Click) (reason.Reason, error) {
	if slices.Contains([]string{c.Store, c.CustomerID, c.MessageID, c.LinkID}, "") || c.At.IsZero() {
		return "", fmt.Errorf("%w: a click needs store, recharge_customer_id, message_id, link_id and at", ErrReceipt)
	}
	m, err := b.message(c.Store, c.CustomerID, c.MessageID)
	switch {
	case err != nil:
		return "", err
	case m == nil:
		return reason.MessageUnknown, nil
	case c.Bot:
		return reason.BotClick, nil
	case m.Attempt == 0 || m.isErased():
		return reason.ReceiptOutdated, nil
	case !m.ClickedAt.IsZero() && !c.At.Before(m.ClickedAt):
		return reason.Duplicate, nil
	}
	before := snapshot(m)
	m.ClickedAt = c.At.UTC()
	return "", b.save(&before, m)
}
