package kafka

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

const (
	// secondFetchWait is the wait of a second request to a broker, at most.
	secondFetchWait = 20 * time.Millisecond
	fetchRetry      = 50 * time.Millisecond
	fetchRetryMax   = 2 * time.Second
)

func fetchBackoff() conn.Backoff { return conn.Backoff{First: fetchRetry, Max: fetchRetryMax} }

// fetcher fetches the partitions of a generation ahead of their workers. A request to a broker covers all partitions that it
// leads and that want more. While it waits for records, a second request covers those that want more meanwhile. Consumers that
// share the fetcher and are at the same offset of a partition share its response.
type fetcher struct {
	pool     *conn.Pool
	wait     time.Duration
	log      *zap.Logger
	wake     chan struct{}
	requests sync.WaitGroup

	mutex      sync.Mutex
	partitions []*fetchedPartition // in the order of requests
	turn       int                 // counts responses
	inFlight   map[slot]bool
}

func newFetcher(pool *conn.Pool, wait time.Duration, log *zap.Logger) *fetcher {
	return &fetcher{pool: pool, wait: wait, log: log, wake: make(chan struct{}, 1), inFlight: make(map[slot]bool)}
}

// slot is one of the two requests that may be in flight to a broker.
type slot struct {
	broker int32
	second bool
}

// fetchRequest is a request and what it is for.
type fetchRequest struct {
	slot
	partitions []partitionRequest
	request    wire.FetchRequest
}

// partitionRequest is the part of a request for one partition.
type partitionRequest struct {
	replica bool      // sent to a near replica
	at      time.Time // when it was planned
	*fetchedPartition
	offset  int64
	readers []fetchReader
}

// fetchReader is a buffer that a request is for.
type fetchReader struct {
	*fetchBuffer
	version int // of the buffer at the time of the request
}

func (f *fetcher) add(b *fetchBuffer) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	at := slices.IndexFunc(f.partitions, func(p *fetchedPartition) bool { return p.Partition == b.Partition })
	if at < 0 {
		at = len(f.partitions)
		f.partitions = append(f.partitions, &fetchedPartition{Partition: b.Partition, end: -1, expansion: firstExpansion})
	}
	f.partitions[at].buffers = append(f.partitions[at].buffers, b)
	f.wakeUp()
}

func (f *fetcher) wakeUp() {
	select {
	case f.wake <- struct{}{}:
	default: // already awake
	}
}

// run fetches until ctx ends.
func (f *fetcher) run(ctx context.Context) {
	defer f.requests.Wait()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		_, err := f.pool.Metadata(ctx)
		if err != nil && ctx.Err() == nil {
			f.log.Warn("fetch metadata failed, retrying", zap.Error(err))
		}
		requests, again := f.plan(time.Now())
		for _, request := range requests {
			f.requests.Go(func() {
				f.fetch(ctx, request)
				f.wakeUp()
			})
		}
		timer.Reset(again)
		select {
		case <-f.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

// plan returns the requests to send now, and when to plan again at the latest.
func (f *fetcher) plan(now time.Time) (requests []*fetchRequest, again time.Duration) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	first, again := f.planSlots(now, false)
	second, _ := f.planSlots(now, true) // for consumers at other offsets of the same partitions, too
	return append(first, second...), again
}

// planSlots returns the requests for the first or second slots of all brokers. The mutex is held.
func (f *fetcher) planSlots(now time.Time, second bool) (requests []*fetchRequest, again time.Duration) {
	again = fetchRetryMax
	byBroker := make(map[int32]*fetchRequest)
	for _, p := range f.partitions {
		if wait := p.retryAfter(now); wait > 0 {
			again = min(again, wait)
		}
		source, near, err := f.source(p, now)
		if err != nil {
			again = min(again, fetchRetry)
			continue
		}
		at := slot{broker: source, second: second}
		if f.inFlight[at] {
			continue
		}
		part, wanted := p.request(second, now)
		if !wanted {
			continue
		}
		part.replica = near
		if byBroker[source] == nil {
			byBroker[source] = &fetchRequest{slot: at}
			byBroker[source].request.Rack = f.pool.Rack()
		}
		if now.Before(p.near.leaderUntil) {
			byBroker[source].request.Rack = "" // of the whole request
		}
		byBroker[source].add(part)
	}
	for _, r := range byBroker {
		f.inFlight[r.slot] = true
		r.request.Broker = r.broker
		r.request.Wait = f.wait
		if second {
			r.request.Wait = min(f.wait, secondFetchWait)
		}
		requests = append(requests, r)
	}
	return requests, again
}

func (r *fetchRequest) add(part partitionRequest) {
	r.partitions = append(r.partitions, part)
	r.request.Partitions = append(r.request.Partitions, wire.FetchPartition{
		Partition: part.Partition, Offset: part.offset, MaxBytes: part.maxBytes(),
	})
}

// fetch sends a request and puts the records into their buffers.
func (f *fetcher) fetch(ctx context.Context, request *fetchRequest) {
	fetchCtx, cancel := context.WithTimeout(ctx, request.request.Wait+conn.FetchGrace)
	defer cancel()
	groupByTopic(request.request.Partitions)
	answers, err := f.pool.Fetch(fetchCtx, request.request)
	var served []*fetchedPartition
	if err != nil {
		f.requestFailed(ctx, request, err)
	} else {
		served = f.handleResponse(ctx, request.partitions, answers)
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.moveToEnd(served)
	delete(f.inFlight, request.slot)
	for _, part := range request.partitions {
		for _, reader := range part.readers {
			reader.fetching = false
		}
	}
}

// requestFailed schedules retries after a request without a response.
func (f *fetcher) requestFailed(ctx context.Context, request *fetchRequest, err error) {
	if ctx.Err() == nil {
		f.log.Warn("fetch records failed, retrying", zap.Int32("broker", request.broker), zap.Error(err))
		f.pool.RefreshMetadata(ctx)
	}
	for _, part := range request.partitions {
		if part.replica {
			f.leaveReplica(part.fetchedPartition)
		}
		f.retryLater(part)
	}
}

// handleResponse puts records into their buffers. It returns the partitions that go to the end of the next request.
func (f *fetcher) handleResponse(ctx context.Context, parts []partitionRequest, answers []wire.FetchResult) (served []*fetchedPartition) {
	found := make(map[wire.Partition]wire.FetchResult, len(answers))
	for _, answer := range answers {
		found[answer.Partition] = answer
	}
	for _, part := range parts {
		answer, ok := found[part.Partition]
		switch {
		case ok:
			f.handlePartition(ctx, part, answer, len(parts) > 1)
			if !leftOut(answer, part.offset) {
				served = append(served, part.fetchedPartition)
			}
		case !mayBeFull(answers): // else it comes earlier in the next request
			f.log.Warn("fetch records failed, retrying", part.field(), zap.Error(conn.ErrMissingPartition))
			f.retryLater(part)
		}
	}
	return served
}

// retryLater fetches again for the readers of a request after a backoff. Others are not held up: what fails may be at this offset.
func (f *fetcher) retryLater(part partitionRequest) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, reader := range part.readers {
		reader.turn = f.turn
		reader.notBefore = time.Now().Add(reader.backoff.Next())
	}
}

// handlePartition puts the records of one partition into the buffers of its readers. If the response is shared with other
// partitions they are copied: otherwise a partition whose handler waits would keep all of the response in memory.
func (f *fetcher) handlePartition(ctx context.Context, part partitionRequest, answer wire.FetchResult, shared bool) {
	switch {
	case f.otherReplica(part, answer):
		return
	case kafka.Error(answer.Code) == kafka.OffsetOutOfRange:
		f.offsetOutOfRange(ctx, part)
		return
	}
	if answer.Code != 0 {
		err := f.pool.Explain(kafka.Error(answer.Code), conn.TopicRight(conn.OperationRead, part.Topic))
		f.log.Warn("fetch records failed, retrying", part.field(), zap.Int64("offset", part.offset), zap.Error(err))
		f.pool.RefreshMetadata(ctx)
		f.retryLater(part)
		return
	}
	if shared {
		answer.Set = bytes.Clone(answer.Set)
	}
	found, err := decode(answer, part.offset)
	if err != nil { // a corrupt batch stays corrupt: it is logged again and again, and never skipped
		f.log.Error("decode records failed, partition is stalled", part.field(), zap.Int64("offset", part.offset), zap.Error(err))
		f.retryLater(part)
		return
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	part.end = max(part.end, answer.LastStable, found.next)
	if len(answer.Set) > 0 && found.size > 0 { // not markers alone
		part.expansion = min(found.size/len(answer.Set), mostExpansion)
	}
	if found.next >= answer.HighWatermark {
		found.wholeAt = part.at
	}
	for _, reader := range part.readers {
		reader.turn = f.turn
		reader.deliver(found, part.offset)
	}
}

func (p *fetchedPartition) field() zap.Field { return partitionField(p.Partition) }

// partitionField returns the fields topic and partition.
func partitionField(at wire.Partition) zap.Field {
	return zap.Inline(zapcore.ObjectMarshalerFunc(func(line zapcore.ObjectEncoder) error {
		line.AddString("topic", at.Topic)
		line.AddInt32("partition", at.ID)
		return nil
	}))
}
