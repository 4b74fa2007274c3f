package segment

import (
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// History is the texts that one customer has received, or whose links they have clicked. The zero value has none.
type History struct {
	texts []text
}

// text is one text.
type text struct {
	id   string
	flow flow.Key
	// at is when it was first received.
	received  bool
	at        time.Time
	clickedAt time.Time // zero if it was not clicked
}

// Change is a text after a change.
type Change struct {
	ID   string
	Flow flow.Key
	// Received means that the provider has the text, and does not report it as undelivered.
	Received  bool
	At        time.Time // of the change
	ClickedAt time.Time // zero if it was not clicked
}

// Changed takes up a change of a text of the customer. The changes of a text come in their order.
func (h *History) Changed(c Change) {
	i := slices.IndexFunc(h.texts, func(t text) bool { return t.id == c.ID })
	if i < 0 {
		if !c.Received && c.ClickedAt.IsZero() {
			return
		}
		i = len(h.texts)
		h.texts = append(h.texts, text{id: c.ID})
	}
	t := &h.texts[i]
	t.flow, t.received = c.Flow, c.Received
	if c.Received && t.at.IsZero() {
		t.at = c.At
	}
	if t.clickedAt.IsZero() {
		t.clickedAt = c.ClickedAt
	}
}

const day = 24 * time.Hour

// Has reports whether the rule holds for a customer at a time, which is not before the last change. A nil history has no texts.
func (r Rule) Has(h *History, now time.Time) bool {
	holds := func(part Rule) bool { return part.Has(h, now) }
	fails := func(part Rule) bool { return !part.Has(h, now) }
	switch {
	case len(r.All) > 0:
		return !slices.ContainsFunc(r.All, fails)
	case len(r.Any) > 0:
		return slices.ContainsFunc(r.Any, holds)
	}
	negated := r.Condition == NotReceived || r.Condition == NotClicked
	found := h != nil && slices.ContainsFunc(h.texts, func(t text) bool { return r.isOf(t, now) })
	return found != negated
}

// isOf reports whether a text is one that the condition, or what it negates, is about.
func (r Rule) isOf(t text, now time.Time) bool {
	if t.flow == flow.Help || r.Flow != Any && r.Flow != t.flow {
		return false
	}
	is, at := t.received, t.at
	if r.Condition == Clicked || r.Condition == NotClicked {
		is, at = !t.clickedAt.IsZero(), t.clickedAt
	}
	return is && (r.WithinDays == 0 || !at.Before(now.Add(-time.Duration(r.WithinDays)*day)))
}
