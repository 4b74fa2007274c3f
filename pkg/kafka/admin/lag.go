package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// NeverCommitted is the Committed of a group without a committed offset: it never committed one, or the offset has expired. The
// group starts with the first record.
const NeverCommitted = -1

// Lag is the lag of a group in one partition.
type Lag struct {
	Group string
	// Membership is the group that has the members; "" means Group.
	Membership string
	Topic      string
	Partition  int
	// Committed is the committed offset, or NeverCommitted.
	Committed int64
	// First is the log start offset, End the last stable offset: the end of the partition, or the first record of the oldest
	// open transaction.
	First, End int64
	// Records is the number of offsets from Committed (or First, if later) to End. It includes transaction markers, one per
	// transaction, and aborted records.
	Records int64
	// Age is the age of the oldest uncommitted record: the time of the LagReader's clock minus that of the first record from
	// Committed on, never below 0. It is 0 if Records is 0, or if only markers or aborted records are left. A record's time is
	// that of the producer or, with message.timestamp.type=LogAppendTime, of the broker.
	Age time.Duration
	// Member is the id of the group member that owns the partition, Host its address. Both are empty without an owner, and
	// before LagReader.Members.
	Member, Host string
}

// LagQuery is a group and the partitions of each topic whose lag is to be read.
type LagQuery struct {
	Group string
	// Membership is the group that has the members; "" means Group.
	Membership string
	Partitions map[string][]int
}

// LagReader reads the lag of groups. It caches the times of the oldest records, so that a group without progress costs no fetch
// each time. It must be used by one goroutine.
type LagReader struct {
	pool   *conn.Pool
	now    func() time.Time
	oldest map[recordID]time.Time
}

type recordID struct {
	topic     string
	partition int
	offset    int64
}

// NewLagReader returns a reader for a cluster. now is the clock for ages. It connects on first use.
func NewLagReader(cluster kafka.Cluster, now func() time.Time) (*LagReader, error) {
	if err := cluster.Validate(); err != nil {
		return nil, err
	}
	return &LagReader{pool: conn.Open(cluster), now: now}, nil
}

// Close closes the connections.
func (l *LagReader) Close() { l.pool.Close() }

// Partitions returns all partitions of topics, for a LagQuery. A topic that does not exist is an error.
func (l *LagReader) Partitions(ctx context.Context, topics ...string) (map[string][]int, error) {
	all := map[string][]int{}
	for _, topic := range topics {
		ids, err := l.pool.Partitions(ctx, topic)
		if err != nil {
			return nil, err
		}
		all[topic] = ids
	}
	return all, nil
}

// ClusterID returns the cluster's id.
func (l *LagReader) ClusterID(ctx context.Context) (string, error) {
	answer, err := conn.Plain(l.pool.Client().Metadata(ctx, &kafkago.MetadataRequest{}))
	if err != nil {
		return "", fmt.Errorf("fetch cluster id: %w", err)
	}
	return answer.ClusterID, nil
}

// Read returns the lag of each partition of each query, in the order of queries, by topic and partition. The ends of partitions
// are read a moment before the groups' offsets; an offset beyond the end is a lag of 0. Transient errors are retried for half a
// minute.
func (l *LagReader) Read(ctx context.Context, queries ...LagQuery) ([]Lag, error) {
	var lags []Lag
	err := l.pool.Retry(ctx, func() error {
		var err error
		lags, err = l.read(ctx, queries)
		return err
	})
	return lags, err
}

func (l *LagReader) read(ctx context.Context, queries []LagQuery) ([]Lag, error) {
	partitions := map[string][]int{}
	for _, r := range queries {
		for topic, ids := range r.Partitions {
			partitions[topic] = append(partitions[topic], ids...)
		}
	}
	ranges, err := l.pool.OffsetRanges(ctx, partitions)
	if err != nil {
		return nil, err
	}
	var lags []Lag
	oldest := map[recordID]time.Time{}
	for _, query := range queries {
		committed, err := l.committed(ctx, query)
		if err != nil {
			return nil, fmt.Errorf("fetch offsets of group %s: %w", query.Group, err)
		}
		for _, topic := range slices.Sorted(maps.Keys(query.Partitions)) {
			for _, id := range query.Partitions[topic] {
				lag := lagOf(query.Group, topic, id, committed[topic][id], ranges[topic][id])
				lag.Membership = query.Membership
				if lag.Age, err = l.age(ctx, lag, oldest); err != nil {
					return nil, fmt.Errorf("read oldest record of partition %d of topic %s: %w", id, topic, err)
				}
				lags = append(lags, lag)
			}
		}
	}
	l.oldest = oldest
	return lags, nil
}

func lagOf(group, topic string, partition int, committed int64, readable conn.OffsetRange) Lag {
	return Lag{
		Group: group, Topic: topic, Partition: partition, Committed: committed, First: readable.First, End: readable.End,
		Records: max(0, readable.End-max(committed, readable.First)),
	}
}

// committed returns a group's committed offsets by topic and partition.
func (l *LagReader) committed(ctx context.Context, r LagQuery) (map[string]map[int]int64, error) {
	partitions := maps.Clone(r.Partitions)
	maps.DeleteFunc(partitions, func(_ string, ids []int) bool { return len(ids) == 0 })
	found := map[string]map[int]int64{}
	if len(partitions) == 0 { // a request without topics returns all
		return found, nil
	}
	answer, err := conn.Plain(l.pool.Client().OffsetFetch(ctx, &kafkago.OffsetFetchRequest{GroupID: r.Group, Topics: partitions}))
	if err != nil {
		return nil, err
	}
	if answer.Error != nil && !errors.Is(answer.Error, kafkago.GroupIdNotFound) { // some brokers return it for a group without offsets
		return nil, answer.Error
	}
	for topic, ids := range partitions {
		found[topic] = map[int]int64{}
		for _, id := range ids {
			found[topic][id] = NeverCommitted
		}
		for _, p := range answer.Topics[topic] {
			if p.Error != nil {
				return nil, fmt.Errorf("partition %d of topic %s: %w", p.Partition, topic, p.Error)
			}
			found[topic][p.Partition] = p.CommittedOffset
		}
	}
	return found, nil
}

// age returns the age of the oldest uncommitted record, and stores its time in found for the next Read.
func (l *LagReader) age(ctx context.Context, lag Lag, found map[recordID]time.Time) (time.Duration, error) {
	if lag.Records == 0 {
		return 0, nil
	}
	id := recordID{lag.Topic, lag.Partition, max(lag.Committed, lag.First)}
	at, known := l.oldest[id]
	if !known {
		at, known = found[id]
	}
	if !known {
		var err error
		if at, err = l.timeOf(ctx, id, lag.End); err != nil {
			return 0, err
		}
	}
	if at.IsZero() {
		return 0, nil
	}
	found[id] = at
	return max(0, l.now().Sub(at)), nil
}

// timeOf returns the time of the first record from id on and before end; zero if there is none.
func (l *LagReader) timeOf(ctx context.Context, id recordID, end int64) (time.Time, error) {
	at := wire.Partition{Topic: id.topic, ID: int32(id.partition)}
	for next := id.offset; next < end; {
		answer, err := l.pool.FetchPartition(ctx, at, next, conn.PartitionFetchBytes)
		if errors.Is(err, kafkago.OffsetOutOfRange) { // deleted by retention meanwhile
			return time.Time{}, nil
		}
		if err != nil {
			return time.Time{}, err
		}
		var first *batch.Record
		behind, err := batch.Decode(answer.Set, next, answer.Aborted, func(r batch.Record) {
			if first == nil {
				first = &r
			}
		})
		if err != nil {
			return time.Time{}, fmt.Errorf("decode records: %w", err)
		}
		if first != nil && first.Offset < end {
			return time.UnixMilli(first.Time).UTC(), nil
		}
		next = max(next+1, behind)
	}
	return time.Time{}, nil
}
