package readmodel

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

const (
	// maxRecords and maxBytes limit a transaction.
	maxRecords = 5000
	maxBytes   = 8 << 20
	// chunkRecords and chunkBytes limit what is fetched ahead at a time; two chunks are.
	chunkRecords = 1000
	chunkBytes   = 1 << 20
	// pruneEvery is how often what is too old is removed.
	pruneEvery = time.Hour
)

// errRebuild means that the rows are of other topics than there are now.
var errRebuild = errors.New("the topics are others")

// topicError is an error of reading a topic.
type topicError struct {
	error
	topic string
}

// Unwrap returns the error.
func (e topicError) Unwrap() error { return e.error }

// of names the topic of an error; nil stays nil.
func (t *followed) of(err error) error {
	if err == nil {
		return nil
	}
	return topicError{err, t.name}
}

// topics returns the topics that are read. Current state comes first, events last: those are the most.
func topics(t topology.Topics) []string {
	names := []string{t.Customers(), t.Subscriptions(), t.Charges(), t.Messages(), t.MessageTexts()}
	for _, role := range topology.Consumers() {
		names = append(names, t.DeadLetters(role), t.Redrive(role))
	}
	return append(names, t.Facts(), t.Events())
}

// followed is a topic that is read.
type followed struct {
	name       string
	reader     *kafka.TopicReader
	partitions []int
	ranges     map[int]kafka.OffsetRange // from the next record to the last known end, by partition
	kept       map[int]int64             // the first offset that the topic had
}

// follow reads the topics until ctx ends or something fails.
func (m *Model) follow(ctx context.Context) error {
	w, err := m.newWriter(ctx)
	if err != nil {
		return err
	}
	all, err := m.beginTopics(ctx, w)
	defer func() {
		for _, t := range all {
			t.reader.Close()
		}
	}()
	if err == nil {
		err = m.turns(ctx, w, all)
	}
	return errors.Join(err, w.close())
}

// turns reads what there is, and then what comes.
func (m *Model) turns(ctx context.Context, w *writer, all []*followed) error {
	tick := time.NewTicker(m.config.Every)
	defer tick.Stop()
	pruned := time.Time{}
	for ctx.Err() == nil {
		if err := m.turn(ctx, w, all); err != nil {
			return err
		}
		if now := m.config.Now(); now.Sub(pruned) >= pruneEvery {
			if err := w.prune(ctx); err != nil {
				return err
			}
			pruned = now
		}
		m.report(func(p *Progress) {
			p.CaughtUp, p.Trouble, p.Topic, p.LookedAt = true, "", "", m.config.Now()
		})
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		if err := m.extend(ctx, all); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// beginTopics opens the topics at their next records.
func (m *Model) beginTopics(ctx context.Context, w *writer) (all []*followed, err error) {
	for _, name := range topics(m.config.Topics) {
		reader, err := kafka.NewTopicReader(m.config.Cluster, name)
		if err != nil {
			return all, err
		}
		all = append(all, &followed{name: name, reader: reader})
	}
	known, err := w.loadOffsets(ctx)
	if err != nil {
		return all, err
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, t := range all {
		g.Go(func() error { return t.of(t.begin(ctx, known, m.startOf(t.name))) })
	}
	g.Go(func() error { return m.identify(ctx, w, all[0].reader) })
	if err := g.Wait(); err != nil {
		return all, err
	}
	m.reportBehind(all)
	return all, nil
}

// startOf returns from when on a topic is read: rows of tables and the changes of a text may be older than what is kept.
func (m *Model) startOf(topic string) time.Time {
	switch t := m.config.Topics; topic {
	case t.Customers(), t.Subscriptions(), t.Charges(), t.Messages(), t.MessageTexts():
		return time.Time{}
	}
	return keptSince(m.config.Now(), m.config.Retention.Events)
}

// identify checks that the rows are of this cluster and prefix, and notes it if there are none yet.
func (m *Model) identify(ctx context.Context, w *writer, reader *kafka.TopicReader) error {
	cluster, err := reader.ClusterID(ctx)
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"cluster": cluster, "prefix": "prefix " + m.config.Topics.Prefix} {
		if _, err := w.exec(ctx, "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO NOTHING", name, value); err != nil {
			return err
		}
		var known string
		if _, err := w.one(ctx, "SELECT value FROM meta WHERE name = ?", []any{name}, &known); err != nil {
			return err
		}
		if known != value {
			return fmt.Errorf("%w: the rows are of %s %s, this is %s", errRebuild, name, known, value)
		}
	}
	return nil
}

// begin finds the next record of each partition.
func (t *followed) begin(ctx context.Context, known map[source]offset, since time.Time) (err error) {
	if t.partitions, err = t.reader.Partitions(ctx); err != nil {
		return fmt.Errorf("read topic %s: %w", t.name, err)
	}
	if t.ranges, err = t.reader.OffsetRangesSince(ctx, since, t.partitions...); err != nil {
		return err
	}
	t.kept = map[int]int64{}
	for id, part := range t.ranges {
		t.kept[id] = part.First
		at, read := known[source{t.name, id}]
		if !read {
			continue
		}
		if err := t.isSame(ctx, id, at, part); err != nil {
			return err
		}
		t.ranges[id] = kafka.OffsetRange{First: max(at.next, part.First), End: max(at.next, part.End)}
	}
	for at := range known {
		if _, exists := t.ranges[at.partition]; at.topic == t.name && !exists {
			return fmt.Errorf("%w: topic %s has no partition %d", errRebuild, t.name, at.partition)
		}
	}
	return nil
}

// isSame returns errRebuild if a partition does not have the record that was read last, but another one: the topic was created again.
func (t *followed) isSame(ctx context.Context, id int, at offset, part kafka.OffsetRange) error {
	if at.next > part.End {
		return fmt.Errorf("%w: partition %d of topic %s ends at %d, before %d, which was read", errRebuild, id, t.name, part.End, at.next)
	}
	if at.last < part.First {
		return nil
	}
	r, err := t.reader.Record(ctx, id, at.last)
	if errors.Is(err, kafka.ErrNoRecord) { // compacted
		return nil
	}
	if err == nil && r.Time.UnixMilli() != at.lastAt {
		return fmt.Errorf("%w: record %d of partition %d of topic %s is another one than was read", errRebuild, at.last, id, t.name)
	}
	return err
}

// extend moves the ends to those that the partitions have now, and the beginnings behind what retention has deleted.
func (m *Model) extend(ctx context.Context, all []*followed) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, t := range all {
		g.Go(func() error {
			now, err := t.reader.OffsetRanges(ctx, t.partitions...)
			err = t.of(err)
			for id, part := range now {
				if next := t.ranges[id].First; part.End < next {
					return fmt.Errorf("%w: partition %d of topic %s ends at %d, before %s, which was read", errRebuild, id, t.name, part.End, strconv.FormatInt(next, 10))
				}
				t.ranges[id] = kafka.OffsetRange{First: max(t.ranges[id].First, part.First), End: part.End}
			}
			return err
		})
	}
	err := g.Wait()
	if err == nil {
		m.reportBehind(all)
	}
	return err
}

// reportBehind counts the offsets that are read, and those that are not.
func (m *Model) reportBehind(all []*followed) {
	var behind, read int64
	for _, t := range all {
		for id, part := range t.ranges {
			behind += part.End - part.First
			read += max(part.First-t.kept[id], 0)
		}
	}
	m.report(func(p *Progress) { p.Behind, p.Read = behind, read })
}
