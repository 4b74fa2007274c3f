package settings

import (
	"context"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// FlowChange changes flows of a store.
type FlowChange struct {
	Store string
	By    string
	At    time.Time
	// Decide changes what flows do, see Flow.Define. It gets all flows of the store and may be called several times. Its error ends the
	// change.
	Decide func(flows []Flow) error
}

// Plan returns the flows that the change would write, with their new versions; none if it changes nothing.
func (c FlowChange) Plan(rows *Rows[Setting]) (changed []Flow, err error) {
	before, err := FlowsOf(rows, c.Store)
	if err != nil {
		return nil, err
	}
	after := slices.Clone(before)
	if err := c.Decide(after); err != nil {
		return nil, err
	}
	for i, f := range after {
		if f.Definition() == before[i].Definition() {
			continue
		}
		f.Version, f.At, f.By = before[i].Version+1, c.At.UTC(), c.By
		changed = append(changed, f)
	}
	return changed, nil
}

// ChangeFlows writes the flows that a change changes, all or none, each also for the history. It returns them.
func (s Settings) ChangeFlows(ctx context.Context, cluster kafka.Cluster, c FlowChange) (changed []Flow, err error) {
	err = s.Change(ctx, cluster, s.Writer, func(rows *Rows[Setting]) (records []kafka.Record, err error) {
		if changed, err = c.Plan(rows); err != nil {
			return nil, err
		}
		for _, f := range changed {
			written, err := s.records(schemas.SettingsFlow, f.Store, flowKey(f.Store, f.Key), f.Version, f.At, f)
			if err != nil {
				return nil, err
			}
			records = append(records, written...)
		}
		return records, nil
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}
