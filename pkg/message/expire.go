package message

import "time"

// keptFor is how long a message is kept after its end: longer than recharge.sms-triggers and recharge.sms-receipts are, so that no
// trigger or receipt that can still be read meets a message that was forgotten.
const keptFor = 35 * 24 * time.Hour

// maxExpired is how many messages one call of Expire removes.
const maxExpired = 100

// Expire removes messages that ended long ago, and links that have ended, some at a time.
func (b *Book) Expire() error {
	if err := b.expireLinks(); err != nil {
		return err
	}
	old, _, err := b.until(b.now.Add(-keptFor), []byte("ended/"), "", maxExpired)
	if err != nil {
		return err
	}
	for _, e := range old {
		m, err := b.at(e)
		if err != nil {
			return err
		}
		if m == nil {
			continue
		}
		for _, key := range entries(m) {
			b.rows.Delete(key)
		}
		b.rows.Delete(messageKey(m.Store, m.CustomerID, m.ID))
		if !b.any(string(messagePrefix(m.Store, m.CustomerID))) { // the next text is the first one again
			b.rows.Delete(optOutKey(m.Store, m.CustomerID))
		}
		b.removed = append(b.removed, Removal{Message: m, Text: true, Ended: m.Links})
	}
	return nil
}
