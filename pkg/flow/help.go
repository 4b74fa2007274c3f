package flow

import "time"

// Help is the answer to a reply that asks for help, such as HELP. It is not in the table: its text is a setting of the store, and only an
// opt-out of the number keeps it back.
const Help Key = "help"

// helpRule is the rule of Help.
func helpRule() Rule {
	return Rule{Flow: Help, FiredBy: AskedForHelp, Stale: Stale{After: time.Hour}, Uncapped: true}
}

// CheckHelp returns the fault of a text for Help, which has the values of the shop only.
func CheckHelp(text string, shop Shop) error {
	_, err := rendered(text, Variables{Shop: shop})
	return err
}
