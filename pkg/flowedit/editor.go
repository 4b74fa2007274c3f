package flowedit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

// Editor is a store whose flows are changed.
type Editor struct {
	Store string
	Shop  flow.Shop
}

// FaultsError has the faults of flows. Its text has one on each line.
type FaultsError struct{ err error }

// Error lists the faults.
func (e *FaultsError) Error() string { return e.err.Error() }

// Unwrap returns the faults, joined.
func (e *FaultsError) Unwrap() error { return e.err }

// Faults returns the faults.
func (e *FaultsError) Faults() []flow.Fault { return list(e.err) }

func list(err error) (faults []flow.Fault) {
	if joined, many := err.(interface{ Unwrap() []error }); many {
		for _, each := range joined.Unwrap() {
			faults = append(faults, list(each)...)
		}
		return faults
	}
	var fault flow.Fault
	if errors.As(err, &fault) {
		return []flow.Fault{fault}
	}
	return []flow.Fault{{Problem: err.Error()}}
}

// Check returns a FaultsError with what prevents flows from being saved; nil if nothing does.
func (e Editor) Check(flows ...flow.Flow) error {
	if err := flow.Check(flows, e.Store, e.Shop); err != nil {
		return &FaultsError{err}
	}
	return nil
}

// Valid adds to what decides on a change, see settings.FlowChange, that the flows that it changes must have no fault.
func (e Editor) Valid(decide func([]settings.Flow) error) func([]settings.Flow) error {
	return func(flows []settings.Flow) error {
		before := slices.Clone(flows)
		if err := decide(flows); err != nil {
			return err
		}
		var changed []flow.Flow
		for i, f := range flows {
			if f != before[i] {
				changed = append(changed, f.Definition())
			}
		}
		return e.Check(changed...)
	}
}

// InForce returns the flows of the store by their keys, as texts are sent. A flow with a fault, such as a link that the configuration does not have any
// more, is not active: its text would be wrong. The error names the faults of active flows; without flows they can't be read.
func (e Editor) InForce(rows *settings.Rows[settings.Setting]) (map[flow.Key]flow.Flow, error) {
	all, err := settings.FlowsOf(rows, e.Store)
	if err != nil {
		return nil, err
	}
	flows := map[flow.Key]flow.Flow{}
	var faults error
	for _, each := range all {
		f := each.Definition()
		if err := flow.Check([]flow.Flow{f}, e.Store, e.Shop); f.Active && err != nil {
			faults = errors.Join(faults, prefixed("store "+e.Store, err))
			f.Active = false
		}
		flows[f.Key] = f
	}
	return flows, faults
}

// prefixed puts a source before each line of err, which may join many errors.
func prefixed(source string, err error) error {
	var lines []error
	for line := range strings.Lines(err.Error()) {
		lines = append(lines, fmt.Errorf("%s: %s", source, strings.TrimSuffix(line, "\n")))
	}
	return errors.Join(lines...)
}

// IndexOf returns the index of a flow, which must be one of the twelve.
func IndexOf(flows []settings.Flow, key flow.Key) int {
	return slices.IndexFunc(flows, func(f settings.Flow) bool { return f.Key == key })
}

// Warnings returns what is probably not intended in flows: see flow.Warnings.
func Warnings(flows ...settings.Flow) []flow.Fault {
	var definitions []flow.Flow
	for _, f := range flows {
		definitions = append(definitions, f.Definition())
	}
	return flow.Warnings(definitions)
}
