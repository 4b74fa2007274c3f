package flow

import "time"

// Flow is one kind of text message, as a store defines it.
type Flow struct {
	Key        Key    // one of the twelve
	Name       string // shown to people
	Text       string // Liquid template, at most MaxSource bytes
	Active     bool   // false: its triggers are counted, nothing is sent
	QuietHours bool   // true: a text is held back during quiet hours

	// Window is the longest time between two triggers of one text, and how long a text is held back for others.
	Window time.Duration
	// PerCharge is the largest number of texts about one charge, 0 for any number.
	PerCharge int
	// DailyCap texts count towards the largest number of texts that a customer gets in a day, and are suppressed beyond it.
	DailyCap bool
}

// MaxWindow is the longest window. All triggers of a text are of this time.
const MaxWindow = 10 * time.Minute

// builtIn returns what a store's flow has from the table.
func builtIn(key Key) Flow {
	rule := RuleOf(key)
	return Flow{Key: key, QuietHours: rule.QuietHours, Window: rule.Window, PerCharge: rule.PerCharge, DailyCap: !rule.Uncapped}
}
