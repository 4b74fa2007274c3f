package settings

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
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
	value, err := envelope.Encode(f)
	if err != nil {
		return nil, err
	}
	current := kafka.Record{Topic: s.Name, Key: []byte(flowKey(f.Store, f.Key)), Value: value, Headers: []kafka.Header{
		envelope.Header(envelope.HeaderCESpecVersion, "1.0"),
		envelope.Header(envelope.HeaderCEID, historyKey(f)),
		envelope.Header(envelope.HeaderCEType, "rechargeflow."+schemas.SettingsFlow),
		envelope.Header(envelope.HeaderCESource, "/stores/"+f.Store),
		envelope.Header(envelope.HeaderCETime, f.At.Format(time.RFC3339Nano)),
		envelope.Header(envelope.HeaderCESubject, kindFlow+"/"+string(f.Key)+"/"+strconv.Itoa(f.Version)),
		envelope.Header(envelope.HeaderCEDataSchema, schemas.URN(schemas.SettingsFlow)),
		envelope.Header(envelope.HeaderContentType, "application/json"),
		envelope.Header(envelope.HeaderStore, f.Store),
	}}
	history := current
	history.Key = []byte(historyKey(f))
	return []kafka.Record{current, history}, nil
}
