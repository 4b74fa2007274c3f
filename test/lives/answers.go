package lives

import (
	"fmt"
	"time"
)

// Answers are what the API knows of a life, as documents: what it will be in the end, from the beginning on, since nobody
// knows when it is asked. There are none where it need not know any.
func (l Life) Answers() []string {
	var documents []string
	if c := l.answer(); c != nil {
		documents = append(documents, fmt.Sprintf(`{"customer":%s}`, l.customer(*c)))
	}
	if l.listed() {
		for _, s := range l.final.subscriptions {
			documents = append(documents, fmt.Sprintf(`{"subscription":%s}`, l.subscription(s)))
		}
	}
	return documents
}

// answer is the customer object of those whose webhooks never say who they are.
func (l Life) answer() *customer {
	c := l.final.shown()
	switch l.Kind {
	case Nameless: // younger than all that comes
		c.updated = l.final.now.Add(time.Hour)
	case Unsure: // older
		c.updated, c.active, c.total = c.created, 0, 0
	default:
		return nil
	}
	return c
}

// listed tells whether the API is asked for the subscriptions.
func (l Life) listed() bool {
	return l.Kind == Unsure || l.Kind == Unpaid || l.Kind == LeftActive || l.Kind == Deleted
}

// Pending tells whether a question about the life stays without an answer that settles it.
func (l Life) Pending() bool { return l.Kind == LeftActive }
