package kafka

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

// OffsetReset is what a consumer does when a partition does not have its next offset any more: retention deleted it before it
// was read, or the topic was deleted and created again.
type OffsetReset string

const (
	// OffsetResetSkip continues with the first offset of the partition, and counts and logs the lost offsets. It is the default.
	OffsetResetSkip OffsetReset = "skip"
	// OffsetResetHalt stops reading the partition until another offset is committed by hand and the group has rebalanced.
	OffsetResetHalt OffsetReset = "halt"
)

// behindTimeout is how long brokers may report an end before the consumer's position until it is believed. A broker that was
// frozen and is not the leader any more reports an old end until it learns of the new leader.
const behindTimeout = 10 * time.Second

// offsetOutOfRange handles OFFSET_OUT_OF_RANGE. If the partition has the offset, the broker is behind or is not the leader,
// and the fetch is retried.
func (f *fetcher) offsetOutOfRange(ctx context.Context, part partitionRequest) {
	found, err := f.pool.OffsetRange(ctx, part.Topic, int(part.ID))
	if err != nil || found.First <= part.offset && (part.offset <= found.End || f.mayBeBehind(part.readers)) {
		if ctx.Err() == nil {
			f.log.Warn("fetch records failed, retrying", part.field(), zap.Int64("offset", part.offset), zap.Error(cmp.Or(err, error(kafka.OffsetOutOfRange))))
			f.pool.RefreshMetadata(ctx)
		}
		f.retryLater(part)
		return
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	part.end = found.End
	for _, reader := range part.readers {
		if reader.fetchBuffer.version == reader.version {
			reader.resetOffset(part.offset, found)
		}
	}
}

// resetOffset continues with the first offset, or halts. The fetcher's mutex is held.
func (b *fetchBuffer) resetOffset(offset int64, found conn.OffsetRange) {
	lost := max(0, found.First-offset)
	log := b.log.With(zap.Int64("offset", offset), zap.Int64("first", found.First), zap.Int64("end", found.End), zap.Int64("lost", lost))
	const cause = "offset out of range: retention deleted unread records, or the topic was recreated"
	if b.consumer.config.OffsetReset == OffsetResetHalt {
		b.haltedBy = fmt.Errorf("partition %d of topic %s is halted: offset %d does not exist, the first is %d (stop all processes of the role, commit another offset for the group, start them again)",
			b.ID, b.Topic, offset, found.First)
		log.Error(cause + "; partition halted")
		return
	}
	b.consumer.lostOffsets.Add(lost)
	log.Error(cause + "; continuing with the first offset")
	b.put(completedFetch{next: found.First, reset: true}) // behind the records that are buffered
}

// mayBeBehind reports whether behindTimeout has not passed since brokers began to report an end before the position.
func (f *fetcher) mayBeBehind(readers []fetchReader) (behind bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, reader := range readers {
		if reader.behindSince.IsZero() {
			reader.behindSince = time.Now()
		}
		behind = behind || time.Since(reader.behindSince) < behindTimeout
	}
	return behind
}

// halted returns why partitions of a consumer are halted.
func (f *fetcher) halted(c *Consumer) []string {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	var why []string
	for _, p := range f.partitions {
		for _, b := range p.buffers {
			if b.consumer == c && b.haltedBy != nil {
				why = append(why, b.haltedBy.Error())
			}
		}
	}
	return why
}
