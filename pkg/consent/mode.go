package consent

import "github.com/rechargeflow/rechargeflow/pkg/reason"

// Mode is how a store asks for consent, its setting sms.consent.
type Mode string

// The modes.
const (
	// ModeOptOut texts each number that has not opted out.
	ModeOptOut Mode = "opt_out"
	// ModeOptIn texts only numbers that have opted in.
	ModeOptIn Mode = "opt_in"
	// ModeDestination leaves it to the destination, which knows more than we do. An opt-out that we know counts nevertheless.
	ModeDestination Mode = "destination"
)

// Explain says whom the mode lets a store text.
func (m Mode) Explain() string {
	switch m {
	case ModeOptIn:
		return "only numbers that have opted in"
	case ModeDestination:
		return "numbers that the destination lets it text, except known opt-outs"
	default:
		return "numbers that have not opted out"
	}
}

// May reports whether a number may be texted whose status is known, "" for one that is not. If not, it returns why.
func (m Mode) May(known Status) (reason.Reason, bool) {
	switch {
	case known == OptedOut:
		return reason.OptedOut, false
	case m == ModeOptIn && known != OptedIn:
		return reason.NotOptedIn, false
	}
	return "", true
}
