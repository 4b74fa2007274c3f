package config

import (
	"fmt"
	"strings"
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

// didYouMean returns ", did you mean x?" and x, where x is the known name nearest to the given one. It returns nothing if all
// names differ by more than three letters.
func didYouMean(given string, known []string) (hint, nearest string) {
	least := min(len(given)/3+2, 4)
	for _, name := range known {
		if d := distance(strings.ToLower(given), strings.ToLower(name)); d < least {
			nearest, least = name, d
		}
	}
	if nearest == "" {
		return "", ""
	}
	return ", did you mean " + nearest + "?", nearest
}

// distance is the number of letters to insert, delete or replace to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
