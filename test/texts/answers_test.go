package texts_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// change has the fields of a value of recharge.messages that the questions need.
type change struct {
	ID, Store, Flow, Status, Reason string

	Customer  string `json:"recharge_customer_id"`
	Change    int
	At        time.Time
	Deferred  bool
	ClickedAt time.Time `json:"clicked_at"`
	Triggers  []struct {
		ID, Flow string
		Items    []string
	}
}

// event has those of recharge.events.
type event struct {
	Type, Status, Store string

	Customer     string    `json:"recharge_customer_id"`
	At           time.Time `json:"occurred_at"`
	Charge       struct{ ID string }
	Subscription struct{ ID string }
}

// row has those of recharge.customers.
type row struct {
	Store string

	Customer     string `json:"recharge_customer_id"`
	Email, Phone string
}

// optOut has those of recharge.consent.
type optOut struct {
	Store, Number string

	At time.Time
}

func decoded[T any](values [][]byte) (all []T) {
	for _, value := range values {
		var v T
		if err := json.Unmarshal(value, &v); err != nil {
			panic(err)
		}
		all = append(all, v)
	}
	return all
}

// text is all changes of a text, in their order.
type text []change

func (t text) last() change { return t[len(t)-1] }

func in(s string, list ...string) bool { return slices.Contains(list, s) }

// reached returns when the provider first had the text.
func (t text) reached() time.Time {
	for _, c := range t {
		if in(c.Status, "accepted", "sent", "delivered", "undelivered") {
			return c.At
		}
	}
	return time.Time{}
}

func (t text) received() bool { return in(t.last().Status, "accepted", "sent", "delivered") }

// receivedAt is when it was first received.
func (t text) receivedAt() time.Time {
	for _, c := range t {
		if in(c.Status, "accepted", "sent", "delivered") {
			return c.At
		}
	}
	return time.Time{}
}

// clickedAt is when it was first clicked.
func (t text) clickedAt() time.Time {
	for _, c := range t {
		if !c.ClickedAt.IsZero() {
			return c.ClickedAt
		}
	}
	return time.Time{}
}

func texts(values [][]byte) map[string]text {
	all := map[string]text{}
	for _, c := range decoded[change](values) {
		all[c.ID] = append(all[c.ID], c)
	}
	return all
}

// who returns the customers of a store with a text of a flow for which something holds.
func (o *topics) who(store string, is func(text) bool) map[string]bool {
	who := map[string]bool{}
	for _, t := range texts(o.messages) {
		if t.last().Store == store && t.last().Flow != "help" && is(t) {
			who[t.last().Customer] = true
		}
	}
	return who
}

// members counts those customers with data for whom something holds.
func (o *topics) members(store string, is func(customer string) bool) (n int) {
	for _, r := range decoded[row](o.customers) {
		if r.Store == store && r.Email != "" && is(r.Customer) {
			n++
		}
	}
	return n
}

// followings are what may have followed a text, by the customer.
type followings struct {
	events  map[string][]event
	optOuts []optOut
}

// numbers counts texts by store, day, flow and column, such as "acme 2026-01-05 charge_paid sent".
func (o *topics) numbers(zone *time.Location) map[string]int {
	counts, after := map[string]int{}, followings{events: map[string][]event{}, optOuts: decoded[optOut](o.optOuts)}
	for _, e := range decoded[event](o.events) {
		after.events[e.Store+e.Customer] = append(after.events[e.Store+e.Customer], e)
	}
	for _, t := range texts(o.messages) {
		first, last := t[0], t.last()
		if last.Status == "suppressed" && last.Reason == "merged" {
			continue
		}
		at := first.Store + " " + first.At.In(zone).Format("2006-01-02") + " "
		add := func(flow, column string, is bool) {
			if is {
				counts[at+flow+" "+column]++
			}
		}
		foreign := map[string]int{}
		for _, trigger := range last.Triggers {
			add(trigger.Flow, "triggered", true)
			add(trigger.Flow, "absorbed", trigger.Flow != last.Flow)
			foreign[trigger.Flow]++
		}
		counts[at+last.Flow+" merged"] += foreign[last.Flow] - 1
		for column, is := range map[string]bool{
			"texts": true, "deferred": last.Deferred, "clicked": !t.clickedAt().IsZero(), "waiting": in(last.Status, "planned", "claimed"),
			"suppressed": last.Status == "suppressed", "sent": t.received(), "delivered": last.Status == "delivered",
			"failed": in(last.Status, "rejected", "undelivered"), "unknown": last.Status == "unknown",
			"opted_out": after.optedOut(t), "recovered": after.followed(t, "subscription_charge paid", 7, "charge_failed", "charge_will_be_retried"),
			"reactivated": after.followed(t, "subscription activated", 30, "subscription_canceled", "subscription_expired"),
		} {
			add(last.Flow, column, is)
		}
	}
	for key, n := range counts {
		if n == 0 {
			delete(counts, key)
		}
	}
	return counts
}

// isWithin reports whether a time is up to some days after the provider had a text.
func (t text) isWithin(at time.Time, days int) bool {
	reached := t.reached()
	return !reached.IsZero() && !at.Before(reached) && at.Sub(reached) <= time.Duration(days)*24*time.Hour
}

func (f followings) optedOut(t text) bool {
	for _, out := range f.optOuts {
		if out.Store == t.last().Store && out.Number == phoneOf(t.last().Customer) && t.isWithin(out.At, 1) {
			return true
		}
	}
	return false
}

// followed reports whether an event about a resource of the text followed, for texts of flows.
func (f followings) followed(t text, kind string, days int, flows ...string) bool {
	if !in(t.last().Flow, flows...) {
		return false
	}
	for _, e := range f.events[t.last().Store+t.last().Customer] {
		if e.Type+" "+e.Status != kind || !t.isWithin(e.At, days) {
			continue
		}
		for _, trigger := range t.last().Triggers {
			if trigger.Flow == t.last().Flow && (in("charge/"+e.Charge.ID, trigger.Items...) || in("subscription/"+e.Subscription.ID, trigger.Items...)) {
				return true
			}
		}
	}
	return false
}

// key is that of a number in numbers.
func key(store, day string, flow any, column string) string {
	return fmt.Sprintf("%s %s %s %s", store, day, flow, column)
}
