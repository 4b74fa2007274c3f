package backtest

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/partitions"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// Source is the topics to read.
type Source struct {
	Cluster kafka.Cluster
	Topics  topology.Topics
}

// day is how long before the beginning texts are played that count towards limits only.
const day = 24 * time.Hour

// Run plays a flow over the triggers that arrived since a time. It holds those of some partitions in memory.
func (s Source) Run(ctx context.Context, o Options) (*Report, error) {
	reader, err := partitions.Open(s.Cluster, s.Topics.Triggers())
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	report := NewReport()
	var lock sync.Mutex
	err = reader.Each(ctx, func(ctx context.Context, partition int) error {
		found, err := s.play(ctx, reader, partition, o)
		if err != nil {
			return err
		}
		lock.Lock()
		defer lock.Unlock()
		report.add(found, o.Examples)
		return nil
	})
	return report, err
}

// play plays a partition, one customer after the other: what one gets does not depend on others.
func (s Source) play(ctx context.Context, reader *partitions.Reader, partition int, o Options) (*Report, error) {
	arrivals, report := map[string][]Arrival{}, NewReport()
	err := reader.Read(ctx, s.Topics.Triggers(), partition, o.Since.Add(-day), func(r kafka.Record) error {
		if !strings.HasPrefix(string(r.Key), o.Store+"/") {
			return nil
		}
		a, err := Decode(r)
		if err != nil {
			report.Unreadable++
			return nil //nolint:nilerr // counted
		}
		arrivals[string(r.Key)] = append(arrivals[string(r.Key)], a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(arrivals)) {
		found, err := Play(o, arrivals[key])
		if err != nil {
			return nil, err
		}
		report.add(found, o.Examples)
	}
	return report, ctx.Err()
}

// Decode decodes a record of recharge.sms-triggers.
func Decode(r kafka.Record) (Arrival, error) {
	a := Arrival{At: r.Time.UTC()}
	if r.Header(envelope.HeaderCEType) == envelope.TypeRevocation {
		a.Revocation = &subscriber.Revocation{}
		return a, json.Unmarshal(r.Value, a.Revocation)
	}
	a.Trigger = &subscriber.Trigger{}
	return a, json.Unmarshal(r.Value, a.Trigger)
}
