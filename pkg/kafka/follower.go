package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// followWait is how long a broker waits for records before it answers a Follower without any.
const followWait = 500 * time.Millisecond

// Follower reads a whole topic without a consumer group, then what is written to it: for a table that each process has in memory.
// It reads committed records only.
type Follower struct {
	Topic string
	// Records is called with the next records of a partition, in order. The records share the memory of a fetch response.
	Records func(records []Record)
	// AtEnd is called once, when all records that could be read when Run began were passed to Records.
	AtEnd func()
	// Whole, if set, is called with a time, about twice a second while brokers answer: all records that could be read then were passed to Records.
	Whole func(at time.Time)
	Log   *zap.Logger
}

// Run reads until ctx ends, which is no error. While brokers do not answer, or the topic does not exist, it logs the cause and retries. It
// fails if records that it has read do not exist any more, because the topic was deleted and created again: what was read is wrong then.
func (f Follower) Run(ctx context.Context, cluster Cluster) error {
	if err := cluster.Validate(); err != nil {
		return fmt.Errorf("follow topic %s: %w", f.Topic, err)
	}
	pool := conn.Open(cluster, f.Topic)
	defer pool.Close()
	ranges, ok := f.ranges(ctx, pool)
	if !ok {
		return nil
	}
	fetching, stop := context.WithCancel(ctx)
	fetcher := newFetcher(pool, followWait, f.Log)
	fetched := make(chan struct{})
	go func() {
		defer close(fetched)
		fetcher.run(fetching)
	}()
	defer func() {
		stop()
		<-fetched
	}()
	if err := f.follow(ctx, fetcher, ranges); err != nil {
		return fmt.Errorf("follow topic %s: %w", f.Topic, err)
	}
	return nil
}

// ranges returns what can be read of each partition now. It retries until ctx ends; then ok is false.
func (f Follower) ranges(ctx context.Context, pool *conn.Pool) (ranges map[int]OffsetRange, ok bool) {
	backoff := fetchBackoff()
	for last := ""; ; {
		s := scanner{pool: pool, topic: f.Topic}
		err := s.readRanges(ctx)
		if err == nil {
			return s.ranges, true
		}
		if ctx.Err() == nil && err.Error() != last {
			f.Log.Warn("read offsets of topic failed, retrying", zap.String("topic", f.Topic), zap.Error(err))
			last = err.Error()
		}
		if !backoff.Wait(ctx) {
			return nil, false
		}
	}
}

// followed is a partition that a Follower reads.
type followed struct {
	*fetchBuffer
	next, end int64     // the next offset to pass on, and the end when Run began
	wholeAt   time.Time // when there was nothing after next
}

func (f Follower) follow(ctx context.Context, fetcher *fetcher, ranges map[int]OffsetRange) error {
	ready := make(chan struct{}, 1)
	partitions := make([]*followed, 0, len(ranges))
	for id, readable := range ranges {
		at := wire.Partition{Topic: f.Topic, ID: int32(id)}
		buffer := &fetchBuffer{
			Partition: at, consumer: &Consumer{}, log: f.Log.With(partitionField(at)), ready: ready,
			position: readable.First, backoff: fetchBackoff(), wakesAtEnd: f.Whole != nil,
		}
		partitions = append(partitions, &followed{fetchBuffer: buffer, next: readable.First, end: readable.End})
		fetcher.add(buffer)
	}
	ended := false
	for {
		behind := false
		for _, p := range partitions {
			if err := f.deliver(fetcher, p); err != nil {
				return err
			}
			behind = behind || p.next < p.end
		}
		if !behind && !ended {
			ended = true
			f.AtEnd()
		}
		f.reportWhole(partitions)
		select {
		case <-ctx.Done():
			return nil
		case <-ready:
		}
	}
}

// reportWhole calls Whole with the time for which it holds of all partitions.
func (f Follower) reportWhole(partitions []*followed) {
	if f.Whole == nil {
		return
	}
	oldest := slices.MinFunc(partitions, func(a, b *followed) int { return a.wholeAt.Compare(b.wholeAt) }).wholeAt
	if !oldest.IsZero() {
		f.Whole(oldest)
	}
}

// deliver passes on what was fetched of a partition.
func (f Follower) deliver(fetcher *fetcher, p *followed) error {
	for {
		found, ok := fetcher.take(p.fetchBuffer, false)
		if !ok {
			if at := fetcher.whole(p.fetchBuffer); !at.IsZero() {
				p.wholeAt = at
			}
			return nil
		}
		if found.reset {
			return fmt.Errorf("offset %d of partition %d does not exist any more, because the topic was deleted and created again: start the process again",
				p.next, p.ID)
		}
		p.next = found.next
		if len(found.records) > 0 {
			f.Records(found.records)
		}
	}
}
