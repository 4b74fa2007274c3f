package texts

import (
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Destination is what the destination of texts does itself, such as a marketing platform that has its own texts.
type Destination struct {
	// Renders: it gets the values of a text instead of the text. So a text that does not render is no obstacle.
	Renders bool
	// KeepsQuietHours: no text is held back for it.
	KeepsQuietHours bool
	// FindsNumbers: it knows the numbers of customers by their e-mails, and which of them it may text. A customer needs no number.
	FindsNumbers bool
	// Deduplicates: it drops a second text with the same id. So a text of which it is unknown whether it was sent is sent again.
	Deduplicates bool
	// Consent returns what is known of a number, for the values of a text.
	Consent func(number string) string
}

// values returns what the destination needs to render the text of triggers of one action, oldest first.
func (s *Store) values(live []subscriber.Trigger, number string) *sms.Values {
	return &sms.Values{
		Variables: subscriber.Variables(live, s.Shop).Values(), Consent: s.Destination.Consent(number), OccurredAt: live[len(live)-1].OccurredAt,
	}
}
