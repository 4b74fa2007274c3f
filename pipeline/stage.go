package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
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
	// Lookup counts a call to Recharge's API, LookupsPending what still is to be asked.
	Lookup(store, askedFor, outcome string)
	LookupsPending(store string, asks int)
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
	Role  Role
	Group string
	// Topics are the role's own and its redrive topic.
	Topics []string
	// Handler is what Handle asks, Transactor what Transform asks: a stage has one of them.
	Handler    Handler
	Transactor Transactor
	// Sink says that the stage ends a webhook's path, so that its time counts.
	Sink bool
	// Whole says that nothing may be handled before all partitions of the topic are
	// this process's: its ledger is a file that no other process shares.
	Whole bool

	run     Runtime
	mu      sync.Mutex
	waiting map[string]error // by topic/partition: why its next record waits
}

// Handle is a kafka.Handler: outputs and dead letters are written before it returns.
func (s *Stage) Handle(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
	b, _, err := s.decide(ctx, records, func() Work { return plain{s.Handler} })
	if writes := s.writes(b); len(writes) > 0 {
		if failed := s.run.Producer.Produce(ctx, writes...); failed != nil {
			failed = fmt.Errorf("write outputs of %s: %w", s.Role, failed)
			s.note(records[0], failed)
			return kafka.First(0), failed
		}
	}
	s.note(records[0], err)
	return s.settleAll(b), err
}

// Transform is a kafka.Transform: outputs, dead letters and what else the work changed
// are written with the offset of their records, in one transaction.
func (s *Stage) Transform(ctx context.Context, records []kafka.Record) (kafka.Transformed, error) {
	b, work, err := s.decide(ctx, records, func() Work { return s.Transactor.Begin(records[0].Partition) })
	b.results = b.results[:b.leading()]
	changes, failed := work.Outputs()
	if failed != nil {
		work.Ended(false)
		s.note(records[0], failed)
		return kafka.Transformed{}, fmt.Errorf("write changes of %s: %w", s.Role, failed)
	}
	s.note(records[0], err)
	return kafka.Transformed{
		Done: len(b.results), Outputs: append(s.writes(b), changes...), Again: work.Again(),
		Ended: func(failed error) { s.ended(b, work, failed) },
	}, err
}

// Sweep is a kafka sweep: what time brings about is a transaction of its own.
func (s *Stage) Sweep(ctx context.Context, partition int) (kafka.Transformed, error) {
	swept, err := s.Transactor.Sweep(ctx, partition)
	var outputs []kafka.Record
	if err == nil {
		outputs, err = swept.Outputs()
	}
	s.note(kafka.Record{Topic: s.run.Topics.State(), Partition: partition}, cmp.Or(err, swept.Stuck))
	if err != nil {
		swept.Ended(false)
		return kafka.Transformed{}, fmt.Errorf("sweep %s: %w", s.Role, err)
	}
	outputs = append(s.writesOfReleased(swept.Released), outputs...)
	if len(outputs) == 0 { // no transaction is made of it
		swept.Ended(true)
		return kafka.Transformed{}, nil
	}
	return kafka.Transformed{Outputs: outputs, Again: swept.Again(), Ended: func(failed error) {
		swept.Ended(failed == nil)
		if failed == nil {
			s.settleReleased(swept.Released)
		}
	}}, nil
}

// ended keeps or drops what a transaction changed, and settles its records when it was committed.
func (s *Stage) ended(b decided, work Work, failed error) {
	work.Ended(failed == nil)
	if failed != nil {
		s.note(b.records[0], fmt.Errorf("write outputs of %s: %w", s.Role, failed))
		return
	}
	s.settleAll(b)
}

// plain is a handler that leaves nothing behind but its results.
type plain struct{ Handler }

func (plain) Outputs() ([]kafka.Record, error) { return nil, nil }

func (plain) Again() bool { return false }

func (plain) Ended(bool) {}

// decided is a batch and what a handler made of it.
type decided struct {
	records   []kafka.Record // as they were read
	originals []kafka.Record // as the handler saw them
	results   []Result       // no more than there are records
}

// leading is how many of the first records have a fate.
func (b decided) leading() int {
	if i := slices.IndexFunc(b.results, Result.unsettled); i >= 0 {
		return i
	}
	return len(b.results)
}

// decide asks the handler, and keeps out what no broker would take.
func (s *Stage) decide(ctx context.Context, records []kafka.Record, begin func() Work) (decided, Work, error) {
	b := decided{records: records, originals: s.originals(records)}
	work, results, err := s.recovered(ctx, b.originals, begin)
	if len(results) > len(records) {
		return b, work, fmt.Errorf("handler of %s settled %d of %d records", s.Role, len(results), len(records))
	}
	rejectOversize(results)
	b.results = results
	return b, work, err
}

// originals are the records as they were before they died, where an operator sent
// them once more: but for one header, handlers see no difference.
func (s *Stage) originals(records []kafka.Record) []kafka.Record {
	if records[0].Topic != s.run.Topics.Redrive(s.Role) {
		return records
	}
	originals := make([]kafka.Record, len(records))
	for i, r := range records {
		originals[i] = deadletter.Original(r)
	}
	return originals
}

// recovered runs the handler. A record that makes it panic is found by handing
// it over alone, and rejected: a crash would meet it again at every start. What the
// work had changed until then is dropped with it.
func (s *Stage) recovered(ctx context.Context, records []kafka.Record, begin func() Work) (Work, []Result, error) {
	for {
		work := begin()
		results, panicked, err := s.attempt(ctx, work, records)
		if !panicked {
			return work, results, err
		}
		work.Ended(false)
		if len(records) == 1 {
			rejection := Reject(ReasonPanic, errPanicked)
			return begin(), []Result{{Fate: rejection}}, nil
		}
		records = records[:1]
	}
}

func (s *Stage) attempt(ctx context.Context, work Work, records []kafka.Record) (results []Result, panicked bool, err error) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		logPanic(s.run.Log, s.Role, len(records), cause)
		panicked = true
	}()
	results, err = work.Handle(ctx, records)
	return results, false, err
}

var errPanicked = errors.New("the handler panicked; its log has the stack")

// logPanic is called while it is recovered from.
func logPanic(log *zap.Logger, role Role, records int, cause any) {
	log.Error("handler panicked", zap.String("role", string(role)), zap.Int("records", records), zap.Any("panic", cause), zap.Stack("stack"))
}
