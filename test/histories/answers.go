package histories

import "time"

// Answers are the API's answers about a customer, as documents in API version 2021-11. They show the final data from the
// beginning on, since a lookup may happen at any time. A customer who is never looked up has none.
func (h History) Answers() []string {
	var documents []string
	if c := h.Answer(); c != nil {
		documents = append(documents, h.document(Delivery{Customer: c}))
	}
	if h.Listed() {
		for _, s := range h.final.subscriptions {
			documents = append(documents, h.document(Delivery{Subscription: &s}))
		}
	}
	return documents
}

func (h History) document(d Delivery) string {
	d.of, d.version = h.Customer, version202111{}
	return string(d.Body())
}

// Answer is the customer object of the API, for customers whose webhooks include none.
func (h History) Answer() *CustomerObject {
	switch h.Kind {
	case NewerAnswer:
		return h.final.object(h.final.active(), whole(h.final.now.Add(time.Hour)))
	case OlderAnswer:
		c := h.final.object(0, whole(h.final.started))
		c.Total = 0
		return c
	}
	return nil
}

// Final are the subscriptions that the API lists after the history.
func (h History) Final() []Subscription { return h.final.subscriptions }

// Listed reports whether the subscriptions are looked up.
func (h History) Listed() bool {
	return h.Kind == OlderAnswer || h.Kind == CancelledSilently || h.Kind == LeftActive || h.Kind == Deleted
}

// Pending reports whether a lookup request remains unanswered.
func (h History) Pending() bool { return h.Kind == LeftActive }
