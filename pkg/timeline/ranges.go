package timeline

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// A long range is read in parts at the same time: decoding takes longer than fetching.
const (
	maxParts    = 4
	offsetsPart = 5_000 // of a part, at least
	atOnce      = 16    // parts and topics
)

// parts divides a range of offsets.
func parts(whole kafka.OffsetRange) []kafka.OffsetRange {
	n := min(maxParts, max(1, (whole.End-whole.First)/offsetsPart))
	divided := make([]kafka.OffsetRange, 0, n)
	for i := range n {
		length := whole.End - whole.First
		divided = append(divided, kafka.OffsetRange{First: whole.First + length*i/n, End: whole.First + length*(i+1)/n})
	}
	return divided
}

// reading collects records that are read at the same time.
type reading struct {
	*errgroup.Group

	source Source
	ctx    context.Context //nolint:containedctx // of the group
	lock   sync.Mutex
	found  []kafka.Record
}

func (s Source) reading(ctx context.Context) *reading {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	return &reading{Group: group, source: s, ctx: ctx}
}

// partition reads the records of a partition that match, in several parts. Nothing keeps their order: see sorted.
func (r *reading) partition(reader *kafka.TopicReader, partition int, whole kafka.OffsetRange, match func(kafka.Record) bool) {
	for _, part := range parts(whole) {
		r.Go(func() error {
			for record, err := range reader.Read(r.ctx, partition, part) {
				if err != nil {
					return err
				}
				if match(record) {
					r.add(record.Clone())
				}
			}
			return nil
		})
	}
}

func (r *reading) add(record kafka.Record) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.found = append(r.found, record)
}

// sorted waits for all records and returns them, by topic, partition and offset.
func (r *reading) sorted() ([]kafka.Record, error) {
	if err := r.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(r.found, func(a, b kafka.Record) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	return r.found, nil
}
