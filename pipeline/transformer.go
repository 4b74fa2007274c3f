package pipeline

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/sweep"
)

// Transformer makes of a raw webhook what it means, given what is known of its
// customer.
//
//	in         recharge.webhooks: webhooks, and answers of Recharge's API (lookups)
//	out        recharge.events, recharge.sms-triggers, the public tables, and what
//	           is known afterwards: recharge.state
//	guarantee  every webhook ends as outputs, a skip or a dead letter, in one
//	           transaction with its offset: no fact is lost, none told twice
//	on failure a customer nobody can name yet is parked, with all that comes after of
//	           theirs, until the API has answered; a store that this process doesn't
//	           know makes the partition wait
type Transformer struct {
	topics  Topics
	stores  map[string]subscriber.Settings
	decoder *recharge.Decoder
	state   State
	raw     RawReader
	asker   Asker
	sweeps  *sweep.Sweeps
	now     func() time.Time // for what is too old for any record; else records have their own
	metrics Metrics
	log     *zap.Logger
}

// State is what the transformer remembers, by partition.
type State interface {
	// TakeOver makes what is known of a partition current, before anything is begun.
	TakeOver(ctx context.Context, partition int) error
	// Release is called when the partition is another process's.
	Release(partition int)
	// Begin opens what one transaction of a partition reads and changes.
	Begin(partition int) Overlay
}

// Overlay is the state of a partition during one transaction.
type Overlay interface {
	subscriber.Rows
	// ScanFrom is Scan without the keys that are less than from.
	ScanFrom(prefix, from []byte) iter.Seq2[[]byte, []byte]
	// Rows are the records that make the changes of the transaction's own, all of them or none to be among its outputs. The
	// error says that nothing may come of the transaction.
	Rows() ([]kafka.Record, error)
	// Apply keeps the changes, once they are committed; Drop forgets them.
	Apply()
	Drop()
}

// RawReader reads records of recharge.webhooks again.
type RawReader interface {
	// Read yields what is at each of the offsets, which are in order: kafka.ErrNoRecord for one that is gone. Any other error
	// is the last thing it yields.
	Read(ctx context.Context, partition int, offsets ...int64) iter.Seq2[kafka.Record, error]
}

// Asker asks Recharge's API; its answers come in as lookups, through recharge.webhooks.
type Asker interface {
	// Want adds questions; one that is pending is not asked twice, one that is under way is asked again after that.
	Want(partition int, wanted ...Wanted)
	// Forget drops those of a partition.
	Forget(partition int)
}

// NewTransformer takes the settings of each store by name.
func NewTransformer(run Runtime, stores map[string]subscriber.Settings, state State, raw RawReader, asker Asker) (*Transformer, error) {
	decoder, err := recharge.NewDecoder()
	if err != nil {
		return nil, err
	}
	return &Transformer{
		topics: run.Topics, stores: stores, decoder: decoder, state: state, raw: raw, asker: asker,
		sweeps: &sweep.Sweeps{}, now: run.Now, metrics: run.Metrics, log: run.Log,
	}, nil
}

// TakeOver recalls what is known of a partition, and the questions that have no answer yet.
func (t *Transformer) TakeOver(ctx context.Context, partition int) error {
	if err := t.state.TakeOver(ctx, partition); err != nil {
		return err
	}
	t.asker.Forget(partition)
	rows := t.state.Begin(partition)
	defer rows.Drop()
	for key, value := range rows.Scan([]byte(subscriber.QuestionRows)) {
		t.wantAgain(partition, key, value)
	}
	_, err := rows.Rows() // tells whether they could be read
	return err
}

// Release forgets a partition.
func (t *Transformer) Release(partition int) {
	t.asker.Forget(partition)
	t.state.Release(partition)
}

// Begin is one transaction's work on a partition.
func (t *Transformer) Begin(partition int) Work { return t.begin(partition) }

func (t *Transformer) begin(partition int) *transform {
	return &transform{Transformer: t, partition: partition, rows: &undoable{Overlay: t.state.Begin(partition)}}
}

// transform is a transaction of the transformer.
type transform struct {
	*Transformer
	partition int
	rows      *undoable
	wanted    []Wanted
	released  amount
	again     bool // more is to be released
}

// Handle works through the batch until one record has to wait, of which nothing is left then, or enough was released.
func (t *transform) Handle(ctx context.Context, records []kafka.Record) ([]Result, error) {
	results := make([]Result, 0, len(records))
	for _, r := range records {
		before := t.save()
		result, err := t.one(ctx, r)
		if err != nil {
			t.back(before)
			return results, err
		}
		results = append(results, result)
		if t.released.full() || t.again {
			break
		}
	}
	return results, nil
}

// Outputs are the changes of the state.
func (t *transform) Outputs() ([]kafka.Record, error) { return t.rows.Rows() }

// Again tells whether a sweep is to go on with it.
func (t *transform) Again() bool { return t.again }

// Ended keeps or drops what changed, and has the API asked.
func (t *transform) Ended(committed bool) {
	if !committed {
		t.rows.Drop()
		return
	}
	t.rows.Apply()
	t.asker.Want(t.partition, t.wanted...)
}

// one decides on one record.
func (t *transform) one(ctx context.Context, raw kafka.Record) (Result, error) {
	settings, known := t.stores[raw.Header(HeaderStore)]
	if !known { // the gateway knows it, so this process has an older configuration, or a newer one without it
		return Result{}, fmt.Errorf("store %q is not in the configuration of this process: restart it with the one the gateway has", raw.Header(HeaderStore))
	}
	if err := t.tooOld(raw); err != nil {
		return rejected(ReasonTooOld, err), nil
	}
	switch raw.Header(HeaderOrigin) {
	case OriginLookup, OriginImport:
		return t.learn(ctx, settings, raw)
	}
	topic := recharge.Topic(raw.Header(HeaderTopic))
	switch {
	case !topic.Known(): // a mistyped registration would lose its events unnoticed
		return Result{Fate: Skip(ReasonTopicUnknown)}, nil
	case !subscriber.Uses(topic):
		return Result{Fate: Skip(ReasonTopicNotUsed)}, nil
	}
	webhook, err := t.decoder.Decode(topic, raw.Value)
	if err != nil {
		return rejected(ReasonMalformed, err), nil
	}
	of := whose{settings: settings, customer: webhook.CustomerID()}
	if t.parked(of) {
		return t.park(of, raw)
	}
	return t.decide(of, webhook, raw)
}

// tooOld refuses what was sent again so often that rows may be gone without which it can't be decided on. An ordinary record
// is never so old: retention deletes it before, so that a rebuild needs no exception.
func (t *transform) tooOld(raw kafka.Record) error {
	at := receivedOrWritten(raw)
	if _, redriven := deadletter.RedriveOf(raw); !redriven || !at.Before(subscriber.Oldest(t.now())) {
		return nil
	}
	return fmt.Errorf("received at %s: what was known then may be forgotten", at.Format(time.RFC3339))
}

// whose names a customer of a store.
type whose struct {
	settings subscriber.Settings
	customer string // "" where a webhook names none: nothing is known of them, nor kept
}

// decide turns a webhook into outputs and takes in what it shows.
func (t *transform) decide(of whose, webhook recharge.Webhook, raw kafka.Record) (Result, error) {
	before, err := t.recall(of)
	if err != nil {
		return Result{}, err
	}
	decision, after, err := subscriber.Decide(of.settings, before, webhook, receivedOrWritten(raw))
	var needed *subscriber.LookupNeeded
	switch {
	case errors.As(err, &needed):
		return t.park(of, raw)
	case errors.Is(err, subscriber.ErrCustomerUnknown):
		return rejected(ReasonCustomerUnknown, err), nil
	case err != nil:
		return Result{}, err
	}
	result, _, err := t.keep(of, raw, decision, before, after)
	return result, err
}

func (t *transform) recall(of whose) (*subscriber.Memory, error) {
	if of.customer == "" {
		return &subscriber.Memory{}, nil
	}
	m, err := subscriber.Recall(t.rows, of.settings.Store, of.customer)
	if err != nil {
		return nil, fmt.Errorf("recall customer: %w", err)
	}
	return m, nil
}

// keep writes what is known now, and returns what is to be written for others. What no broker would take is rejected, and
// all stays as it was before.
func (t *transform) keep(of whose, raw kafka.Record, d subscriber.Decision, before, after *subscriber.Memory) (Result, *subscriber.Memory, error) {
	start := t.save()
	list := outputs(t.topics, d)
	if of.customer != "" {
		if err := after.Keep(t.rows, of.settings.Store, of.customer, before); err != nil {
			return Result{}, before, fmt.Errorf("keep customer: %w", err)
		}
		if err := t.want(of, raw, d.Asks...); err != nil {
			return Result{}, before, err
		}
		list = append(list, t.tables(of, before, after, receivedOrWritten(raw))...)
	}
	records, why, err := recordsOf(list, raw)
	if largest := t.largest(start); err == nil && largest > maxOutput {
		why, err = ReasonTooLarge, fmt.Errorf("a row of the customer's state has %d bytes, at most %d fit", largest, maxOutput)
	}
	if err != nil {
		t.back(start)
		return rejected(why, err), before, nil
	}
	result := Result{Fate: Done(), Outputs: records}
	if d.Empty() {
		result.Fate = Skip(Reason(d.Skip))
	}
	return result, after, nil
}

// recordsOf encodes outputs. The error, with its reason, says that one is none that a topic takes.
func recordsOf(list []output, raw kafka.Record) ([]kafka.Record, Reason, error) {
	records := make([]kafka.Record, 0, len(list))
	for _, o := range list {
		record, err := o.record(raw)
		if err != nil {
			return nil, ReasonMalformed, err
		}
		if err := fits(record); err != nil {
			return nil, ReasonTooLarge, err
		}
		records = append(records, record)
	}
	return records, "", nil
}

// receivedOrWritten is a record's clock: when the gateway took it, else when it was written.
func receivedOrWritten(raw kafka.Record) time.Time {
	if at, err := receivedAt(raw); err == nil {
		return at
	}
	return raw.Time
}

func rejected(why Reason, err error) Result { return Result{Fate: Reject(why, err)} }
