package story_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

// mishap is how a provider misbehaves with one text, and what must become of it.
type mishap struct {
	name string
	on   smstest.Behaviour
	// waits is the code with which the text is planned again, until the provider is well; "" for a text that is not.
	waits string
	end   message.Status
	code  string // of the end
	texts int    // that the provider has in the end
	// slow: the text is tried again after half a minute, and refused alone if others are accepted meanwhile.
	slow bool
	// optedOut: the number has opted out at the provider.
	optedOut bool
	// apart is the least time between two attempts.
	apart time.Duration
}

// rateLimited is an answer to too many requests, which says that the next one may come in two seconds.
func rateLimited(code string, on smstest.Behaviour) mishap {
	return mishap{name: "rate limit", on: on, waits: code, end: message.Accepted, texts: 1, apart: 2 * time.Second}
}

// refusedForGood is a refusal of the recipient for good.
func refusedForGood(code string, on smstest.Behaviour) mishap {
	return mishap{name: "recipient refused", on: on, end: message.Rejected, code: code}
}

func optedOutThere(code string, on smstest.Behaviour) mishap {
	return mishap{name: "opted out there", on: on, end: message.Rejected, code: code, optedOut: true}
}

// refusedSlowly is a refusal that may be of the recipient or of all.
func refusedSlowly(code string, on smstest.Behaviour) mishap {
	return mishap{name: "refused alone", on: on, end: message.Rejected, code: code, slow: true}
}

// mishaps are those of all providers, and the own ones of this.
func (r *row) mishaps() (all []mishap) {
	if r.simulator == nil {
		return nil
	}
	const failed = http.StatusInternalServerError
	all = []mishap{
		{name: "slow", on: smstest.Behaviour{Accept: true, Delay: 300 * time.Millisecond}, end: message.Accepted, texts: 1},
		{name: "not JSON", on: smstest.Behaviour{Accept: true, Body: "OK"}, end: message.Accepted, texts: 1},
		{name: "wrong credentials", on: smstest.Behaviour{Status: http.StatusUnauthorized, Body: smstest.Empty}, waits: "http_401", end: message.Accepted, texts: 1},
		r.unclear("500 before", "http_500", smstest.Behaviour{Status: failed}),
		r.unclear("500 after", "http_500", smstest.FailedAfterwards()),
		r.unclear("502 of a proxy", "http_502", smstest.NotJSON()),
		r.unclear("no answer before", "no_answer", smstest.Behaviour{Hang: true}),
		r.unclear("no answer after", "no_answer", smstest.Behaviour{Accept: true, Hang: true}),
		r.unclear("reset before", "no_answer", smstest.Behaviour{Reset: true}),
		r.unclear("reset after", "no_answer", smstest.Behaviour{Accept: true, Reset: true}),
		r.unclear("closed before", "no_answer", smstest.Behaviour{Drop: true}),
		r.unclear("closed after", "no_answer", smstest.Behaviour{Accept: true, Drop: true}),
	}
	for _, m := range r.refusals {
		if !m.slow {
			all = append(all, m)
		}
	}
	return all
}

// unclear is an answer that does not say whether the provider has the text. It is sent again only to one that drops a second one, and looked up
// where that is possible.
func (r *row) unclear(name, code string, on smstest.Behaviour) mishap {
	m := mishap{name: name, on: on, end: message.Unknown, code: code}
	if on.Accept {
		m.texts = 1
	}
	switch {
	case r.abilities.Deduplicates:
		m.waits, m.end, m.code, m.texts = code, message.Accepted, "", 1
	case r.abilities.LooksUp && on.Accept:
		m.end, m.code = message.Accepted, ""
	}
	return m
}

// suffer sends a text to a customer with whose texts the provider misbehaves.
func (r *row) suffer(t *testing.T, m mishap) {
	t.Helper()
	c := r.customer()
	r.simulator.ForNumber(c.phone, m.on)
	r.order(t, c)
	if m.waits != "" {
		r.await(t, c, func(last message.Change) bool { return last.Status == message.Planned && last.Code == m.waits })
		r.simulator.ForNumber(c.phone, smstest.Behaviour{Accept: true})
	}
	r.ends(t, c, m.end, m.code)
	assert.Len(t, r.sentTo(c), m.texts, m.name)
	r.checkAttempts(t, c, m)
	switch {
	case m.optedOut:
		consents(t)
		r.suppressed(t, c)
	case r.callbacks != nil && m.end == message.Unknown && m.texts == 1: // a report proves that the provider has it
		r.callbacks.report(r.sentTo(c)[0], "delivered", time.Now(), signing{}).accepted(t, r)
		r.moves(t, c, message.Delivered, "")
	}
}

// checkAttempts checks that a text was tried again if it must be, and not too early.
func (r *row) checkAttempts(t *testing.T, c *customer, m mishap) {
	t.Helper()
	var claims []time.Time
	for _, change := range r.journal.of(r.name, c.id)[0] {
		if change.Status == message.Claimed {
			claims = append(claims, change.At)
		}
	}
	if m.waits == "" && !m.slow {
		assert.Len(t, claims, 1, "%s: %s", r.name, m.name)
		return
	}
	apart := m.apart
	if m.slow {
		apart = 30 * time.Second
	}
	if assert.Greater(t, len(claims), 1, "%s: %s", r.name, m.name) {
		assert.GreaterOrEqual(t, claims[1].Sub(claims[0]), apart, "%s: %s", r.name, m.name)
	}
}

// refuseSlowly sends texts to customers whom the provider refuses in a way that may be of them or of all.
func (r *row) refuseSlowly(t *testing.T) map[*customer]mishap {
	t.Helper()
	waiting := map[*customer]mishap{}
	for _, m := range r.refusals {
		if m.slow {
			c := r.customer()
			r.simulator.ForNumber(c.phone, m.on)
			r.order(t, c)
			r.await(t, c, func(last message.Change) bool { return last.Status == message.Planned && last.Code == m.code })
			waiting[c] = m
		}
	}
	return waiting
}
