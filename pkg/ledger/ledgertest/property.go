package ledgertest

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/ledger"
)

// neverClaimedTwice plays any sequence of claims, answers, crashes, lost answers and waiting by two owners against the
// promise: a text is handed out again only after a release of the claim that had it, and what is known never changes.
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

// world is what the property test knows.
type world struct {
	open     Open
	clock    *Clock
	trigger  ledger.Trigger
	owners   []ledger.Ledger
	crashed  []ledger.Ledger
	held     []ledger.Claim // every claim that was ever handed out
	holders  []ledger.Ledger
	released bool           // the last claim was given back
	final    ledger.Outcome // accepted or rejected, once it was said
	unsure   bool           // somebody was told unknown
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

// handedOut is the promise itself.
func (w *world) handedOut(t *rapid.T, l ledger.Ledger, c ledger.Claim) {
	if len(w.held) > 0 && !w.released {
		t.Fatalf("handed out again without a release: %+v after %+v", c, w.held)
	}
	if c.Attempt != len(w.held)+1 {
		t.Fatalf("attempt %d after %d claims", c.Attempt, len(w.held))
	}
	w.held, w.holders, w.released = append(w.held, c), append(w.holders, l), false
}

// contradiction says why an outcome can not be; "" if it can.
func (w *world) contradiction(o ledger.Outcome) string {
	switch {
	case len(w.held) == 0:
		return "nobody has claimed it yet"
	case w.released:
		return "it was given back"
	case o == ledger.AlreadyAccepted || o == ledger.AlreadyRejected:
		if o != w.final {
			return "the provider said otherwise"
		}
	case w.final != "":
		return "the provider's word is known"
	case o == ledger.InFlight && w.unsure:
		return "it was unknown before"
	}
	return ""
}

// answer notes an answer through any living owner, as a late callback does.
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

// release gives back any claim there ever was: only the last one may be, and only while nothing else is known.
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

// crash replaces an owner without closing it: its claims stay behind. (It may still release: a zombie.)
func (w *world) crash(t *rapid.T) {
	i := rapid.IntRange(0, 1).Draw(t, "owner")
	w.crashed = append(w.crashed, w.owners[i])
	w.owners[i] = w.fresh()
}

// close replaces an owner in good order: a claim that it holds becomes unknown.
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
