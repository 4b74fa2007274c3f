package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/outputs"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// Transformer decides on raw webhooks, given the state of their customers.
//
//	in         recharge.webhooks: webhooks, answers of Recharge's API (lookups), imports, its own owner and moved records
//	out        recharge.events, recharge.facts, recharge.sms-triggers, the public tables, the
//	           new state: recharge.state, and records for other partitions: recharge.webhooks
//	guarantee  every webhook ends as outputs, a skip or a dead letter, in one
//	           transaction with its offset: no fact is lost, none is emitted twice
//	on failure records of an unknown customer are parked, and all later ones of that customer,
//	           until the API has answered; a record of a store that is not configured, or
//	           without our headers, is a dead letter
type Transformer struct {
	*customerstate.Store // takes over and releases partitions

	topics  topology.Topics
	stores  map[string]subscriber.Settings
	decoder *recharge.Decoder
	raw     customerstate.RawReader
	metrics Metrics
	now     func() time.Time // only for what expires; a record's own time is that of its receipt
	log     *zap.Logger
}

// NewTransformer returns a Transformer. stores has the settings of each store by name.
func NewTransformer(run Runtime, stores map[string]subscriber.Settings, state *customerstate.Store, raw customerstate.RawReader) (*Transformer, error) {
	decoder, err := recharge.NewDecoder()
	if err != nil {
		return nil, err
	}
	return &Transformer{
		Store: state, topics: run.Topics, stores: stores, decoder: decoder, raw: raw, metrics: run.Metrics,
		now: run.Now, log: run.Log,
	}, nil
}

// Begin opens a transaction.
func (t *Transformer) Begin(partition int) stage.Transaction { return t.begin(partition) }

func (t *Transformer) begin(partition int) *transform {
	return &transform{Transformer: t, Tx: t.Store.Begin(partition), partition: partition}
}

// Punctuate replays the remaining parked records. If there are none it removes expired rows.
func (t *Transformer) Punctuate(ctx context.Context, partition int) (stage.Punctuated, error) {
	tx := t.begin(partition)
	replayed, stalled, err := tx.replayMore(ctx)
	if replayed == nil && err == nil {
		err = tx.Expire(t.now())
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

func (t *transform) handle(ctx context.Context, raw kafka.Record) (stage.Result, error) {
	in, why, err := t.admit(raw)
	if err != nil {
		return stage.Rejected(why, err), nil
	}
	switch raw.Header(envelope.HeaderSource) {
	case envelope.SourceOwner:
		return t.applyOwner(in)
	case envelope.SourceChargeOwner:
		return t.applyChargeOwner(in)
	case envelope.SourceLookup, envelope.SourceImport, envelope.SourceMoved, envelope.SourceDeleted:
		return t.handleWebhook(ctx, in)
	}
	if why := in.settings.Switches.Unused(recharge.Topic(raw.Header(envelope.HeaderRechargeTopic))); why != "" {
		return stage.Result{Outcome: stage.Skip(why)}, nil
	}
	return t.handleWebhook(ctx, in)
}

// handleWebhook handles a record whose value is a webhook, or has the form of one.
func (t *transform) handleWebhook(ctx context.Context, in *input) (stage.Result, error) {
	if err := t.decode(in); err != nil {
		return t.undecodable(ctx, in, err)
	}
	t.countUnreadable(in)
	if in.webhook.Topic == "charge/deleted" && in.ref.CustomerID == "" {
		return t.chargeDeleted(in)
	}
	result, after, err := t.decideOrPark(in)
	if err == nil && in.answersCustomer() {
		t.RemoveLookup(in.lookup.LookupRequest) // also if the answer was rejected
		result.Replayed, err = t.replay(ctx, in.settings, in.ref, after.LookedUp(), unknownReason(in.lookup))
	}
	return result, err
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
	decide := t.decide // the stage recovers from panics
	if in.lookup != nil {
		decide = t.decideSafely
	}
	result, after, err := decide(in, before)
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

// decideSafely rejects a record on which the decision panics, and undoes its changes: the records parked behind it must not
// wait for ever.
func (t *transform) decideSafely(in *input, before *subscriber.State) (result stage.Result, after *subscriber.State, err error) {
	start := t.Savepoint()
	if stage.Recover(t.log, string(topology.RoleTransformer), 1, func() { result, after, err = t.decide(in, before) }) {
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

// save saves the new state and returns the outputs. If a row or an output exceeds Kafka's limit, the record is rejected without
// changes.
func (t *transform) save(in *input, d subscriber.Decision, before, after *subscriber.State) (stage.Result, *subscriber.State, error) {
	start := t.Savepoint()
	list := outputs.OfDecision(t.topics, d)
	if in.ref.CustomerID != "" {
		if err := t.Save(in.ref, before, after); err != nil {
			return stage.Result{}, before, fmt.Errorf("save customer: %w", err)
		}
		if err := t.RequestLookups(in.raw.Header(envelope.HeaderTraceparent), d.Lookups...); err != nil {
			return stage.Result{}, before, err
		}
		for _, row := range append(subscriber.ChangedRows(in.ref.Store, in.ref.CustomerID, before, after), d.Charges...) {
			list = append(list, outputs.OfRow(t.topics, in.ref, in.at, row))
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
	result := stage.Result{Outcome: stage.DoneBut(d.Skip), Outputs: records}
	if d.Empty() {
		result.Outcome = stage.Skip(d.Skip)
	}
	return result, after, nil
}
