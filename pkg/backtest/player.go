package backtest

import (
	"errors"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/texts"
)

// Options say what is played.
type Options struct {
	Store string
	Flow  flow.Key
	// Texts is how the store sends, with the drafted flow. Its MayText is not used.
	Texts texts.Store
	// MayText reports whether a number may be texted at a time, and why not.
	MayText func(number string, at time.Time) (reason.Reason, bool)
	// Since leaves out texts that were triggered before. Those of the day before are played, too: they count towards limits.
	Since time.Time
	// Examples is how many examples there are of each kind and reason.
	Examples int
	// HideNames masks the customers' names in the texts of examples, and counts the parts of these texts.
	HideNames bool
}

// Arrival is a trigger or a revocation, as it arrived at the sms role.
type Arrival struct {
	At         time.Time
	Trigger    *subscriber.Trigger
	Revocation *subscriber.Revocation
}

// player plays the arrivals of one customer.
type player struct {
	Options

	store  texts.Store
	rows   rows
	now    time.Time
	next   time.Time // when the next text is due, zero for never
	texts  map[string]*played
	order  []string // of texts, as they were opened
	failed error

	unreadable int
}

// played is a text while it is played.
type played struct {
	message.Message

	openedAt time.Time
	sentAt   time.Time // by the customer's clock
	parts    int       // of the text itself

	shown      string // the text in an example
	shownParts int
}

// Play plays the arrivals of one customer, which are in their order.
func Play(o Options, arrivals []Arrival) (*Report, error) {
	p := &player{Options: o, store: o.Texts, texts: map[string]*played{}}
	p.store.MayText = func(number string) (reason.Reason, bool) { return o.MayText(number, p.now) }
	for _, a := range arrivals {
		p.advance(a.At)
		book := p.open()
		switch err := apply(book, a); {
		case errors.Is(err, message.ErrTrigger): // it has changed nothing
			p.unreadable++
		case err != nil:
			return nil, fmt.Errorf("play trigger: %w", err)
		}
		p.take(book)
	}
	p.advance(p.now.Add(longest))
	if p.failed != nil {
		return nil, p.failed
	}
	return p.report(), nil
}

// longest is how long after its last trigger a text may be planned: each is stale before.
const longest = 400 * 24 * time.Hour

func (p *player) open() *message.Book {
	return message.Open(&p.rows, p.now, texts.Stores{p.Store: &p.store})
}

func apply(b *message.Book, a Arrival) (err error) {
	if a.Revocation != nil {
		_, err = b.Revoke(*a.Revocation)
		return err
	}
	_, err = b.Add(*a.Trigger, message.Origin{})
	return err
}

// take takes up the changes of texts.
func (p *player) take(b *message.Book) {
	for _, m := range b.Changed() {
		known := p.texts[m.ID]
		if known == nil {
			known = &played{openedAt: p.now}
			p.texts[m.ID], p.order = known, append(p.order, m.ID)
		}
		known.Message = m
		if m.Status == message.Planned && (p.next.IsZero() || m.ReleaseAt.Before(p.next)) {
			p.next = m.ReleaseAt
		}
	}
}

// advance lets time pass, and sends what is due.
func (p *player) advance(to time.Time) {
	for p.failed == nil && !p.next.IsZero() && !p.next.After(to) {
		if p.next.After(p.now) {
			p.now = p.next
		}
		p.claim()
	}
	if to.After(p.now) {
		p.now = to
	}
}

// claim sends the texts that are due now.
func (p *player) claim() {
	book, rendered := p.open(), map[string]sms.Message{}
	claimed, next, err := book.Claim(message.Claiming{
		Store: p.Store, Lease: p.store.Lease, Room: func(due int) int { return due },
		Decide: func(m *message.Message) message.Decision {
			text, decision, err := p.store.Decide(m, p.now, book)
			if err != nil && decision.Suppress != reason.TextNotRendered {
				p.failed = err
			}
			rendered[m.ID] = text
			return decision
		},
	})
	if err != nil {
		p.failed = err
		return
	}
	p.next = time.Time{}
	p.take(book)
	p.next = next
	for _, m := range claimed {
		p.send(m, rendered[m.ID])
	}
}

// send has a text accepted.
func (p *player) send(m *message.Message, text sms.Message) {
	live := m.Live(p.now)
	to := live[len(live)-1].Recipient
	t := p.texts[m.ID]
	t.sentAt = p.now.In(p.zone(quiethours.Recipient{Country: to.Country, Province: to.Province, Number: text.To}))
	_, t.parts = flow.Segments(text.Body)
	t.shown, t.shownParts = text.Masked(text.Body), t.parts
	if p.HideNames { // a condition in the text could ask for each letter of a name
		t.shown = text.Shown
		_, t.shownParts = flow.Segments(text.Shown)
	}
	book := p.open()
	if _, err := book.Receive(message.Receipt{Store: m.Store, CustomerID: m.CustomerID, MessageID: m.ID, Attempt: m.Attempt, Outcome: message.Accepted, At: p.now}); err != nil {
		p.failed = err
	}
	p.take(book)
}

// zone returns the first of the zones where a customer may be.
func (p *player) zone(r quiethours.Recipient) *time.Location {
	if found := p.store.Zones.Find(p.store.Sending().QuietHours.Hours, r, p.now); len(found.Zones) > 0 {
		if zone, err := time.LoadLocation(found.Zones[0]); err == nil {
			return zone
		}
	}
	return time.UTC
}
