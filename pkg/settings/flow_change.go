package settings

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
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
			written, err := s.flowRecords(f)
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

// flowRecords returns the current row of a flow and the one for its history.
func (s Settings) flowRecords(f Flow) ([]kafka.Record, error) {
	value, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode flow: %w", err)
	}
	current := kafka.Record{Topic: s.Name, Key: []byte(flowKey(f.Store, f.Key)), Value: value, Headers: []kafka.Header{
		{Key: "ce_specversion", Value: []byte("1.0")},
		{Key: "ce_id", Value: []byte(historyKey(f))},
		{Key: "ce_type", Value: []byte("rechargeflow." + schemas.SettingsFlow)},
		{Key: "ce_source", Value: []byte("/stores/" + f.Store)},
		{Key: "ce_time", Value: []byte(f.At.Format(time.RFC3339Nano))},
		{Key: "ce_subject", Value: []byte(kindFlow + "/" + string(f.Key) + "/" + strconv.Itoa(f.Version))},
		{Key: "ce_dataschema", Value: []byte(schemas.URN(schemas.SettingsFlow))},
		{Key: "content-type", Value: []byte("application/json")},
		{Key: "store", Value: []byte(f.Store)},
	}}
	history := current
	history.Key = []byte(historyKey(f))
	return []kafka.Record{current, history}, nil
}
