package timeline

import (
	"context"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

const (
	// tailEvery is how often new records are looked for.
	tailEvery = 300 * time.Millisecond
	// tailChunk limits the offsets of a partition that are read in one turn.
	tailChunk = 1000
)

// Tail selects the records to show as they come.
type Tail struct {
	// Topics are full names.
	Topics []string
	// Since begins with the records that were written then or later; zero: with those that are written from now on or, with UntilEnd, with
	// the oldest.
	Since time.Time
	// UntilEnd stops at the present end.
	UntilEnd bool
}

// tailed is a topic that is being shown.
type tailed struct {
	reader     *kafka.TopicReader
	partitions []int
	ranges     map[int]kafka.OffsetRange // from the next record to the last known end, by partition
}

// Tail calls visit with the records of topics, those of a partition in order, others about so, until ctx ends, which is no error.
func (s Source) Tail(ctx context.Context, what Tail, visit func(kafka.Record)) error {
	topics, err := s.begin(ctx, what)
	defer func() {
		for _, t := range topics {
			t.reader.Close()
		}
	}()
	if err == nil {
		err = s.follow(ctx, what, topics, visit)
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the operator has seen enough
	}
	return err
}

// follow shows what there is and, unless it is to stop at the end, what comes.
func (s Source) follow(ctx context.Context, what Tail, topics []*tailed, visit func(kafka.Record)) error {
	tick := time.NewTicker(tailEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		more, err := s.turn(ctx, what, topics, visit)
		switch {
		case err != nil:
			return err
		case more:
			continue
		case what.UntilEnd:
			return nil
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return nil
}

// begin returns the topics at the records to begin with.
func (s Source) begin(ctx context.Context, what Tail) (topics []*tailed, err error) {
	for _, topic := range what.Topics {
		reader, err := kafka.NewTopicReader(s.Cluster, topic)
		if err != nil {
			return topics, err
		}
		t := &tailed{reader: reader}
		topics = append(topics, t)
		if t.partitions, err = reader.Partitions(ctx); err != nil {
			return topics, err
		}
		if t.ranges, err = reader.OffsetRangesSince(ctx, what.Since, t.partitions...); err != nil {
			return topics, err
		}
		if what.Since.IsZero() && !what.UntilEnd {
			for id, part := range t.ranges {
				t.ranges[id] = kafka.OffsetRange{First: part.End, End: part.End}
			}
		}
	}
	return topics, nil
}

// turn shows what there is of each partition, up to a limit. more reports whether there was anything.
func (s Source) turn(ctx context.Context, what Tail, topics []*tailed, visit func(kafka.Record)) (more bool, err error) {
	r := s.reading(ctx)
	before := positions(topics)
	for _, t := range topics {
		r.Go(func() error { return t.read(r, what) })
	}
	found, err := r.sorted()
	slices.SortStableFunc(found, func(a, b kafka.Record) int { return a.Time.Compare(b.Time) })
	for _, record := range found {
		visit(record)
	}
	return positions(topics) > before, err
}

// read reads the next records of each partition.
func (t *tailed) read(r *reading, what Tail) error {
	if !what.UntilEnd {
		if err := t.extend(r.ctx); err != nil {
			return err
		}
	}
	for _, id := range t.partitions {
		part := t.ranges[id]
		part.End = min(part.End, part.First+tailChunk)
		for record, err := range t.reader.Read(r.ctx, id, part) {
			if err != nil {
				return err
			}
			if !record.Time.Before(what.Since) {
				r.add(record.Clone())
			}
		}
		t.ranges[id] = kafka.OffsetRange{First: part.End, End: t.ranges[id].End}
	}
	return nil
}

// extend moves the ends to those that the partitions have now, and the beginnings behind what retention has deleted.
func (t *tailed) extend(ctx context.Context) error {
	now, err := t.reader.OffsetRanges(ctx, t.partitions...)
	for id, part := range now {
		t.ranges[id] = kafka.OffsetRange{First: max(t.ranges[id].First, part.First), End: part.End}
	}
	return err
}

// positions sums up the next offsets.
func positions(topics []*tailed) (sum int64) {
	for _, t := range topics {
		for _, part := range t.ranges {
			sum += part.First
		}
	}
	return sum
}
