package backtest

import (
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// report counts the outcomes of the customer's texts.
func (p *player) report() *Report {
	r := NewReport()
	r.Unreadable = p.unreadable
	for _, id := range p.order {
		t := p.texts[id]
		if t.openedAt.Before(p.Since) || t.Status == message.Suppressed && t.Reason == reason.Merged {
			continue
		}
		own := 0
		for _, trigger := range t.Triggers {
			switch {
			case trigger.Flow == p.Flow:
				own++
			case t.Flow == p.Flow:
				r.Absorbs[trigger.Flow]++
			}
		}
		r.Triggers += own
		switch {
		case t.Flow == p.Flow:
			r.Merged += own - 1
			r.planned(t, own)
		case own > 0:
			r.Absorbed[t.Flow] += own
			r.example(t, Absorbed)
		}
	}
	r.People = min(r.Texts, 1)
	r.Examples = first(r.Examples, p.Examples)
	return r
}

// planned counts a text of the flow.
func (r *Report) planned(t *played, own int) {
	r.Planned++
	if t.Deferred {
		r.Deferred++
		r.example(t, Deferred)
	}
	if own > 1 {
		r.example(t, Merged)
	}
	if t.sentAt.IsZero() {
		r.Suppressed[t.Reason]++
		r.example(t, Suppressed)
		return
	}
	r.Texts++
	r.Hours[t.sentAt.Hour()]++
	if t.parts > 0 {
		r.Parts += t.parts
		r.Sizes[t.parts]++
	}
	r.example(t, Sent)
}

// example adds an example.
func (r *Report) example(t *played, kind Kind) {
	e := Example{Kind: kind, RechargeCustomerID: t.CustomerID, TriggeredAt: t.openedAt.UTC(), Triggers: len(t.Triggers), SentAt: t.sentAt, Parts: t.shownParts, Text: t.shown}
	switch kind {
	case Suppressed:
		e.Reason = t.Reason
	case Absorbed:
		e.Flow = t.Flow
	}
	r.Examples = append(r.Examples, e)
}
