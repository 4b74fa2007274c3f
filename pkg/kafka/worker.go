package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/heartbeat"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// work is what a worker does with the records of its partitions.
type work interface {
	// takeOver returns where to go on. errNotOurs says that the partitions are another member's.
	takeOver(ctx context.Context, w *worker, partitions []wire.Partition) (map[wire.Partition]committed, error)
	// do handles the first records that a source has pending, and settles what is finished.
	do(ctx context.Context, w *worker, s *source, records []Record) error
	// sweep does what only time brings about, if it is due, and returns when to call it next.
	sweep(ctx context.Context, w *worker) (time.Duration, error)
	// release is called last.
	release(w *worker)
	// moved is told when the offset to commit is another although nothing was handled.
	moved(w *worker, s *source)
}

// worker handles one partition number during one generation: that partition of each topic.
type worker struct {
	*generation
	work    work
	number  int
	sources []*source
	ready   chan struct{} // something was fetched
	turn    int
	log     *zap.Logger
}

// run handles what is fetched until fetching ends. It never returns on an error that may pass.
func (w *worker) run(fetching, handling context.Context, partitions []wire.Partition) {
	defer w.work.release(w)
	if !w.begin(fetching, partitions) {
		return
	}
	for fetching.Err() == nil {
		after, err := w.work.sweep(handling, w)
		if w.taken(err) {
			return
		}
		if err != nil {
			w.log.Warn("sweep, will again in time", zap.Error(err))
		}
		s, records := w.await(fetching, after)
		if s == nil {
			continue
		}
		err = w.work.do(handling, w, s, records)
		if w.taken(err) {
			return
		}
		if err == nil {
			s.pause.reset()
			continue
		}
		w.log.Warn("handle records, will go on after a pause", s.field(),
			zap.Int64("offset", records[0].Offset), zap.Int("records", len(records)), zap.Error(err))
		s.until = time.Now().Add(max(pauseOf(err), s.pause.next()))
	}
}

// taken tells whether an error says that another member has the partition.
func (w *worker) taken(err error) bool {
	taken := errors.Is(err, errNotOurs)
	if taken {
		w.log.Warn("partition is another member's now", zap.Error(err))
	}
	return taken
}

// begin finds out where to go on, and starts fetching. It tells whether there is still a reason to.
func (w *worker) begin(ctx context.Context, partitions []wire.Partition) bool {
	pause := backoff{first: fetchRetry, most: fetchRetries}
	for {
		offsets, err := w.work.takeOver(ctx, w, partitions)
		if err == nil {
			w.open(partitions, offsets)
			return true
		}
		if ctx.Err() == nil {
			w.log.Warn("take over partition", zap.Error(err))
		}
		if errors.Is(err, errNotOurs) || !pause.wait(ctx) {
			return false
		}
		w.connections.relearn(ctx)
	}
}

func (w *worker) open(partitions []wire.Partition, offsets map[wire.Partition]committed) {
	for _, at := range partitions {
		s := &source{
			prefetch: w.prefetch, tracker: &tracker{},
			feed:  &feed{Partition: at, ready: w.ready, position: offsets[at].offset, retry: backoff{first: fetchRetry, most: fetchRetries}},
			pause: backoff{first: handlerRetry, most: handlerRetryMax},
		}
		s.rewind(offsets[at])
		w.sources = append(w.sources, s)
		w.prefetch.add(s.feed)
	}
}

// offsets returns where to go on in each partition: the committed offset, or the first there is.
func (w *worker) offsets(ctx context.Context, partitions []wire.Partition) (map[wire.Partition]committed, error) {
	offsets, err := w.connections.fetchOffsets(ctx, w.by.group, partitions)
	if err != nil {
		return nil, err
	}
	for at, found := range offsets {
		if found.offset >= 0 {
			continue
		}
		first, _, err := w.connections.bounds(ctx, at.Topic, int(at.ID))
		if err != nil {
			return nil, err
		}
		offsets[at] = committed{offset: first}
	}
	return offsets, nil
}

// await returns the next records to handle, nil when there are none for so long or ctx has ended.
func (w *worker) await(ctx context.Context, atMost time.Duration) (*source, []Record) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	until := time.Now().Add(atMost)
	for now := time.Now(); ctx.Err() == nil && now.Before(until); now = time.Now() {
		s, after := w.choose(now)
		if s != nil {
			return s, w.batch(s)
		}
		timer.Reset(min(after, until.Sub(now)))
		select {
		case <-w.ready:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return nil, nil
}

// choose returns the next source that has records and doesn't pause, each in turn; else when to look again.
func (w *worker) choose(now time.Time) (chosen *source, after time.Duration) {
	after = time.Hour
	for i := range w.sources {
		s := w.sources[(w.turn+i)%len(w.sources)]
		w.fill(s)
		if wait := s.until.Sub(now); wait > 0 {
			after = min(after, wait)
			continue
		}
		if len(s.pending) > 0 {
			w.turn = (w.turn + i + 1) % len(w.sources)
			return s, 0
		}
	}
	return nil, after
}

// batch takes in what was fetched and returns the next records of a source.
func (w *worker) batch(s *source) []Record {
	w.fill(s)
	return s.batch(w.consumer.config.MaxBatch)
}

func (w *worker) fill(s *source) {
	if s.fill(w.consumer.config.MaxBatch) {
		w.work.moved(w, s)
	}
}

// ordinary is work whose offsets are committed from time to time.
type ordinary struct{ handle Handler }

func (ordinary) takeOver(ctx context.Context, w *worker, partitions []wire.Partition) (map[wire.Partition]committed, error) {
	return w.offsets(ctx, partitions)
}

func (ordinary) release(*worker) {}

func (ordinary) sweep(context.Context, *worker) (time.Duration, error) { return time.Hour, nil }

func (ordinary) moved(w *worker, s *source) { w.commits.mark(s) }

func (o ordinary) do(ctx context.Context, w *worker, s *source, records []Record) error {
	records = s.trackable(records)
	var finished Finished
	err := w.watched(ctx, func(ctx context.Context) (err error) {
		finished, err = o.handle(ctx, records)
		return err
	})
	marks, ok := finished.marks(len(records))
	if !ok {
		return errors.Join(fmt.Errorf("handler says that others than the %d records of the batch are finished", len(records)), err)
	}
	if finished.Count() == 0 && err == nil {
		return errNothingDone
	}
	if finished.Count() > 0 {
		w.consumer.config.Step("handled")
		s.pause.reset()
		s.settle(marks)
		w.commits.mark(s)
	}
	return err
}

// stillMember asks whether the group still counts us in, in this generation.
func (w *worker) stillMember(ctx context.Context) error {
	request := &heartbeat.Request{GroupID: w.by.group, GenerationID: w.by.generation, MemberID: w.by.member}
	answer, err := w.connections.coordinate(ctx, ofGroup(w.by.group), request)
	if err != nil {
		return err
	}
	response, ok := answer.(*heartbeat.Response)
	if !ok {
		return errors.New("heartbeat: the answer is to another request")
	}
	switch code := kafka.Error(response.ErrorCode); {
	case code == 0, code == kafka.RebalanceInProgress:
		return nil
	case coordinatorMoved(code):
		w.connections.forgetCoordinator(ofGroup(w.by.group))
		return code
	default:
		return fmt.Errorf("%w: %w", errNotOurs, code)
	}
}
