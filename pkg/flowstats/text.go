package flowstats

import (
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// text is what is counted of one text.
type text struct {
	store    string
	day      string // on which it was planned
	flow     flow.Key
	status   message.Status
	merged   bool // into another text, which has its triggers
	deferred bool
	clicked  bool
	triggers []flow.Key
	// items are the resources that an outcome may be about, of flows that have outcomes.
	items []string
	// gotAt is when the provider had it, as it was first known; zero if it never had.
	gotAt time.Time

	optedOut, recovered, reactivated bool
}

// apply takes up a change. Changes come in their order.
func (t *text) apply(c message.Change) {
	t.flow, t.status, t.merged = c.Flow, c.Status, c.Status == message.Suppressed && c.Reason == reason.Merged
	t.deferred, t.clicked = c.Deferred, t.clicked || !c.ClickedAt.IsZero()
	t.triggers, t.items = t.triggers[:0], t.items[:0]
	for _, trigger := range c.Triggers {
		t.triggers = append(t.triggers, trigger.Flow)
		if trigger.Flow == c.Flow && (recovers(c.Flow) || reactivates(c.Flow)) {
			t.items = append(t.items, trigger.Items...)
		}
	}
	if t.gotAt.IsZero() && providerHas(c.Status) {
		t.gotAt = c.At
	}
}

// providerHas reports whether the provider got the text, whatever it did with it.
func providerHas(s message.Status) bool { return received(s) || s == message.Undelivered }

// received reports whether the customer has the text, as far as is known.
func received(s message.Status) bool {
	return s == message.Accepted || s == message.Sent || s == message.Delivered
}

// recovers reports whether a flow is about a charge that failed.
func recovers(key flow.Key) bool {
	by := flow.RuleOf(key).FiredBy
	return by == flow.FailedForGood || by == flow.RetryScheduled
}

// reactivates reports whether a flow is about a subscription that ended.
func reactivates(key flow.Key) bool {
	by := flow.RuleOf(key).FiredBy
	return by == flow.Canceled || by == flow.Expired
}

// isBefore reports whether the provider got the text at most a duration before a time.
func (t *text) isBefore(at time.Time, within time.Duration) bool {
	return !t.gotAt.IsZero() && !at.Before(t.gotAt) && !at.After(t.gotAt.Add(within))
}

func (t *text) isAbout(item string) bool { return slices.Contains(t.items, item) }

// count adds the text to the numbers of its day.
func (t *text) count(to sums) {
	if t.merged {
		return
	}
	own := 0
	for _, key := range t.triggers {
		n := Numbers{Triggered: 1}
		switch {
		case key != t.flow:
			n.Absorbed = 1
		default:
			if own++; own > 1 {
				n.Merged = 1
			}
		}
		to.add(place{t.store, t.day, key}, n)
	}
	to.add(place{t.store, t.day, t.flow}, t.numbers())
}

// numbers are those of the text itself.
func (t *text) numbers() Numbers {
	n := Numbers{
		Texts: 1, Deferred: number(t.deferred), Clicked: number(t.clicked), OptedOut: number(t.optedOut), Recovered: number(t.recovered),
		Reactivated: number(t.reactivated),
	}
	switch t.status {
	case message.Planned, message.Claimed:
		n.Waiting = 1
	case message.Suppressed:
		n.Suppressed = 1
	case message.Rejected, message.Undelivered:
		n.Failed = 1
	case message.Unknown:
		n.Unknown = 1
	default:
		n.Sent, n.Delivered = 1, number(t.status == message.Delivered)
	}
	return n
}

func number(is bool) int {
	if is {
		return 1
	}
	return 0
}
