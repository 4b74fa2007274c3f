package pipeline

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Transformer decides on raw webhooks, given the state of their customers.
//
//	in         recharge.webhooks: webhooks, answers of Recharge's API (lookups), imports, its own owner and moved records
//	out        recharge.events, recharge.sms-triggers, the public tables, the new state:
//	           recharge.state, and owner and moved records: recharge.webhooks
//	guarantee  every webhook ends as outputs, a skip or a dead letter, in one
//	           transaction with its offset: no fact is lost, none is emitted twice
//	on failure records of an unknown customer are parked, and all later ones of that customer,
//	           until the API has answered; a record of a store that is not configured, or
//	           without our headers, is a dead letter
type Transformer struct {
	topics  Topics
	stores  map[string]subscriber.Settings
	decoder *recharge.Decoder
	state   *customerstate.Store
	raw     RawReader
	metrics Metrics
	now     func() time.Time // only for what expires; a record's own time is that of its receipt
	log     *zap.Logger
}

// RawReader reads single records of recharge.webhooks.
type RawReader interface {
	// Records yields the records at the offsets, which are in ascending order; kafka.ErrNoRecord for a deleted record. Any
	// other error is the last value.
	Records(ctx context.Context, partition int, offsets ...int64) iter.Seq2[kafka.Record, error]
}

// NewTransformer returns a Transformer. stores has the settings of each store by name.
func NewTransformer(run Runtime, stores map[string]subscriber.Settings, state *customerstate.Store, raw RawReader) (*Transformer, error) {
	decoder, err := recharge.NewDecoder()
	if err != nil {
		return nil, err
	}
	return &Transformer{
		topics: run.Topics, stores: stores, decoder: decoder, state: state, raw: raw, metrics: run.Metrics,
		now: run.Now, log: run.Log,
	}, nil
}

// TakeOver restores the state of a partition, with its pending lookups.
func (t *Transformer) TakeOver(ctx context.Context, partition int) error {
	return t.state.TakeOver(ctx, partition)
}

// Release releases a partition.
func (t *Transformer) Release(partition int) { t.state.Release(partition) }

// Begin opens a transaction.
func (t *Transformer) Begin(partition int) stage.Transaction { return t.begin(partition) }

func (t *Transformer) begin(partition int) *transform {
	return &transform{Transformer: t, Tx: t.state.Begin(partition), partition: partition}
}

// Punctuate replays the remaining parked records. If there are none it removes expired rows.
func (t *Transformer) Punctuate(ctx context.Context, partition int) (stage.Punctuated, error) {
	tx := t.begin(partition)
	replayed, stalled, err := tx.replayMore(ctx)
	if replayed == nil && err == nil {
		tx.Expire(t.now())
	}
	return stage.Punctuated{Transaction: tx, Replayed: replayed, Stalled: stalled}, err
}

// transform is one transaction of the transformer.
type transform struct {
	*Transformer
	*customerstate.Tx

	partition int
	arena     envelope.Arena // of the outputs
}

// Handle processes the batch until a record must wait, which leaves no changes, or until the replay limit is reached.
func (t *transform) Handle(ctx context.Context, records []kafka.Record) ([]stage.Result, error) {
	results := make([]stage.Result, 0, len(records))
	for _, r := range records {
		before := t.Savepoint()
		result, err := t.handle(ctx, r)
		if err != nil {
			t.Rollback(before)
			return results, err
		}
		results = append(results, result)
		if t.ReplayFull() {
			break
		}
	}
	return results, nil
}

// input is a decoded raw record.
type input struct {
	raw      kafka.Record
	at       time.Time // when it was received
	settings subscriber.Settings
	ref      customerstate.Ref
	webhook  recharge.Webhook
	lookup   *recharge.Lookup // instead of a webhook: an answer of the API, or an import
	imported bool
	move     *subscriber.Move // instead of a webhook: a subscription of the customer has moved to another one
}

// answersCustomer reports whether the record is the lookup response that the customer's parked records wait for.
func (in *input) answersCustomer() bool {
	return in.lookup != nil && !in.imported && in.lookup.Kind == recharge.LookupCustomer
}

// admit checks a record's headers, store and age, and returns why the record is rejected.
func (t *transform) admit(raw kafka.Record) (*input, reason.Reason, error) {
	store, at, err := envelope.CheckRaw(raw, t.now())
	if err != nil {
		return nil, reason.Malformed, err
	}
	settings, ok := t.stores[store]
	if !ok {
		return nil, reason.UnknownStore, fmt.Errorf("store %q is not in the configuration of this process; when it is, replay the dead letter", store)
	}
	in := &input{raw: raw, at: at, settings: settings}
	return in, reason.TooOld, t.tooOld(in)
}

func (t *transform) handle(ctx context.Context, raw kafka.Record) (stage.Result, error) {
	in, why, err := t.admit(raw)
	if err != nil {
		return stage.Rejected(why, err), nil
	}
	switch raw.Header(envelope.HeaderSource) {
	case envelope.SourceOwner:
		return t.applyOwner(in)
	case envelope.SourceLookup, envelope.SourceImport, envelope.SourceMoved:
	default:
		if why := subscriber.Unused(recharge.Topic(raw.Header(envelope.HeaderRechargeTopic))); why != "" {
			return stage.Result{Outcome: stage.Skip(why)}, nil
		}
	}
	if err := t.decode(in); err != nil {
		return t.undecodable(ctx, in, err)
	}
	t.countUnreadable(in)
	result, after, err := t.decideOrPark(in)
	if err == nil && in.answersCustomer() {
		t.RemoveLookup(in.lookup.LookupRequest) // also if the answer was rejected
		result.Replayed, err = t.replay(ctx, in.settings, in.ref, after.LookedUp(), unknownReason(in.lookup))
	}
	return result, err
}

// tooOld rejects a redriven record if the state that it needs may have expired. Other records are never that old: retention
// deletes them earlier.
func (t *transform) tooOld(in *input) error {
	if _, redriven := deadletter.RedriveOf(in.raw); !redriven || !in.at.Before(subscriber.OldestRecord(t.now())) {
		return nil
	}
	return fmt.Errorf("record was received at %s: the state that it needs may have expired", in.at.Format(time.RFC3339))
}

// decode decodes the value and sets the customer.
func (t *transform) decode(in *input) (err error) {
	in.ref.Store = in.settings.Store
	switch source := in.raw.Header(envelope.HeaderSource); source {
	case envelope.SourceLookup, envelope.SourceImport:
		lookup, err := t.decoder.Lookup(in.raw.Value, in.at)
		if err != nil {
			return err
		}
		lookup.Store = in.settings.Store
		in.lookup, in.imported, in.ref.CustomerID = &lookup, source == envelope.SourceImport, lookup.CustomerID
		return nil
	case envelope.SourceMoved:
		move, err := subscriber.ReadMove(in.raw.Value)
		in.move, in.ref.CustomerID = &move, move.CustomerID
		return err
	}
	in.webhook, err = t.decoder.Decode(recharge.Topic(in.raw.Header(envelope.HeaderRechargeTopic)), in.raw.Value, in.at)
	if err == nil {
		in.ref.CustomerID = in.webhook.CustomerID()
	}
	return err
}

// countUnreadable counts and logs the fields of a webhook that were left out. Their values may be personal data.
func (t *transform) countUnreadable(in *input) {
	fields := in.webhook.Unreadable
	if len(fields) == 0 {
		return
	}
	for _, path := range fields {
		resource, field, _ := strings.Cut(path, ".")
		t.metrics.UnreadableField(in.ref.Store, resource, field)
	}
	t.log.Warn("fields of webhook are unreadable, processed without them", zap.String("store", in.ref.Store),
		zap.String("topic", string(in.webhook.Topic)), zap.Int("partition", in.raw.Partition), zap.Int64("offset", in.raw.Offset),
		zap.Strings("fields", fields))
}

// decideOrPark decides on a record, unless its customer has to be looked up first, or has parked records.
// It returns the customer's state, nil for a record that was parked.
func (t *transform) decideOrPark(in *input) (stage.Result, *subscriber.State, error) {
	if !in.answersCustomer() && t.HasParked(in.ref) {
		result, err := t.park(in)
		return result, nil, err
	}
	before, err := t.Load(in.ref)
	if err != nil {
		return stage.Result{}, nil, err
	}
	result, after, err := t.decideFirst(in, before)
	var needed *subscriber.LookupNeeded
	switch {
	case errors.As(err, &needed):
		result, err = t.park(in)
	case errors.Is(err, subscriber.ErrCustomerUnknown):
		return stage.Rejected(reason.CustomerUnknown, err), before, nil
	}
	return result, after, err
}

// park parks a record until its customer is looked up.
func (t *transform) park(in *input) (stage.Result, error) {
	if in.raw.Topic != t.topics.Webhooks() { // a redriven record has the place of its original
		return stage.Rejected(reason.Malformed, fmt.Errorf("park record: customer is unknown, and a record of %s has no position in %s", in.raw.Topic, t.topics.Webhooks())), nil
	}
	if string(in.raw.Key) != in.ref.Key() { // the lookup goes to the partition of the customer's key
		return stage.Rejected(reason.Malformed, fmt.Errorf("park record: key %q does not match customer key %q", in.raw.Key, in.ref.Key())), nil
	}
	err := t.Park(in.ref, in.raw, deadletter.RedriveHeaders(in.raw), recharge.LookupRequest{
		Store: in.ref.Store, CustomerID: in.ref.CustomerID, Kind: recharge.LookupCustomer, Due: in.at,
		Traceparent: in.raw.Header(envelope.HeaderTraceparent),
	})
	return stage.Result{Outcome: stage.Park(reason.LookupPending)}, err
}

// decideFirst decides on a record that was not parked. For webhooks the stage recovers from panics.
func (t *transform) decideFirst(in *input, before *subscriber.State) (stage.Result, *subscriber.State, error) {
	if in.lookup == nil {
		return t.decide(in, before)
	}
	return t.decideSafely(in, before)
}

// decideSafely rejects a record on which the decision panics, and undoes its changes: the records parked behind it must not
// wait for ever.
func (t *transform) decideSafely(in *input, before *subscriber.State) (result stage.Result, after *subscriber.State, err error) {
	start := t.Savepoint()
	if stage.Recover(t.log, string(RoleTransformer), 1, func() { result, after, err = t.decide(in, before) }) {
		t.Rollback(start)
		result, after, err = stage.Result{Outcome: stage.Panicked()}, before, nil
	}
	if result.Outcome.Kind == stage.KindRejected && in.lookup != nil && !in.imported {
		t.RejectLookup(in.lookup.LookupRequest)
	}
	return result, after, err
}

// decide processes a record and saves the customer's new state.
func (t *transform) decide(in *input, before *subscriber.State) (stage.Result, *subscriber.State, error) {
	if in.lookup == nil {
		decision, after, err := in.decide(before)
		if err != nil {
			return stage.Result{}, before, err
		}
		return t.save(in, decision, before, after)
	}
	lookup := *in.lookup
	if !in.imported {
		lookup.LookupRequest = t.Requested(lookup.LookupRequest)
	}
	decision, after, err := subscriber.ApplyLookup(in.settings, before, lookup, in.imported, in.at)
	if err != nil {
		return stage.Result{}, before, err
	}
	if !in.imported {
		t.RemoveLookup(lookup.LookupRequest) // before save, which may request it again
	}
	return t.save(in, decision, before, after)
}

// decide decides on a webhook or a moved record.
func (in *input) decide(before *subscriber.State) (subscriber.Decision, *subscriber.State, error) {
	if in.move != nil {
		return subscriber.ApplyMove(in.settings, before, *in.move, in.at)
	}
	return subscriber.Decide(in.settings, before, in.webhook, in.at)
}

// save saves the new state and returns the outputs. If a row or an output exceeds Kafka's limit, the record is rejected without
// changes.
func (t *transform) save(in *input, d subscriber.Decision, before, after *subscriber.State) (stage.Result, *subscriber.State, error) {
	start := t.Savepoint()
	list := outputs(t.topics, d)
	if in.ref.CustomerID != "" {
		if err := t.Save(in.ref, before, after); err != nil {
			return stage.Result{}, before, fmt.Errorf("save customer: %w", err)
		}
		for _, r := range d.Lookups {
			r.Traceparent = in.raw.Header(envelope.HeaderTraceparent)
			if err := t.RequestLookup(r); err != nil {
				return stage.Result{}, before, err
			}
		}
		for _, row := range subscriber.ChangedRows(in.ref.Store, in.ref.CustomerID, before, after) {
			list = append(list, tableOutput(t.topics, in, row))
		}
	}
	records, why, err := t.arena.Records(list, in.raw)
	if largest := t.Largest(start); err == nil && largest > deadletter.MaxRecordBytes {
		why, err = reason.TooLarge, fmt.Errorf("row of the customer's state has %d bytes, at most %d are allowed", largest, deadletter.MaxRecordBytes)
	}
	if err != nil {
		t.Rollback(start)
		return stage.Rejected(why, err), before, nil
	}
	result := stage.Result{Outcome: stage.Done(), Outputs: records}
	if d.Empty() {
		result.Outcome = stage.Skip(d.Skip)
	}
	return result, after, nil
}
