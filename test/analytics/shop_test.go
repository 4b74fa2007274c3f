package analytics_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// answers are what a data team asks. Amounts are in cents.
type answers struct {
	Active    map[string]int // customers with an active subscription at the end of each day
	Churn     map[string]int // subscriptions that ended: voluntary, involuntary, expired
	MRR       map[string]int // of active subscriptions at the end, for 30 days, by currency
	Expected  map[string]int // amounts of charges due within 30 days after the end, by currency
	Recovered int            // charges that failed and were paid
	Skipped   int            // skips that were not undone
	Refunds   map[string]int // by currency
	Products  map[string]int // revenue of paid charges by currency and product, before refunds
}

func newAnswers() answers {
	return answers{
		Active: map[string]int{}, Churn: map[string]int{}, MRR: map[string]int{}, Expected: map[string]int{}, Refunds: map[string]int{}, Products: map[string]int{},
	}
}

const (
	days      = 120
	customers = 150
	interval  = 30 // days between two charges
)

func began() time.Time { return time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC) }

// shop simulates customers of a store.
type shop struct {
	rng     *rand.Rand
	send    func(customer int, topic string, body []byte, at time.Time)
	people  []*person
	answers answers
	charges int
	subs    int
}

type person struct {
	id       int
	currency string
	begins   int // day
	subs     []*subscription
	next     *charge // queued, or failed and to be retried
}

type subscription struct {
	id, product, price, quantity int // price in cents
	status, reason               string
	created, updated, canceled   time.Time
	due                          int // day
	left                         int // charges until it expires
	maxRetries                   bool
}

type charge struct {
	id, due, attempts, refunds int
	status, kind, errorType    string
	created, updated, paid     time.Time
	lines                      []line
	failed                     bool
}

type line struct{ sub, product, price, quantity int }

func (c *charge) total() (cents int) {
	for _, l := range c.lines {
		cents += l.price * l.quantity
	}
	return cents
}

func newShop(seed uint64, send func(int, string, []byte, time.Time)) *shop {
	s := &shop{rng: rand.New(rand.NewPCG(seed, 1)), send: send, answers: newAnswers()} //nolint:gosec // reproducible
	for i := range customers {
		currency := "USD"
		if i%3 == 0 {
			currency = "EUR"
		}
		s.people = append(s.people, &person{id: 1000 + i, currency: currency, begins: s.rng.IntN(days - 1)})
	}
	return s
}

// run simulates all days, and takes the answers at the end of the last.
func (s *shop) run() answers {
	for day := range days {
		for _, p := range s.people {
			if p.begins <= day {
				s.day(p, day)
			}
		}
		active := 0
		for _, p := range s.people {
			if slices.ContainsFunc(p.subs, func(x *subscription) bool { return x.status == "active" }) {
				active++
			}
		}
		s.answers.Active[dayOf(day)] = active
	}
	s.atTheEnd()
	return s.answers
}

func (s *shop) atTheEnd() {
	for _, p := range s.people {
		for _, x := range p.subs {
			if x.status == "active" {
				s.answers.MRR[p.currency] += x.price * x.quantity
			}
		}
		if c := p.next; c != nil && c.due < days+30 {
			s.answers.Expected[p.currency] += c.total()
		}
	}
}

func dayOf(day int) string { return began().AddDate(0, 0, day).Format(time.DateOnly) }

// at returns a time of a day: later calls return later times.
func at(day, minute int) time.Time {
	return began().AddDate(0, 0, day).Add(12*time.Hour + time.Duration(minute)*time.Minute)
}

// day is what a customer does on a day: mostly nothing.
func (s *shop) day(p *person, day int) {
	switch {
	case p.begins == day:
		s.checkout(p, day)
	case p.next != nil && p.next.due <= day:
		s.attempt(p, day)
	case p.next == nil || s.rng.IntN(12) > 0:
	default:
		[]func(*person, int){s.cancel, s.skip, s.reprice, s.swap, s.refund, s.skip}[s.rng.IntN(6)](p, day)
	}
}

func (s *shop) checkout(p *person, day int) {
	now := at(day, 0)
	for range 1 + s.rng.IntN(3) {
		s.subs++
		p.subs = append(p.subs, &subscription{
			id: 50_000 + s.subs, product: 1 + s.rng.IntN(5), price: 500 + 10*s.rng.IntN(300), quantity: 1 + s.rng.IntN(2), status: "active",
			created: now, updated: now, due: day + interval, left: 2 + s.rng.IntN(5),
		})
	}
	s.customer(p, "customer/created", now, 0)
	for _, x := range p.subs {
		s.subscription(p, x, "subscription/created", now)
	}
	paid := s.charge(p, day, now)
	paid.kind, paid.status, paid.paid = "checkout", "success", now
	s.earn(p, paid)
	s.sendCharge(p, paid, "charge/created", now)
	s.sendCharge(p, paid, "charge/paid", now)
	s.queue(p, day)
}

// charge is a new charge of a customer's active subscriptions.
func (s *shop) charge(p *person, due int, now time.Time) *charge {
	s.charges++
	c := &charge{id: 900_000 + s.charges, due: due, status: "queued", kind: "recurring", created: now, updated: now}
	for _, x := range p.subs {
		if x.status == "active" {
			c.lines = append(c.lines, line{x.id, x.product, x.price, x.quantity})
		}
	}
	return c
}

// queue creates the next charge, if a subscription is active.
func (s *shop) queue(p *person, day int) {
	p.next = nil
	c := s.charge(p, day+interval, at(day, 30))
	if len(c.lines) == 0 {
		return
	}
	p.next = c
	s.sendCharge(p, c, "charge/created", c.created)
}

func (s *shop) earn(p *person, c *charge) {
	for _, l := range c.lines {
		s.answers.Products[fmt.Sprintf("%s %d", p.currency, l.product)] += l.price * l.quantity
	}
}

// attempt pays the queued charge, or fails.
func (s *shop) attempt(p *person, day int) {
	c, now := p.next, at(day, 10)
	c.updated = now
	if odds := map[bool]int{false: 6, true: 2}; s.rng.IntN(odds[c.failed]) > 0 {
		c.status, c.paid, c.errorType = "success", now, ""
		s.sendCharge(p, c, "charge/paid", now)
		s.earn(p, c)
		if c.failed {
			s.answers.Recovered++
		}
		s.renewed(p, day)
		return
	}
	c.attempts, c.failed, c.status, c.errorType = c.attempts+1, true, "error", "CARD_DECLINED"
	if c.attempts < 3 {
		c.due = day + 3
		s.sendCharge(p, c, "charge/failed", now)
		return
	}
	s.sendCharge(p, c, "charge/failed", now)
	c.updated, c.errorType = now.Add(time.Second), "CLOSED_MAX_RETRIES_REACHED"
	s.giveUp(p, day)
}

// giveUp cancels all subscriptions without a webhook: the pipeline looks them up.
func (s *shop) giveUp(p *person, day int) {
	now := at(day, 11)
	for _, x := range p.subs {
		if x.status == "active" {
			x.status, x.reason, x.canceled, x.updated, x.maxRetries = "cancelled", "", now, now, true
			s.answers.Churn["involuntary"]++
		}
	}
	s.sendCharge(p, p.next, "charge/max_retries_reached", p.next.updated)
	s.dropQueued(p, day)
}

// dropQueued deletes the queued charge.
func (s *shop) dropQueued(p *person, day int) {
	s.send(p.id, "charge/deleted", []byte(fmt.Sprintf(`{"charge":{"id":%d}}`, p.next.id)), at(day, 50))
	p.next = nil
}

// renewed moves subscriptions on after a payment; some expire.
func (s *shop) renewed(p *person, day int) {
	for _, x := range p.subs {
		if x.status != "active" {
			continue
		}
		x.due, x.left = day+interval, x.left-1
		if x.left == 0 {
			x.status, x.canceled, x.updated = "expired", at(day, 20), at(day, 20)
			s.answers.Churn["expired"]++
			s.subscription(p, x, "subscription/updated", x.updated)
		}
	}
	s.queue(p, day)
}

func (s *shop) pick(p *person) *subscription {
	active := slices.DeleteFunc(slices.Clone(p.subs), func(x *subscription) bool { return x.status != "active" })
	if len(active) == 0 {
		return nil
	}
	return active[s.rng.IntN(len(active))]
}

// requeue brings the queued charge up to date with the subscriptions.
func (s *shop) requeue(p *person, day int) {
	fresh := s.charge(p, p.next.due, at(day, 40))
	if len(fresh.lines) == 0 {
		s.dropQueued(p, day)
		return
	}
	p.next.lines, p.next.updated = fresh.lines, fresh.updated
	s.sendCharge(p, p.next, "charge/updated", p.next.updated)
}

func (s *shop) cancel(p *person, day int) {
	x := s.pick(p)
	if x == nil {
		return
	}
	now := at(day, 1)
	x.status, x.reason, x.canceled, x.updated = "cancelled", "This is too expensive", now, now
	s.answers.Churn["voluntary"]++
	s.either(func() { s.subscription(p, x, "subscription/updated", now) }, func() { s.subscription(p, x, "subscription/cancelled", now) })
	s.requeue(p, day)
}

func (s *shop) skip(p *person, day int) {
	x := s.pick(p)
	if x == nil || len(p.next.lines) > 1 || p.next.failed {
		return
	}
	before := p.next.due
	x.due, x.updated, p.next.due = before+interval, at(day, 2), before+interval
	s.answers.Skipped++
	s.either(func() { s.subscription(p, x, "subscription/skipped", x.updated) }, func() { s.subscription(p, x, "subscription/updated", x.updated) })
	s.requeue(p, day)
	if s.rng.IntN(3) == 0 {
		x.due, x.updated, p.next.due = before, at(day, 45), before
		s.answers.Skipped--
		s.subscription(p, x, "subscription/unskipped", x.updated)
		p.next.updated = at(day, 46)
		s.sendCharge(p, p.next, "charge/updated", p.next.updated)
	}
}

func (s *shop) reprice(p *person, day int) {
	if x := s.pick(p); x != nil {
		x.price, x.updated = x.price+100, at(day, 3)
		s.subscription(p, x, "subscription/updated", x.updated)
		s.requeue(p, day)
	}
}

func (s *shop) swap(p *person, day int) {
	if x := s.pick(p); x != nil {
		x.product, x.updated = 1+x.product%5, at(day, 4)
		s.either(func() { s.subscription(p, x, "subscription/swapped", x.updated) }, func() { s.subscription(p, x, "subscription/updated", x.updated) })
		s.requeue(p, day)
	}
}

// refund refunds half of a checkout charge: once, or twice.
func (s *shop) refund(p *person, day int) {
	c := s.charge(p, day, at(day, 5)) // a one-off charge that is paid and refunded
	c.status, c.paid = "success", c.created
	s.earn(p, c)
	s.sendCharge(p, c, "charge/created", c.created)
	for i := range 1 + s.rng.IntN(2) {
		c.refunds, c.status, c.updated = c.refunds+c.total()/4, "partially_refunded", at(day, 6+i)
		s.answers.Refunds[p.currency] += c.total() / 4
		s.sendCharge(p, c, "charge/refunded", c.updated)
	}
}

// either sends two webhooks of one change in any order.
func (s *shop) either(one, other func()) {
	if s.rng.IntN(2) == 0 {
		one, other = other, one
	}
	one()
	other()
}
