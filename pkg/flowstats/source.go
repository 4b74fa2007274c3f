package flowstats

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/partitions"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// Source is the topics to read.
type Source struct {
	Cluster kafka.Cluster
	Topics  topology.Topics
	// Regions are the default regions of the stores, by name: see sms.Number.
	Regions map[string]string
}

// Count counts the texts that were planned since a time. It reads recharge.messages and recharge.events from then on and, if any number has
// opted out since, the numbers of customers. Of some partitions at a time it holds the texts in memory.
func (s Source) Count(ctx context.Context, o Options) ([]Row, error) {
	reader, err := partitions.Open(s.Cluster, s.Topics.Messages(), s.Topics.Events(), s.Topics.Triggers(), s.Topics.Customers())
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	outs, err := s.optOuts(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("read opt-outs: %w", err)
	}
	all := sums{}
	var lock sync.Mutex
	err = reader.Each(ctx, func(ctx context.Context, partition int) error {
		counter := NewCounter(o)
		if err := s.count(ctx, reader, partition, counter, outs); err != nil {
			return err
		}
		lock.Lock()
		defer lock.Unlock()
		counter.addTo(all)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all.rows(), nil
}

// count reads one partition.
func (s Source) count(ctx context.Context, reader *partitions.Reader, partition int, to *Counter, outs optOuts) error {
	if err := s.changes(ctx, reader, partition, to); err != nil || len(to.texts) == 0 {
		return err
	}
	if err := s.events(ctx, reader, partition, to); err != nil || len(outs) == 0 {
		return err
	}
	return s.numbers(ctx, reader, partition, to, outs)
}

func (s Source) changes(ctx context.Context, reader *partitions.Reader, partition int, to *Counter) error {
	return reader.Read(ctx, s.Topics.Messages(), partition, to.options.start(), func(r kafka.Record) error {
		var m message.Change
		if err := json.Unmarshal(r.Value, &m); err != nil {
			return fmt.Errorf("decode message %d/%d: %w", r.Partition, r.Offset, err)
		}
		to.Changed(m)
		return nil
	})
}

func (s Source) events(ctx context.Context, reader *partitions.Reader, partition int, to *Counter) error {
	decoder := subscriber.NewEventDecoder(subscriber.Portal{})
	return reader.Read(ctx, s.Topics.Events(), partition, to.options.start(), func(r kafka.Record) error {
		if e, err := decoder.Decode(r.Value); err == nil { // what is no event is a dead letter of the tracking sink
			to.Happened(e)
		}
		return nil
	})
}

// day is how long an opt-out is said to come from a text.
const day = 24 * time.Hour

// DefaultWithin are the times that are meant unless others are given.
func DefaultWithin() Within {
	const week = 7 * day
	return Within{OptOut: day, Recovery: week, Reactivated: 30 * day}
}
