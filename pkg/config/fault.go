package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/nearest"
)

// Fault is one mistake in the configuration.
type Fault struct {
	Where   string // rechargeflow.yaml:12, environment RECHARGEFLOW_LOG_LEVEL
	Key     string // path of the key; empty when no key is concerned
	Problem string // what was given and what is expected
}

// String returns where, key and problem, separated by colons.
func (f Fault) String() string {
	parts := make([]string, 0, 3)
	for _, part := range []string{f.Where, f.Key, f.Problem} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Faults is the error of Load. It has all mistakes at once.
type Faults struct {
	List []Fault
}

// Error returns one line for each fault.
func (f *Faults) Error() string {
	lines := make([]string, len(f.List))
	for i, fault := range f.List {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

func (f *Faults) add(where, key, format string, args ...any) {
	f.List = append(f.List, Fault{Where: where, Key: key, Problem: fmt.Sprintf(format, args...)})
}

// quoted shortens and quotes the user's input.
func quoted(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "..."
	}
	return fmt.Sprintf("%q", text)
}

// removed returns what to do in place of a setting that no longer exists; "" for any other name. The name is a key, or that of a variable
// in lower case.
func removed(name string) string {
	if name == "sms.flows_file" || strings.HasSuffix(name, "_sms_flows_file") {
		return "apply the file with `rechargeflow flows apply -f`"
	}
	return ""
}

// didYouMean returns ", did you mean x?" and x, where x is the known name nearest to the given one, in any case. It returns nothing if
// all names differ by more than three letters, fewer for a short one.
func didYouMean(given string, known []string) (hint, meant string) {
	lower := make([]string, len(known))
	for i, name := range known {
		lower[i] = strings.ToLower(name)
	}
	at := slices.Index(lower, nearest.Of(strings.ToLower(given), lower, min(len(given)/3+1, 3)))
	if at < 0 {
		return "", ""
	}
	return ", did you mean " + known[at] + "?", known[at]
}
