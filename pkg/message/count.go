package message

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// CountSince returns how many texts a customer was sent, or perhaps sent, since a time. Only flows with a daily cap count.
func (b *Book) CountSince(store, customer string, since time.Time) (int, error) {
	return b.count(store, customer, func(m *Message) bool {
		return !m.ClaimedAt.Before(since) && b.settings.Flow(store, m.Flow).DailyCap
	})
}

// CountOfCharge returns how many texts of a flow a customer was sent, or perhaps sent, about a charge.
func (b *Book) CountOfCharge(store, customer, charge string, key flow.Key) (int, error) {
	return b.count(store, customer, func(m *Message) bool { return m.Flow == key && m.isAbout(charge) })
}

func (b *Book) count(store, customer string, counts func(*Message) bool) (count int, err error) {
	all, err := b.OfCustomer(store, customer)
	for _, m := range all {
		if m.maybeSent() && counts(m) {
			count++
		}
	}
	return count, err
}

// isAbout reports whether a trigger of the message's own flow is about a charge.
func (m *Message) isAbout(charge string) bool {
	for _, t := range m.Triggers {
		if t.Flow == m.Flow && chargeOf(t.Trigger) == charge {
			return true
		}
	}
	return false
}

// Charge returns the charge that the message is about, "" if it is about none.
func (m *Message) Charge() string {
	for _, t := range m.Triggers {
		if t.Flow == m.Flow {
			return chargeOf(t.Trigger)
		}
	}
	return ""
}
