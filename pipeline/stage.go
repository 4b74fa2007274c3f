package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Producer appends records to Kafka and returns once every in-sync replica has
// them all.
type Producer interface {
	Produce(ctx context.Context, records ...kafka.Record) error
}

// Metrics counts and times what the pipeline does.
type Metrics interface {
	Record(role, store, outcome, reason string)
	Ingest(store string, took time.Duration)
	EndToEnd(role, store string, took time.Duration)
	// Paused tells of wrong credentials: somebody has to mend them.
	Paused(role, store string, paused bool)
	// Waiting tells in how many partitions a record waits.
	Waiting(role, group string, partitions int)
}

// Runtime is what every stage is given.
type Runtime struct {
	Topics   Topics
	Producer Producer
	Metrics  Metrics
	Log      *zap.Logger
	Now      func() time.Time
}

// Stage settles what a handler decides: outputs and dead letters are written and
// acknowledged, then each record is counted and logged, then its offset may be
// committed.
type Stage struct {
	Role    Role
	Group   string
	Topic   string
	Handler Handler
	// Sink says that the stage ends a webhook's path, so that its time counts.
	Sink bool
	// Transactional says that outputs and offsets are one transaction: Transform, not Handle.
	Transactional bool
	// Whole says that nothing may be handled before all partitions of the topic are
	// this process's: its ledger is a file that no other process shares.
	Whole bool

	run     Runtime
	mu      sync.Mutex
	waiting map[int]error // by partition: why its next record waits
}

// Handle is a kafka.Handler: outputs and dead letters are written before it returns.
func (s *Stage) Handle(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
	results, err := s.results(ctx, records)
	if writes := s.writes(records, results); len(writes) > 0 {
		if failed := s.run.Producer.Produce(ctx, writes...); failed != nil {
			failed = fmt.Errorf("write outputs of %s: %w", s.Role, failed)
			s.note(records[0].Partition, failed)
			return kafka.First(0), failed
		}
	}
	finished := s.settleAll(records, results)
	s.note(records[0].Partition, err)
	return finished, err
}

// Transform is a kafka.Transform: outputs and dead letters are written with the offset of their records, in one
// transaction. Only leading records can be settled so.
func (s *Stage) Transform(ctx context.Context, records []kafka.Record) (kafka.Transformed, error) {
	results, err := s.results(ctx, records)
	if unsettled := slices.IndexFunc(results, Result.unsettled); unsettled >= 0 {
		results = results[:unsettled]
	}
	s.note(records[0].Partition, err)
	return kafka.Transformed{
		Done:      len(results),
		Outputs:   s.writes(records, results),
		Committed: func() { s.settleAll(records, results) },
	}, err
}

// results asks the handler, and keeps out what no broker would take.
func (s *Stage) results(ctx context.Context, records []kafka.Record) ([]Result, error) {
	results, err := s.recovered(ctx, records)
	if len(results) > len(records) {
		return nil, fmt.Errorf("handler of %s settled %d of %d records", s.Role, len(results), len(records))
	}
	rejectOversize(results)
	return results, err
}

// settleAll settles each record that has a fate.
func (s *Stage) settleAll(records []kafka.Record, results []Result) kafka.Finished {
	leading := slices.IndexFunc(results, Result.unsettled)
	if leading < 0 {
		leading = len(results)
	}
	finished := kafka.First(leading)
	for i, result := range results {
		if result.unsettled() {
			continue
		}
		if i > leading {
			finished = finished.And(i)
		}
		s.settle(records[i], result)
	}
	return finished
}

// note remembers what a partition waits for; nil when it goes on.
func (s *Stage) note(partition int, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		s.waiting = map[int]error{}
	}
	delete(s.waiting, partition)
	if why != nil {
		s.waiting[partition] = why
	}
	s.run.Metrics.Waiting(string(s.Role), s.Group, len(s.waiting))
}

// Assigned forgets what partitions waited for: they have been shared out anew.
// All of them wait when the process must stand idle.
func (s *Stage) Assigned(status kafka.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.waiting)
	waiting := 0
	if status.Idle != "" {
		waiting = len(status.Partitions[s.Topic])
	}
	s.run.Metrics.Waiting(string(s.Role), s.Group, waiting)
}

// Trouble says what the stage waits for, nil when nothing waits.
func (s *Stage) Trouble() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for partition, why := range s.waiting {
		return fmt.Errorf("%d partitions wait, one of them (%d) for: %w", len(s.waiting), partition, why)
	}
	return nil
}

// maxOutput is below what Kafka takes, so that an output still fits when it becomes
// a dead letter, with what headers are added then.
const maxOutput = kafka.MaxRecordBytes - 16<<10

// rejectOversize keeps an output that no broker would take from holding up its
// partition for ever.
func rejectOversize(results []Result) {
	for i, result := range results {
		for _, o := range result.Outputs {
			if o.Size() > maxOutput {
				results[i] = rejected(ReasonTooLarge, fmt.Errorf("an output for %s has %d bytes, at most %d fit", o.Topic, o.Size(), maxOutput))
				break
			}
		}
	}
}

// writes lists outputs and dead letters in the order of their records.
func (s *Stage) writes(records []kafka.Record, results []Result) []kafka.Record {
	var writes []kafka.Record
	for i, result := range results {
		writes = append(writes, result.Outputs...)
		if result.Fate.Outcome == OutcomeRejected {
			writes = append(writes, deadLetter(s.run.Topics, s.Role, records[i], result.Fate, s.run.Now()))
		}
	}
	return writes
}

// recovered runs the handler. A record that makes it panic is found by handing
// it over alone, and rejected: a crash would meet it again at every start.
func (s *Stage) recovered(ctx context.Context, records []kafka.Record) (results []Result, err error) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		s.run.Log.Error("handler panicked", zap.String("role", string(s.Role)), zap.Int("records", len(records)),
			zap.Any("panic", cause), zap.Stack("stack"))
		if len(records) > 1 {
			results, err = s.recovered(ctx, records[:1])
			return
		}
		results, err = []Result{{Fate: Reject(ReasonPanic, errors.New("the handler panicked; its log has the stack"))}}, nil
	}()
	return s.Handler.Handle(ctx, records)
}

// settle counts a record and writes its line.
func (s *Stage) settle(r kafka.Record, result Result) {
	fate, store := result.Fate, r.Header(HeaderStore)
	if fate.Outcome == outcomePassedOver {
		return
	}
	s.run.Metrics.Record(string(s.Role), store, string(fate.Outcome), string(fate.Reason))
	if at, err := receivedAt(r); err == nil && s.Sink && fate.Outcome == OutcomeDone {
		s.run.Metrics.EndToEnd(string(s.Role), store, s.run.Now().Sub(at))
	}
	fields := append(s.fields(r),
		zap.String("outcome", string(fate.Outcome)), zap.String("reason", string(fate.Reason)), zap.Int("outputs", len(result.Outputs)))
	if fate.Err != nil {
		fields = append(fields, zap.Error(fate.Err))
	}
	if fate.Outcome == OutcomeRejected || fate.Reason == ReasonTopicUnknown {
		s.run.Log.Warn("record settled", fields...)
		return
	}
	s.run.Log.Info("record settled", fields...)
}

// fields name a record and the webhook behind it.
func (s *Stage) fields(r kafka.Record) []zap.Field {
	fields := []zap.Field{
		zap.String("role", string(s.Role)), zap.String("store", r.Header(HeaderStore)),
		zap.String("topic", r.Topic), zap.Int("partition", r.Partition), zap.Int64("offset", r.Offset),
		zap.String("traceparent", r.Header(HeaderTraceparent)),
	}
	if len(r.Key) > 0 {
		fields = append(fields, zap.ByteString("key", r.Key))
	}
	for _, key := range []string{HeaderTopic, HeaderType, HeaderID, HeaderDeliveryHash} {
		if value := r.Header(key); value != "" {
			fields = append(fields, zap.String(key, value))
		}
	}
	return fields
}
