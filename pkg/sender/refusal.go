package sender

import "time"

// refusals finds out whether a provider refuses one number or the whole store: it may answer 403 in both cases. Only other texts show the
// difference. A text is refused alone if another was accepted between two of its refusals that are at least aloneAfter apart.
type refusals struct {
	accepted int // texts
	of       map[string]refusal
}

// refusal is the first refusal of a text.
type refusal struct {
	at       time.Time
	accepted int // texts by then
}

const (
	// aloneAfter is the least time between two refusals of a text that is refused alone. A provider that refused all for a moment, while
	// credentials were changed for example, accepts again by then.
	aloneAfter = 30 * time.Second
	// forgetAfter is when a text is forgotten that was not tried again here: another process may have done it.
	forgetAfter = 24 * time.Hour
)

// alone adds a refusal of a text, and reports whether it is refused alone.
func (r *refusals) alone(id string, now time.Time) bool {
	first, known := r.of[id]
	if !known {
		r.forgetOld(now)
		first = refusal{at: now, accepted: r.accepted}
		r.of[id] = first
	}
	return r.accepted > first.accepted && now.Sub(first.at) >= aloneAfter
}

// several reports whether several texts were refused and none was accepted since.
func (r *refusals) several() bool {
	waiting := 0
	for _, each := range r.of {
		if each.accepted == r.accepted {
			waiting++
		}
	}
	return waiting > 1
}

func (r *refusals) forget(id string) { delete(r.of, id) }

func (r *refusals) forgetOld(now time.Time) {
	for id, each := range r.of {
		if now.Sub(each.at) > forgetAfter {
			delete(r.of, id)
		}
	}
}
