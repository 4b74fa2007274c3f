package ledgertest

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/ledger"
)

// neverClaimedTwice runs random sequences of claims, answers, crashes, lost answers and waits by two owners. A text is
// claimed again only after a release of its claim, and a known outcome never changes.
func neverClaimedTwice(t *testing.T, open Open) {
	clock := NewClock()
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		w := &world{open: open, clock: clock, trigger: Trigger(rapid.StringMatching(`[a-z]{20}`).Draw(rt, "id") + time.Duration(run).String())}
		w.owners = []ledger.Ledger{w.fresh(), w.fresh()}
		defer w.closeAll(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"claim":   w.claim,
			"accept":  w.answer(ledger.AlreadyAccepted, func(l ledger.Ledger, id string) error { return l.Accept(t.Context(), id, "p") }),
			"reject":  w.answer(ledger.AlreadyRejected, func(l ledger.Ledger, id string) error { return l.Reject(t.Context(), id, "c") }),
			"unknown": w.answer(ledger.Unknown, func(l ledger.Ledger, id string) error { return l.MarkUnknown(t.Context(), id, "c") }),
			"release": w.release,
			"crash":   w.crash,
			"close":   w.close,
			"wait": func(rt *rapid.T) {
				clock.Advance(time.Duration(rapid.IntRange(1, 180).Draw(rt, "seconds")) * time.Second)
			},
		})
	})
}

// world is the model of the property test.
type world struct {
	open     Open
	clock    *Clock
	trigger  ledger.Trigger
	owners   []ledger.Ledger
	crashed  []ledger.Ledger
	held     []ledger.Claim // every claim so far
	holders  []ledger.Ledger
	released bool           // the last claim was released
	final    ledger.Outcome // accepted or rejected, once known
	unsure   bool           // an owner got the outcome unknown
}

func (w *world) fresh() ledger.Ledger {
	return w.open(ledger.Options{Lease: 2 * time.Minute, Now: w.clock.Now})
}

func (w *world) claim(t *rapid.T) {
	l := rapid.SampledFrom(w.owners).Draw(t, "owner")
	c, err := l.Claim(t.Context(), w.trigger)
	if err != nil {
		t.Fatalf("claim: %v", err)
	}
	if c.Outcome == ledger.Claimed {
		w.handedOut(t, l, c)
	} else if wrong := w.contradiction(c.Outcome); wrong != "" {
		t.Fatalf("%s, but %s: final %q, released %v, unsure %v", c.Outcome, wrong, w.final, w.released, w.unsure)
	}
	w.unsure = w.unsure || c.Outcome == ledger.Unknown
}

// handedOut checks the guarantee.
func (w *world) handedOut(t *rapid.T, l ledger.Ledger, c ledger.Claim) {
	if len(w.held) > 0 && !w.released {
		t.Fatalf("handed out again without a release: %+v after %+v", c, w.held)
	}
	if c.Attempt != len(w.held)+1 {
		t.Fatalf("attempt %d after %d claims", c.Attempt, len(w.held))
	}
	w.held, w.holders, w.released = append(w.held, c), append(w.holders, l), false
}

// contradiction is the reason why an outcome is impossible, "" if it is possible.
func (w *world) contradiction(o ledger.Outcome) string {
	switch {
	case len(w.held) == 0:
		return "it was never claimed"
	case w.released:
		return "it was released"
	case o == ledger.AlreadyAccepted || o == ledger.AlreadyRejected:
		if o != w.final {
			return "the provider's answer was another"
		}
	case w.final != "":
		return "the provider's answer is known"
	case o == ledger.InFlight && w.unsure:
		return "it was unknown before"
	}
	return ""
}

// answer records an answer through any running owner, as a late callback does.
func (w *world) answer(outcome ledger.Outcome, note func(ledger.Ledger, string) error) func(*rapid.T) {
	return func(t *rapid.T) {
		if len(w.held) == 0 {
			t.Skip("nothing was claimed yet")
		}
		err := note(rapid.SampledFrom(w.owners).Draw(t, "owner"), w.held[0].MessageID)
		allowed := !w.released && (w.final == "" || w.final == outcome)
		if allowed != (err == nil) || err != nil && !errors.Is(err, ledger.ErrMove) {
			t.Fatalf("%s: error %v; released %v, final %q", outcome, err, w.released, w.final)
		}
		if err != nil {
			return
		}
		if outcome == ledger.Unknown {
			w.unsure = true
		} else {
			w.final = outcome
		}
	}
}

// release releases a random claim: only the last one may be released, and only while its outcome is unknown to all owners.
func (w *world) release(t *rapid.T) {
	if len(w.held) == 0 {
		t.Skip("nothing was claimed yet")
	}
	i := rapid.IntRange(0, len(w.held)-1).Draw(t, "claim")
	err := w.holders[i].Release(t.Context(), w.held[i])
	if errors.Is(err, ledger.ErrClosed) {
		return
	}
	allowed := i == len(w.held)-1 && !w.released && !w.unsure && w.final == ""
	if allowed != (err == nil) || err != nil && !errors.Is(err, ledger.ErrMove) {
		t.Fatalf("release of claim %d of %d: error %v; released %v, unsure %v, final %q", i, len(w.held), err, w.released, w.unsure, w.final)
	}
	if err == nil {
		w.released = true
	}
}

// crash replaces an owner without closing it: its claims remain. (It may still release them, as a zombie.)
func (w *world) crash(t *rapid.T) {
	i := rapid.IntRange(0, 1).Draw(t, "owner")
	w.crashed = append(w.crashed, w.owners[i])
	w.owners[i] = w.fresh()
}

// close replaces an owner after closing it: a claim that it holds becomes unknown.
func (w *world) close(t *rapid.T) {
	i := rapid.IntRange(0, 1).Draw(t, "owner")
	if err := w.owners[i].Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	if n := len(w.holders); n > 0 && w.holders[n-1] == w.owners[i] && !w.released && w.final == "" {
		w.unsure = true
	}
	w.owners[i] = w.fresh()
}

func (w *world) closeAll(t *rapid.T) {
	for _, l := range append(w.crashed, w.owners...) {
		if err := l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}
