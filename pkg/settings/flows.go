package settings

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// ErrVersion means that a setting was changed by somebody else since the version that a change was made for.
var ErrVersion = errors.New("somebody else has changed it")

// Flow is a flow of a store at one version.
type Flow struct {
	Store   string   `json:"store"`
	Key     flow.Key `json:"flow"`
	Version int      `json:"version"` // from 1 on, one more with each change; 0 is the built-in flow, which has no row

	At time.Time `json:"at,omitzero"` // when and by whom it was changed, zero and "" for version 0
	By string    `json:"by,omitempty"`

	Name          string  `json:"name"` // these as in flow.Flow
	Text          string  `json:"text"`
	Active        bool    `json:"active"`
	QuietHours    bool    `json:"quiet_hours"`
	WindowSeconds float64 `json:"window_seconds"`
	PerCharge     int     `json:"per_charge"`
	DailyCap      bool    `json:"daily_cap"`
}

// Definition returns what the flow does.
func (f Flow) Definition() flow.Flow {
	return flow.Flow{
		Key: f.Key, Name: f.Name, Text: f.Text, Active: f.Active, QuietHours: f.QuietHours,
		Window: time.Duration(f.WindowSeconds * float64(time.Second)), PerCharge: f.PerCharge, DailyCap: f.DailyCap,
	}
}

// Define sets what the flow does; its key stays.
func (f *Flow) Define(as flow.Flow) {
	f.Name, f.Text, f.Active, f.QuietHours = as.Name, as.Text, as.Active, as.QuietHours
	f.WindowSeconds, f.PerCharge, f.DailyCap = as.Window.Seconds(), as.PerCharge, as.DailyCap
}

// Expect returns ErrVersion, wrapped with what was changed by whom, if the flow has not the version.
func (f Flow) Expect(version int) error {
	if f.Version == version {
		return nil
	}
	by := ""
	if f.Version > 0 {
		by = fmt.Sprintf(", by %s at %s", f.By, f.At.Format(time.RFC3339))
	}
	return fmt.Errorf("flow %s of store %s has version %d%s, not %d: %w", f.Key, f.Store, f.Version, by, version, ErrVersion)
}

// FlowsOf returns the flows of a store, in the order of flow.Keys. Those that were never changed are the built-in ones.
func FlowsOf(rows *Rows[Setting], store string) ([]Flow, error) {
	flows, err := builtIn(store)
	if err != nil {
		return nil, err
	}
	for i := range flows {
		if row, _ := rows.Get(flowKey(store, flows[i].Key)); row.Flow != nil {
			flows[i] = *row.Flow
		}
	}
	return flows, nil
}

// HistoryOf returns all versions of a flow, from the built-in one to the current one.
func HistoryOf(rows *Rows[Setting], store string, key flow.Key) ([]Flow, error) {
	flows, err := builtIn(store)
	if err != nil {
		return nil, err
	}
	versions := slices.DeleteFunc(flows, func(f Flow) bool { return f.Key != key })
	for _, row := range rows.Prefix(flowKey(store, key) + versionPart) {
		versions = append(versions, *row.Flow)
	}
	slices.SortFunc(versions, func(a, b Flow) int { return cmp.Compare(a.Version, b.Version) })
	return versions, nil
}

// builtIn returns the built-in flows as those of a store.
func builtIn(store string) ([]Flow, error) {
	defaults, err := flow.Defaults()
	if err != nil {
		return nil, fmt.Errorf("read built-in flows: %w", err)
	}
	flows := make([]Flow, len(defaults))
	for i, f := range defaults {
		flows[i] = Flow{Store: store, Key: f.Key}
		flows[i].Define(f)
	}
	return flows, nil
}
