package ledger

import (
	"fmt"
	"strings"
	"time"
)

// The rules that every storage follows. They are pure, so that there is one place to read and to test them.

// MaxWord bounds every text that is stored, in bytes.
const MaxWord = 200

// Check returns an error that wraps ErrTrigger and names the first field that is missing or too long.
func (t Trigger) Check() error {
	for _, f := range []struct {
		name, value string
		optional    bool
	}{
		{"id", t.ID, false},
		{"store", t.Store, false},
		{"flow", t.Flow, false},
		{"customer id", t.CustomerID, false},
		{"cause", t.Cause, true},
	} {
		switch {
		case f.value == "" && !f.optional:
			return fmt.Errorf("%w: its %s is missing", ErrTrigger, f.name)
		case len(f.value) > MaxWord:
			return fmt.Errorf("%w: its %s has %d bytes, at most %d are kept", ErrTrigger, f.name, len(f.value), MaxWord)
		case f.value != Short(f.value):
			return fmt.Errorf("%w: its %s is no UTF-8 text", ErrTrigger, f.name)
		}
	}
	if strings.Contains(t.Store+t.Flow, "|") {
		return fmt.Errorf("%w: store and flow can not hold a |", ErrTrigger)
	}
	return nil
}

// Held is what a storage knows about a message when it is asked for.
type Held struct {
	State     State
	Owner     string    // of the claim
	ClaimedAt time.Time // of the claim
}

// Asked is what is held as a trigger finds it: what was rejected is planned anew when it asks Again.
func (h Held) Asked(t Trigger) Held {
	if t.Again && h.State == StateRejected {
		h.State = StatePlanned
	}
	return h
}

// Decide says what somebody who asks for the message is told, and the state the message has from then on.
// asker is the owner who asks, at now.
func (o Options) Decide(h Held, asker string, now time.Time) (Outcome, State, error) {
	switch h.State {
	case StatePlanned:
		return Claimed, StateClaimed, nil
	case StateAccepted:
		return AlreadyAccepted, StateAccepted, nil
	case StateRejected:
		return AlreadyRejected, StateRejected, nil
	case StateUnknown:
		return Unknown, StateUnknown, nil
	case StateClaimed:
		leftBehind := o.Sole && h.Owner != asker
		if leftBehind || now.Sub(h.ClaimedAt) >= o.Lease {
			return Unknown, StateUnknown, nil
		}
		return InFlight, StateClaimed, nil
	default:
		return "", "", fmt.Errorf("%w: unheard-of state %q", ErrMove, h.State)
	}
}

// Answer is what is noted about a message.
type Answer struct {
	State      State // StateAccepted, StateRejected or StateUnknown
	ProviderID string
	Code       string
}

// Note says whether an answer changes a message that has the given state and provider id. The error wraps ErrMove.
func (a Answer) Note(state State, providerID string) (changes bool, err error) {
	switch {
	case state == StateClaimed:
		return true, nil
	case state == StateUnknown:
		return a.State != StateUnknown, nil
	case state != a.State:
		return false, fmt.Errorf("%w: %s can not become %s", ErrMove, state, a.State)
	case state != StateAccepted || a.ProviderID == "" || a.ProviderID == providerID:
		return false, nil
	case providerID == "":
		return true, nil
	default:
		return false, fmt.Errorf("%w: it is accepted under another provider id: it has been sent twice", ErrMove)
	}
}

// Short makes a provider's word fit to be stored: at most MaxWord bytes of UTF-8, without NUL.
func Short(word string) string {
	word = strings.ReplaceAll(strings.ToValidUTF8(word, ""), "\x00", "")
	if len(word) > MaxWord {
		word = strings.ToValidUTF8(word[:MaxWord], "") // not half a character
	}
	return word
}
