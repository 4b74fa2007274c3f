package ledger

import (
	"fmt"
	"strings"
	"time"
)

// The rules that every storage implements, as pure functions.

// MaxWord is the longest stored text in bytes.
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
			return fmt.Errorf("%w: %s is missing", ErrTrigger, f.name)
		case len(f.value) > MaxWord:
			return fmt.Errorf("%w: %s has %d bytes, at most %d", ErrTrigger, f.name, len(f.value), MaxWord)
		case f.value != Short(f.value):
			return fmt.Errorf("%w: %s is not UTF-8 text", ErrTrigger, f.name)
		}
	}
	if strings.Contains(t.Store+t.Flow, "|") {
		return fmt.Errorf("%w: store and flow must not contain |", ErrTrigger)
	}
	return nil
}

// Held is the stored state of a message.
type Held struct {
	State     State
	Owner     string    // of the claim
	ClaimedAt time.Time // of the claim
}

// Asked returns the state after a trigger arrives: a rejected message becomes planned again if the trigger has Again set.
func (h Held) Asked(t Trigger) Held {
	if t.Again && h.State == StateRejected {
		h.State = StatePlanned
	}
	return h
}

// Decide returns the outcome of a claim by owner at now, and the new state of the message.
func (o Options) Decide(h Held, owner string, now time.Time) (Outcome, State, error) {
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
		ownerGone := o.Sole && h.Owner != owner
		if ownerGone || now.Sub(h.ClaimedAt) >= o.Lease {
			return Unknown, StateUnknown, nil
		}
		return InFlight, StateClaimed, nil
	default:
		return "", "", fmt.Errorf("%w: unknown state %q", ErrMove, h.State)
	}
}

// Answer is the recorded answer to a message.
type Answer struct {
	State      State // StateAccepted, StateRejected or StateUnknown
	ProviderID string
	Code       string
}

// Note reports whether an answer changes a message with this state and provider id. The error wraps ErrMove.
func (a Answer) Note(state State, providerID string) (changes bool, err error) {
	switch {
	case state == StateClaimed:
		return true, nil
	case state == StateUnknown:
		return a.State != StateUnknown, nil
	case state != a.State:
		return false, fmt.Errorf("%w: message is %s, cannot become %s", ErrMove, state, a.State)
	case state != StateAccepted || a.ProviderID == "" || a.ProviderID == providerID:
		return false, nil
	case providerID == "":
		return true, nil
	default:
		return false, fmt.Errorf("%w: accepted with another provider id: the message was sent twice", ErrMove)
	}
}

// Short returns a text that can be stored: at most MaxWord bytes of UTF-8, without NUL.
func Short(word string) string {
	word = strings.ReplaceAll(strings.ToValidUTF8(word, ""), "\x00", "")
	if len(word) > MaxWord {
		word = strings.ToValidUTF8(word[:MaxWord], "") // no partial character
	}
	return word
}
