package settings

import (
	"context"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Topic is a compacted topic with rows of type R, JSON in Kafka.
type Topic[R any] struct {
	// Name is the full name, with prefix.
	Name string
	// Decode returns the row of a key. It must not keep value. A row that it can't decode is left out: the previous row of the key
	// stays in force, and Rows.Unreadable reports it.
	Decode func(key string, value []byte) (R, error)
}

// Read returns all rows that are committed now.
func (t Topic[R]) Read(ctx context.Context, cluster kafka.Cluster) (*Rows[R], error) {
	var rows Rows[R]
	if err := t.scan(ctx, cluster, func(r kafka.Record) {
		_ = t.apply(&rows, r) // Rows.Unreadable has the error
	}); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	return &rows, nil
}

// scan calls visit with all records that are committed now.
func (t Topic[R]) scan(ctx context.Context, cluster kafka.Cluster, visit func(kafka.Record)) error {
	for record, err := range kafka.Scan(ctx, cluster, t.Name, time.Time{}) {
		if err != nil {
			return err
		}
		visit(record)
	}
	return nil
}

// apply changes rows by a record. It returns an error if the record can't be decoded.
func (t Topic[R]) apply(rows *Rows[R], r kafka.Record) error {
	key := string(r.Key)
	_, _ = rows.unreadable.Delete(key)
	if r.Value == nil {
		rows.rows.Delete(key)
		return nil
	}
	row, err := t.Decode(key, r.Value)
	if err != nil {
		err = fmt.Errorf("decode row %q, offset %d of partition %d of topic %s: %w", key, r.Offset, r.Partition, r.Topic, err)
		_, _ = rows.unreadable.Set(key, err)
		return err
	}
	rows.rows.Set(key, row)
	return nil
}
