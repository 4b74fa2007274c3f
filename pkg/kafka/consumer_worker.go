package kafka

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// worker processes one partition number during one generation: that partition of each topic.
type worker struct {
	*generation
	processor  processor
	number     int
	partitions []*assignedPartition
	ready      chan struct{}   // records were fetched
	stopping   <-chan struct{} // closed when the consumer stops, or the generation ends
	next       int             // the partition to look at first
	log        *zap.Logger
}

// run processes records until fetching ends or another member owns the partitions. Other errors are logged and retried.
func (w *worker) run(fetching, handling context.Context, partitions []wire.Partition) {
	defer w.processor.release(w)
	w.stopping = fetching.Done()
	if !w.start(fetching, partitions) {
		return
	}
	for fetching.Err() == nil {
		wait, err := w.processor.punctuate(handling, w)
		if w.lostOwnership(err) {
			return
		}
		if err != nil {
			w.log.Warn("punctuate failed, retrying later", zap.Error(err))
		}
		p, records := w.awaitRecords(fetching, wait)
		if p == nil {
			continue
		}
		err = w.processor.process(handling, w, p, records)
		if w.lostOwnership(err) {
			return
		}
		if err == nil {
			p.backoff.Reset()
			continue
		}
		pause := max(retryAfter(err), p.backoff.Next())
		w.log.Warn("handler failed, backing off", zap.String("topic", p.Topic), zap.Int64("offset", records[0].Offset),
			zap.Int("records", len(records)), zap.Duration("backoff", pause), zap.Error(err))
		p.pausedUntil = time.Now().Add(pause)
	}
}

// untilStop returns a context for work that the next owner of the partition does as well: it ends when the consumer stops.
func (w *worker) untilStop(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-w.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// lostOwnership reports whether an error means that another member owns the partition.
func (w *worker) lostOwnership(err error) bool {
	lost := errors.Is(err, errNotOwner)
	if lost {
		w.log.Warn("partition lost to another group member, stopping its worker", zap.Error(err))
	}
	return lost
}

// start takes over the partitions and starts fetching. It returns false if they are not to be processed any more.
func (w *worker) start(ctx context.Context, partitions []wire.Partition) bool {
	backoff := fetchBackoff()
	for {
		offsets, err := w.processor.takeOver(ctx, w, partitions)
		if err == nil {
			w.addPartitions(partitions, offsets)
			return true
		}
		if ctx.Err() == nil {
			w.log.Warn("take over partition failed, retrying", zap.Error(err))
		}
		if errors.Is(err, errNotOwner) || !backoff.Wait(ctx) {
			return false
		}
		w.pool.RefreshMetadata(ctx)
	}
}

func (w *worker) addPartitions(partitions []wire.Partition, offsets map[wire.Partition]committed) {
	for _, at := range partitions {
		p := &assignedPartition{
			fetcher: w.fetcher, tracker: &offsetTracker{},
			filter:  w.consumer.config.Filter,
			backoff: conn.Backoff{First: handlerRetry, Max: handlerRetryMax},
		}
		p.fetchBuffer = &fetchBuffer{
			Partition: at, consumer: w.consumer, log: w.generation.log.With(partitionField(at)), ready: w.ready,
			position: offsets[at].offset, backoff: fetchBackoff(),
		}
		p.seek(offsets[at])
		w.partitions = append(w.partitions, p)
		w.repeatCommits(p)
		w.fetcher.add(p.fetchBuffer)
	}
}

// offsets returns the offset to start from in each partition: the committed offset, or the first offset.
func (w *worker) offsets(ctx context.Context, partitions []wire.Partition) (map[wire.Partition]committed, error) {
	offsets, err := fetchOffsets(ctx, w.pool, w.member.group, partitions)
	if err != nil {
		return nil, err
	}
	return w.orFirst(ctx, offsets)
}

// orFirst replaces missing offsets by the first offsets of their partitions.
func (w *worker) orFirst(ctx context.Context, offsets map[wire.Partition]committed) (map[wire.Partition]committed, error) {
	for at, found := range offsets {
		if found.offset >= 0 {
			continue
		}
		readable, err := w.pool.OffsetRange(ctx, at.Topic, int(at.ID))
		if err != nil {
			return nil, err
		}
		offsets[at] = committed{offset: readable.First}
	}
	return offsets, nil
}

// awaitRecords returns the next records to handle; nil if there are none within maxWait or ctx has ended.
func (w *worker) awaitRecords(ctx context.Context, maxWait time.Duration) (*assignedPartition, []Record) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	until := time.Now().Add(maxWait)
	for now := time.Now(); ctx.Err() == nil && now.Before(until); now = time.Now() {
		p, wait := w.nextReady(now)
		if p != nil {
			return p, w.batch(p)
		}
		timer.Reset(min(wait, until.Sub(now)))
		select {
		case <-w.ready:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return nil, nil
}

// nextReady returns the next partition that has records and is not paused, each in turn; else when to look again.
func (w *worker) nextReady(now time.Time) (ready *assignedPartition, wait time.Duration) {
	wait = time.Hour
	for i := range w.partitions {
		p := w.partitions[(w.next+i)%len(w.partitions)]
		w.fill(p)
		if paused := p.pausedUntil.Sub(now); paused > 0 {
			wait = min(wait, paused)
			continue
		}
		if len(p.pending) > 0 {
			w.next = (w.next + i + 1) % len(w.partitions)
			return p, 0
		}
	}
	return nil, wait
}

// batch returns the next records of a partition, with those fetched meanwhile.
func (w *worker) batch(p *assignedPartition) []Record {
	w.fill(p)
	return p.batch(w.consumer.config.MaxBatch)
}

func (w *worker) fill(p *assignedPartition) {
	if p.fill(w.consumer.config.MaxBatch) {
		w.processor.positionMoved(w, p)
	}
	w.repeatCommits(p)
}

// repeatCommits lets the committer repeat a partition's commit once all records are fetched that are known to be finished:
// an earlier commit would forget them.
func (w *worker) repeatCommits(p *assignedPartition) {
	if !p.repeated && p.knowsFinished() {
		p.repeated = true
		w.committer.own(p)
	}
}
