package lives

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Reckoning is what must come of a life.
type Reckoning struct {
	// Events are those of each webhook, in the order of arrival.
	Events []string
	// Answered are those that an answer of the API brings about, whenever it comes.
	Answered []string
	// Letters is how many webhooks are about nobody who is known.
	Letters int
	// Flags are what recharge_subscription_active is in the end, by e-mail.
	Flags map[string]bool
	Rows  map[string]string // by key, of both tables; what is not there is deleted
}

// reckoning is one in the making.
type reckoning struct {
	known
	life   Life
	events []string // of the webhook at hand
	out    Reckoning
}

// Reckon reckons what must come of the first bursts of a life, of all of them in the end.
func (l Life) Reckon(bursts int) Reckoning {
	r := reckoning{
		life: l, known: known{subs: map[int64]*snapshot{}, told: map[string]bool{}}, out: Reckoning{Flags: map[string]bool{}},
	}
	for _, burst := range l.Bursts[:min(bursts, len(l.Bursts))] {
		for _, d := range burst {
			r.one(d)
			slices.Sort(r.events) // what comes of one webhook has no order of its own
			r.out.Events = append(r.out.Events, r.events...)
			r.events = nil
		}
	}
	if bursts >= len(l.Bursts) {
		r.answers()
	}
	r.out.Rows = r.rowsOf(l.n)
	return r.out
}

// one is a webhook.
func (r *reckoning) one(d Delivery) {
	if d.Topic == "subscription/swapped" || d.Topic == "charge/updated" {
		return
	}
	r.identify(d)
	if d.Topic == "customer/deleted" {
		r.forget(d.Received)
		return
	}
	if r.gone {
		r.late(d)
		return
	}
	before := r.met
	r.take(d)
	for _, f := range facts(d) {
		r.tell(f, r.email())
	}
	r.change(before, d.customer)
	r.sayFlag()
}

// identify has the API asked where nothing tells who it is, or which phone a text would go to.
func (r *reckoning) identify(d Delivery) {
	answer := r.life.answer()
	if answer == nil || r.asked || d.subscription == nil || r.email() != "" && d.Topic != "subscription/created" {
		return
	}
	r.asked = true
	r.takeCustomer(answer)
}

// fact is something that happens once: what makes it that, and when it was.
type fact struct {
	name string
	id   int64
	mark string // of those that may happen again
	at   time.Time
}

// facts are those that a webhook tells, by its topic.
func facts(d Delivery) []fact {
	s, c := d.subscription, d.charge
	switch d.Topic {
	case "subscription/created":
		return []fact{{name: "subscription created", id: s.id, at: s.created}}
	case "subscription/activated":
		return []fact{{name: "subscription activated", id: s.id, mark: stamp(s.updated), at: s.updated}}
	case "subscription/cancelled":
		return []fact{{name: "subscription canceled", id: s.id, mark: stamp(s.cancelled), at: s.cancelled}}
	case "subscription/deleted":
		return []fact{{name: "subscription deleted", id: s.id, at: d.Received}}
	case "charge/created":
		told := []fact{{name: "subscription_charge created", id: c.id, at: c.created}}
		if c.status == "success" {
			told = append(told, fact{name: "subscription_charge paid", id: c.id, at: c.processed})
		}
		return told
	case "charge/paid":
		return []fact{{name: "subscription_charge paid", id: c.id, at: c.processed}}
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// tell tells a fact unless it was told before.
func (r *reckoning) tell(f fact, to string) {
	name := fmt.Sprintf("%s %d %s", f.name, f.id, f.mark)
	if !r.told[name] {
		r.told[name] = true
		r.events = append(r.events, event(f.name, f.id, f.at, to, ""))
	}
}

// event is how one is written down, to be compared.
func event(name string, id int64, at time.Time, to, more string) string {
	return strings.TrimSpace(fmt.Sprintf("%s %d at %s to %s %s", name, id, stamp(at), to, more))
}

// change tells of a customer who is another than before, as the newest object shows first.
func (r *reckoning) change(before, shown *customer) {
	if before == nil || shown == nil || shown.updated.Before(before.updated) {
		return
	}
	var changed []string
	if shown.email != before.email {
		changed = append(changed, "email from "+before.email)
	}
	if shown.first != before.first {
		changed = append(changed, "first_name")
	}
	if shown.phone != before.phone {
		changed = append(changed, "phone")
	}
	mark := "customer_change " + stamp(shown.updated)
	if len(changed) > 0 && !r.told[mark] {
		r.told[mark] = true
		r.events = append(r.events, event("customer_change", CustomerID(r.life.n), shown.updated, r.email(), strings.Join(changed, ",")))
	}
}

// sayFlag says the property where it is another than was said, for the old profile of a changed e-mail, too.
func (r *reckoning) sayFlag() {
	value, at, certain := r.active()
	if !certain {
		return
	}
	if to := r.email(); r.flag == nil || r.flag.to != to || r.flag.value != value {
		if r.flag != nil && r.flag.to != to && r.flag.value {
			r.say(false, at, r.flag.to)
		}
		r.say(value, at, to)
	}
}

// say never says a time twice, nor an earlier one.
func (r *reckoning) say(value bool, at time.Time, to string) {
	at = at.Truncate(time.Microsecond)
	if r.flag != nil && !at.After(r.flag.at) {
		at = r.flag.at.Add(time.Microsecond)
	}
	r.flag = &flag{value: value, at: at, to: to}
	r.out.Flags[to] = value
	r.events = append(r.events, event("customer_property", CustomerID(r.life.n), at, to, fmt.Sprint(value)))
}

// forget is the end of who was known; of the told it is still known that they were.
func (r *reckoning) forget(at time.Time) {
	if r.flag != nil && r.flag.value {
		r.say(false, at, r.flag.to)
	}
	r.known = known{gone: true, told: r.told}
}

// late is what comes of those who are gone: a fact that was not told goes to whom the body names, if it does.
func (r *reckoning) late(d Delivery) {
	for _, f := range facts(d) {
		switch name := fmt.Sprintf("%s %d %s", f.name, f.id, f.mark); {
		case r.told[name]:
		case d.customer != nil:
			r.tell(f, d.customer.email)
		default:
			r.out.Letters++
		}
	}
}

// answers are what the API says of subscriptions, once it has been asked: of an end that nobody told, and whether any is left.
func (r *reckoning) answers() {
	if !r.life.listed() || r.life.Kind == LeftActive {
		return
	}
	if _, _, certain := r.active(); certain && r.life.Kind != Unpaid {
		return
	}
	r.all = true
	for _, s := range r.life.final.subscriptions {
		topic := "list"
		if r.life.Kind == Unpaid {
			topic = "subscription/cancelled"
			r.tell(facts(Delivery{Topic: topic, subscription: &s})[0], r.email())
		}
		r.takeSubscription(topic, s, time.Time{})
	}
	r.sayFlag()
	r.out.Answered, r.events = r.events, nil
}
