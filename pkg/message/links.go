package message

import (
	"errors"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/links"
	"github.com/rechargeflow/rechargeflow/pkg/seal"
)

// Link is a short link of a text.
type Link struct {
	ID string `json:"id"` // of its code
	// Target is where it leads, sealed with its code. It is known when the text is claimed only.
	Target string `json:"-"`
}

// NewLink seals a short link, so that only who has its code can read where it leads.
func NewLink(short links.Short) Link {
	return Link{ID: short.Code.ID(), Target: sealOf(short.Code).Seal(short.Target)}
}

// ErrTarget means that the target of a link can't be followed. The error does not have the target.
var ErrTarget = errors.New("target of a short link is unreadable, or no http or https URL")

// OpenTarget returns where a link leads, given its code and its sealed target. It checks the target again.
func OpenTarget(code links.Code, sealed string) (string, error) {
	target, err := sealOf(code).Open(sealed)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrTarget, err)
	}
	if !links.IsTarget(target) {
		return "", ErrTarget
	}
	return target, nil
}

func sealOf(code links.Code) seal.Key { return seal.New(string(code), "short link") }

// LinkRow is the value of a row of recharge.links.
type LinkRow struct {
	ID                 string    `json:"id"`
	Store              string    `json:"store"`
	RechargeCustomerID string    `json:"recharge_customer_id"`
	MessageID          string    `json:"message_id"`
	Number             int       `json:"number"` // which link of the text it is, from 1 on
	Target             string    `json:"target"` // sealed
	ClaimedAt          time.Time `json:"claimed_at"`
	ExpiresAt          time.Time `json:"expires_at"`
}

// LinkRows returns the rows of the links of a message that was claimed now.
func (m *Message) LinkRows() (rows []LinkRow) {
	for i, link := range m.Links {
		rows = append(rows, LinkRow{
			ID: link.ID, Store: m.Store, RechargeCustomerID: m.CustomerID, MessageID: m.ID, Number: i + 1, Target: link.Target,
			ClaimedAt: m.ClaimedAt.UTC(), ExpiresAt: m.LinksEnd.UTC(),
		})
	}
	return rows
}

// unlink removes the links of a message, which is saved by the caller.
func (b *Book) unlink(m *Message) {
	if len(m.Links) > 0 {
		b.removed = append(b.removed, Removal{Message: m, Ended: m.Links})
	}
	m.Links, m.LinksEnd = nil, time.Time{}
}

// expireLinks removes links that have ended. That is no change of the message.
func (b *Book) expireLinks() error {
	over, _, err := b.until(b.now, []byte(linksIndex), "", maxExpired)
	if err != nil {
		return err
	}
	for _, e := range over {
		m, err := b.at(e)
		if err != nil {
			return err
		}
		if m == nil {
			continue
		}
		b.rows.Delete(e.key)
		b.unlink(m)
		if err := b.store(m); err != nil {
			return err
		}
	}
	return nil
}
