package message

import "time"

// Link is a short link of a text.
type Link struct {
	ID string `json:"id"` // 32 hex digits: see links.Code
	// Target is where it leads, sealed with its code. It is known when the text is claimed only.
	Target string `json:"-"`
}

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
