package flow

import (
	"fmt"
	"slices"
	"strings"
)

// Warnings returns what is probably not intended in flows: characters that make a text expensive, and texts at night of a flow that has quiet
// hours in the table.
func Warnings(flows []Flow) (warnings []Fault) {
	for _, f := range flows {
		if RuleOf(f.Key).QuietHours && !f.QuietHours {
			warnings = append(warnings, Fault{Flow: string(f.Key), Field: "quiet_hours", Problem: "is false: texts of this flow are sent at night, unless quiet hours hold for all flows of the store"})
		}
		if problem := expensive(f); problem != "" {
			warnings = append(warnings, Fault{Flow: string(f.Key), Field: "text", Problem: problem})
		}
	}
	return warnings
}

// expensive explains the characters for which a text has more parts than without them, "" if there are none.
func expensive(f Flow) string {
	for _, r := range f.Key.Resources() {
		text, err := rendered(f.Text, SampleOf(r))
		if err != nil {
			continue // Check reports it
		}
		special, plain := splitGSM(text)
		_, parts := Segments(text)
		if _, fewer := Segments(plain); fewer < parts {
			return fmt.Sprintf("has %s: an SMS with it holds 70 characters in place of 160, so this text is billed as %d in place of %d with sample values",
				special, parts, fewer)
		}
	}
	return ""
}

// splitGSM returns the visible characters that are not in GSM-7, each once, and the text without them.
func splitGSM(text string) (special, plain string) {
	var found []string
	plain = strings.Map(func(r rune) rune {
		if septets(r) > 0 {
			return r
		}
		if s := string(r); !isSelector(r) && r != joiner && !slices.Contains(found, s) {
			found = append(found, s)
		}
		return -1
	}, text)
	return strings.Join(found, " "), plain
}
