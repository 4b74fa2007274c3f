package readmodel

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// chunk is a part of a partition.
type chunk struct {
	of      *followed
	id      int
	records []kafka.Record
	bytes   int
	next    int64 // the offset behind it
}

// turn reads each partition up to its last known end. It fetches while it writes.
func (m *Model) turn(ctx context.Context, w *writer, all []*followed) error {
	g, ctx := errgroup.WithContext(ctx)
	chunks := make(chan chunk, 1)
	unread := unreadOf(all) // before the writer moves the ranges
	g.Go(func() error {
		defer close(chunks)
		for _, u := range unread {
			if err := u.of.fetch(ctx, u.id, u.part, chunks); err != nil {
				return u.of.of(err)
			}
		}
		return nil
	})
	g.Go(func() error { return m.write(ctx, w, chunks) })
	return g.Wait()
}

// unread is what a turn reads of a partition.
type unread struct {
	of   *followed
	id   int
	part kafka.OffsetRange
}

// unreadOf returns the partitions that have records to read.
func unreadOf(all []*followed) []unread {
	var found []unread
	for _, t := range all {
		for _, id := range t.partitions {
			if part := t.ranges[id]; part.First < part.End {
				found = append(found, unread{t, id, part})
			}
		}
	}
	return found
}

// fetch passes on the records of a part of a partition.
func (t *followed) fetch(ctx context.Context, id int, part kafka.OffsetRange, to chan<- chunk) error {
	c := chunk{of: t, id: id}
	send := func(next int64) error {
		c.next = next
		select {
		case <-ctx.Done():
			return ctx.Err()
		case to <- c:
			c = chunk{of: t, id: id}
			return nil
		}
	}
	for record, err := range t.reader.Read(ctx, id, part) {
		if err != nil {
			return err
		}
		c.records, c.bytes = append(c.records, record), c.bytes+record.Size()
		if len(c.records) >= chunkRecords || c.bytes >= chunkBytes {
			if err := send(record.Offset + 1); err != nil {
				return err
			}
		}
	}
	return send(part.End)
}

// batch is the chunks of a transaction.
type batch struct {
	chunks         []chunk // without their records
	records, bytes int
}

// write writes chunks until there are no more, in transactions of a few.
func (m *Model) write(ctx context.Context, w *writer, chunks <-chan chunk) error {
	var b batch
	for c := range chunks {
		if err := w.add(ctx, &b, c); err != nil {
			return err
		}
		if b.records >= maxRecords || b.bytes >= maxBytes {
			if err := w.end(ctx, &b); err != nil {
				return err
			}
		}
	}
	return w.end(ctx, &b)
}

// add writes a chunk, and begins a transaction if there is none.
func (w *writer) add(ctx context.Context, b *batch, c chunk) error {
	if len(b.chunks) == 0 {
		w.announce = w.Progress().CaughtUp && w.live.wanted()
		if err := w.begin(ctx); err != nil {
			return err
		}
	}
	if err := w.chunk(ctx, c); err != nil {
		return err
	}
	b.records, b.bytes = b.records+len(c.records), b.bytes+c.bytes
	c.records = nil
	b.chunks = append(b.chunks, c)
	return nil
}

// end commits what is in a batch.
func (w *writer) end(ctx context.Context, b *batch) error {
	if len(b.chunks) == 0 {
		return nil
	}
	if err := w.commit(ctx); err != nil {
		return err
	}
	for _, c := range b.chunks {
		c.of.ranges[c.id] = kafka.OffsetRange{First: c.next, End: c.of.ranges[c.id].End}
	}
	*b = batch{}
	return nil
}

// chunk writes the records of a chunk.
func (w *writer) chunk(ctx context.Context, c chunk) error {
	at := source{c.of.name, c.id}
	o, known := w.offsets[at]
	if !known {
		o.last = -1
	}
	for _, r := range c.records {
		if err := w.apply(ctx, r); err != nil {
			return fmt.Errorf("apply record %d of partition %d of topic %s: %w", r.Offset, r.Partition, r.Topic, err)
		}
		o.last, o.lastAt = r.Offset, r.Time.UnixMilli()
	}
	o.next = c.next
	w.offsets[at] = o
	return nil
}

// loadOffsets returns how far the topics were read.
func (w *writer) loadOffsets(ctx context.Context) (map[source]offset, error) {
	rows, err := w.conn.QueryContext(ctx, "SELECT topic, partition, next, last, last_at FROM offsets")
	if err != nil {
		return nil, fmt.Errorf("read offsets: %w", err)
	}
	known := map[source]offset{}
	err = each(rows, func(scan scanner) error {
		var at source
		var o offset
		err := scan(&at.topic, &at.partition, &o.next, &o.last, &o.lastAt)
		known[at] = o
		return err
	})
	return known, err
}
