package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// completedFetch is the records of one partition in a fetch response, and the offset of the next fetch.
type completedFetch struct {
	records []Record
	next    int64
	size    int
	reset   bool // next is the result of an offset reset: records before it are lost
	// wholeAt is when the partition had nothing after the records; zero if it had.
	wholeAt time.Time
}

// decode decodes a partition's fetch response from an offset on. Records share the memory of the response.
func decode(answer wire.FetchResult, offset int64) (completedFetch, error) {
	found := completedFetch{size: len(answer.Set)}
	var err error
	found.next, err = batch.Decode(answer.Set, offset, answer.Aborted, func(r batch.Record) {
		found.records = append(found.records, Record{
			Topic: answer.Topic, Partition: int(answer.ID), Offset: r.Offset,
			Key: r.Key, Value: r.Value, Headers: r.Headers, Time: time.UnixMilli(r.Time).UTC(),
		})
	})
	uncompressed := 0
	for _, r := range found.records {
		uncompressed += r.Size()
	}
	found.size = max(found.size, uncompressed)
	if err != nil {
		return completedFetch{}, fmt.Errorf("decode records of partition %d of topic %s: %w", answer.ID, answer.Topic, err)
	}
	return found, nil
}

// fetchRecords fetches committed records of one partition from an offset on, about maxBytes at most. Transient errors are
// retried for half a minute. It returns no records if none arrive within a moment.
func fetchRecords(ctx context.Context, pool *conn.Pool, at wire.Partition, offset int64, maxBytes int32) (completedFetch, error) {
	var found completedFetch
	err := pool.Retry(ctx, func() error {
		answer, err := pool.FetchPartition(ctx, at, offset, maxBytes)
		if err == nil {
			found, err = decode(answer, offset)
		}
		return err
	})
	return found, err
}
