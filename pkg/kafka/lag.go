package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
)

// NeverCommitted is the Committed of a group that has not committed an offset of a partition, or whose offset the brokers
// have forgotten. It begins, or will begin, with the first record there is.
const NeverCommitted = -1

// Lag is how far a group is behind in one partition.
type Lag struct {
	Group     string
	Topic     string
	Partition int
	// Committed is the offset of the next record that the group will not yet have finished; NeverCommitted.
	Committed int64
	// First is the first offset that retention has left, End the one at which a reader of what is committed stops: the end of
	// the partition, or the first record of the oldest transaction still open.
	First, End int64
	// Records is how many offsets lie between Committed (or First, if that is later) and End. Offsets of transaction
	// markers and of aborted records count; there is one of the former per transaction.
	Records int64
	// Age is how long ago, by the clock of the LagReader, the oldest record was written that the group has not committed:
	// now minus the time of the first record from Committed on, never below 0. It is 0 when Records is 0, and when only
	// markers or aborted records are left. A record's time is its producer's clock or, with
	// message.timestamp.type=LogAppendTime, the broker's.
	Age time.Duration
	// Member is the id of the group's member that has the partition, Host where it connects from. Both are empty when nobody
	// has it, and when members were not asked for.
	Member, Host string
}

// Reading is a group and the partitions of each topic that are asked about.
type Reading struct {
	Group      string
	Partitions map[string][]int
}

// LagReader asks a cluster how far groups are behind. It remembers the times of the records that it found last, so that a
// group that stands still costs no fetch each time. It is for one goroutine.
type LagReader struct {
	*connections
	now    func() time.Time
	oldest map[recordID]time.Time
}

type recordID struct {
	topic     string
	partition int
	offset    int64
}

// NewLagReader returns a reader for a cluster; now is the clock that ages are taken by. It dials on first use.
func NewLagReader(cluster Cluster, now func() time.Time) (*LagReader, error) {
	if err := cluster.validate(); err != nil {
		return nil, err
	}
	return &LagReader{connections: cluster.connect(), now: now}, nil
}

// Close ends the connections.
func (l *LagReader) Close() { l.close() }

// Partitions returns all partitions of topics, for a Reading. A topic that does not exist is an error.
func (l *LagReader) Partitions(ctx context.Context, topics ...string) (map[string][]int, error) {
	all := map[string][]int{}
	for _, topic := range topics {
		ids, err := l.partitions(ctx, topic)
		if err != nil {
			return nil, err
		}
		all[topic] = ids
	}
	return all, nil
}

// ClusterID returns the id that the cluster has given itself.
func (l *LagReader) ClusterID(ctx context.Context) (string, error) {
	answer, err := l.client().Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return "", fmt.Errorf("ask for cluster: %w", err)
	}
	return answer.ClusterID, nil
}

// Read returns the lag of each partition of each reading, ordered by group, topic and partition. What the brokers say of a
// partition's end is a moment older than what they say of the group's offset; an offset beyond that end is no lag. It asks
// again while what goes wrong may pass, for up to half a minute.
func (l *LagReader) Read(ctx context.Context, readings ...Reading) ([]Lag, error) {
	var lags []Lag
	err := l.weather(ctx, func() error {
		var err error
		lags, err = l.read(ctx, readings)
		return err
	})
	return lags, err
}

func (l *LagReader) read(ctx context.Context, readings []Reading) ([]Lag, error) {
	asked := map[string][]int{}
	for _, r := range readings {
		for topic, ids := range r.Partitions {
			asked[topic] = append(asked[topic], ids...)
		}
	}
	reaches, err := l.reaches(ctx, asked)
	if err != nil {
		return nil, err
	}
	var lags []Lag
	oldest := map[recordID]time.Time{}
	for _, reading := range readings {
		committed, err := l.committed(ctx, reading)
		if err != nil {
			return nil, fmt.Errorf("ask for offsets of group %s: %w", reading.Group, err)
		}
		for _, topic := range slices.Sorted(maps.Keys(reading.Partitions)) {
			for _, id := range reading.Partitions[topic] {
				lag := lagOf(reading.Group, topic, id, committed[topic][id], reaches[topic][id])
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

func lagOf(group, topic string, partition int, committed int64, has reach) Lag {
	return Lag{
		Group: group, Topic: topic, Partition: partition, Committed: committed, First: has.first, End: has.end,
		Records: max(0, has.end-max(committed, has.first)),
	}
}

// committed are the group's offsets by topic and partition.
func (l *LagReader) committed(ctx context.Context, r Reading) (map[string]map[int]int64, error) {
	asked := maps.Clone(r.Partitions)
	maps.DeleteFunc(asked, func(_ string, ids []int) bool { return len(ids) == 0 })
	found := map[string]map[int]int64{}
	if len(asked) == 0 { // no topics would mean all
		return found, nil
	}
	answer, err := l.client().OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: r.Group, Topics: asked})
	if err != nil {
		return nil, err
	}
	if answer.Error != nil && !errors.Is(answer.Error, kafka.GroupIdNotFound) { // which is how some say: nothing committed
		return nil, answer.Error
	}
	for topic, ids := range asked {
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

// age finds the oldest record that is not committed, and notes its time in found for the next time.
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

// timeOf is the time of the first record from id on and before end; zero when there is none.
func (l *LagReader) timeOf(ctx context.Context, id recordID, end int64) (time.Time, error) {
	for next := id.offset; next < end; {
		found, err := l.fetch(ctx, id.topic, id.partition, next, readWait, fetchBytes)
		if errors.Is(err, kafka.OffsetOutOfRange) { // retention was quicker; the next time it will be the first
			return time.Time{}, nil
		}
		if err != nil {
			return time.Time{}, err
		}
		if len(found.records) > 0 && found.records[0].Offset < end {
			return found.records[0].Time, nil
		}
		next = max(next+1, found.next)
	}
	return time.Time{}, nil
}
