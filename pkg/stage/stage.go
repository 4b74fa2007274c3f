package stage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/tracing"
)

// Metrics counts and times records.
type Metrics interface {
	Record(role, store, outcome, reason string)
	// EndToEnd gets the traceparent of the webhook.
	EndToEnd(role, store string, took time.Duration, traceparent string)
	// Waiting sets the number of partitions in which a record waits.
	Waiting(role, group string, partitions int)
}

// Runtime is what the stages of a process share.
type Runtime struct {
	// Produce appends records to Kafka and returns once every in-sync replica has them.
	Produce func(ctx context.Context, records ...kafka.Record) error
	Metrics Metrics
	Tracer  *tracing.Tracer // nil makes no spans
	Log     *zap.Logger
	Now     func() time.Time
}

// Stage runs a role's handler: it writes outputs and dead letters, then counts and
// logs each record, then its offset may be committed.
type Stage struct {
	Role  string
	Group string
	// Membership is the group that a process joins for the stage; "" means Group.
	Membership string
	// Filter selects the records that the stage handles; nil means all.
	Filter func(kafka.Record) bool
	// Topics are the consumed topics, including Redrive.
	Topics []string
	// Redrive is the topic of dead letters that an operator redrove, DeadLetters the topic for new ones.
	Redrive, DeadLetters string
	// State is the changelog of a Transactor.
	State string
	// Downstream are the output topics that another role consumes for every store. Only those outputs are counted in the log.
	Downstream []string
	// Exactly one of Handler and Transactor is set.
	Handler    Handler
	Transactor Transactor
	// PunctuateEvery is the time between two calls of the transactor's Punctuate.
	PunctuateEvery time.Duration
	// Stores are the configured stores. Records that name another are counted for the store "unknown".
	Stores []string
	// Sink means that this is the last stage of a webhook, so its duration is measured.
	Sink bool
	Run  Runtime

	mu      sync.Mutex
	waiting map[string]waiting // by topic/partition
}

// Handle is a kafka.Handler: outputs and dead letters are written before it returns.
func (s *Stage) Handle(ctx context.Context, records []kafka.Record) (kafka.Finished, error) {
	b, err := s.handle(ctx, records, func() attempt { return attempt{s.Handler, func() {}} })
	if writes := s.writes(b); len(writes) > 0 {
		if failed := s.Run.Produce(ctx, writes...); failed != nil {
			failed = fmt.Errorf("write outputs of %s: %w", s.Role, failed)
			s.wait(records[0], failed)
			s.endFailed(b)
			return kafka.Finished{}, failed
		}
	}
	s.wait(records[0], err)
	return s.finish(b), err
}

// Transform is a kafka.Transform: outputs, dead letters and changes of state are
// written with the offsets of their records, in one transaction.
func (s *Stage) Transform(ctx context.Context, records []kafka.Record) (kafka.TransformResult, error) {
	var transaction Transaction
	b, err := s.handle(ctx, records, func() attempt {
		transaction = s.Transactor.Begin(records[0].Partition)
		return attempt{transaction.Handle, func() { transaction.Ended(false) }}
	})
	b.results = b.results[:b.leading()]
	changes, failed := transaction.Outputs()
	if failed != nil {
		transaction.Ended(false)
		s.wait(records[0], failed)
		s.endFailed(b)
		return kafka.TransformResult{}, fmt.Errorf("write changes of %s: %w", s.Role, failed)
	}
	s.wait(records[0], err)
	if len(b.results) == 0 { // no transaction is begun
		s.endFailed(b)
	}
	return kafka.TransformResult{
		Finished: len(b.results), Outputs: append(s.writes(b), changes...), PunctuateSoon: transaction.PunctuateSoon(),
		OnEnd: func(failed error) { s.ended(b, transaction, failed) },
	}, err
}

// Punctuate runs the transactor's work that is due by time, in its own transaction.
func (s *Stage) Punctuate(ctx context.Context, partition int) (kafka.TransformResult, error) {
	ctx, spans := s.Run.Tracer.Batch(ctx, s.Run.Now(), 0)
	p, err := s.Transactor.Punctuate(ctx, partition)
	var outputs []kafka.Record
	if err == nil {
		outputs, err = p.Transaction.Outputs()
	}
	s.wait(kafka.Record{Topic: s.State, Partition: partition}, cmp.Or(err, p.Stalled))
	if err != nil {
		p.Transaction.Ended(false)
		return kafka.TransformResult{}, fmt.Errorf("punctuate %s: %w", s.Role, err)
	}
	outputs = append(s.writesOfReplayed(p.Replayed), outputs...)
	if len(outputs) == 0 { // no transaction is begun
		p.Transaction.Ended(true)
		return kafka.TransformResult{}, nil
	}
	return kafka.TransformResult{Outputs: outputs, PunctuateSoon: p.Transaction.PunctuateSoon(), OnEnd: func(failed error) {
		p.Transaction.Ended(failed == nil)
		if failed == nil {
			s.countReplayed(spans, p.Replayed)
			spans.End(s.Role, s.verb(), s.Run.Now())
		}
	}}, nil
}

// ended applies or drops the changes of a transaction, and counts its records if it was committed.
func (s *Stage) ended(b batch, transaction Transaction, failed error) {
	transaction.Ended(failed == nil)
	if failed != nil {
		s.wait(b.records[0], fmt.Errorf("write outputs of %s: %w", s.Role, failed))
		s.endFailed(b)
		return
	}
	s.finish(b)
}

// batch is a batch of records and their results.
type batch struct {
	records   []kafka.Record // as they were consumed
	originals []kafka.Record // as the handler got them
	results   []Result       // no more than there are records
	waits     bool           // the handler returned an error
	spans     *tracing.Batch // nil without tracing
}

// leading returns the number of records before the first one without an outcome.
func (b batch) leading() int {
	if i := slices.IndexFunc(b.results, Result.open); i >= 0 {
		return i
	}
	return len(b.results)
}

// handle runs the handler on the original records.
func (s *Stage) handle(ctx context.Context, records []kafka.Record, begin func() attempt) (batch, error) {
	b := batch{records: records, originals: s.originals(records)}
	ctx, b.spans = s.Run.Tracer.Batch(ctx, s.Run.Now(), len(records))
	results, err := s.recovered(ctx, b.originals, begin)
	b.waits = err != nil
	if len(results) > len(records) {
		return b, fmt.Errorf("handler of %s returned %d results for %d records", s.Role, len(results), len(records))
	}
	b.results = results
	return b, err
}

// originals returns redriven records as originally received. They differ from other records in one header only.
func (s *Stage) originals(records []kafka.Record) []kafka.Record {
	if records[0].Topic != s.Redrive {
		return records
	}
	originals := make([]kafka.Record, len(records))
	for i, r := range records {
		originals[i] = deadletter.Original(r)
	}
	return originals
}
