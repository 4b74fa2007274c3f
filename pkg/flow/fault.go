package flow

import (
	"errors"
	"fmt"
)

// Fault is one error in a flow. Parse and Check join all faults into one error; errors.As finds the first.
type Fault struct {
	Flow    string // key of the flow; "number 3" for the third of the file where it has none
	Field   string // text, active, quiet_hours, name, key; "" for the flow as a whole
	Problem string // what is wrong and what to do
}

// Error formats the fault as one line.
func (f Fault) Error() string {
	if f.Field == "" {
		return fmt.Sprintf("flow %s: %s", f.Flow, f.Problem)
	}
	return fmt.Sprintf("flow %s: %s: %s", f.Flow, f.Field, f.Problem)
}

// faults collects faults.
type faults []error

func (fs *faults) add(flow, field, format string, args ...any) {
	*fs = append(*fs, Fault{Flow: flow, Field: field, Problem: fmt.Sprintf(format, args...)})
}

func (fs faults) err() error { return errors.Join(fs...) }
