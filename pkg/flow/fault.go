package flow

import (
	"errors"
	"fmt"
)

// Fault is one thing wrong with a flow. Parse and Check report all faults at once, joined; errors.As finds the first.
type Fault struct {
	Flow    string // key of the flow; where it has none, its place in the file
	Field   string // text, active, quiet_hours, name, key; "" for the flow as a whole
	Problem string // what is wrong and what to do
}

// Error returns the fault as one line.
func (f Fault) Error() string {
	if f.Field == "" {
		return fmt.Sprintf("flow %s: %s", f.Flow, f.Problem)
	}
	return fmt.Sprintf("flow %s: %s: %s", f.Flow, f.Field, f.Problem)
}

// faults collects what is wrong.
type faults []error

func (fs *faults) add(flow, field, format string, args ...any) {
	*fs = append(*fs, Fault{Flow: flow, Field: field, Problem: fmt.Sprintf(format, args...)})
}

func (fs faults) err() error { return errors.Join(fs...) }
