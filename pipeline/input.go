package pipeline

import (
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// input is a decoded raw record.
type input struct {
	raw      kafka.Record
	at       time.Time // when it was received
	settings subscriber.Settings
	ref      customerstate.Ref
	webhook  recharge.Webhook
	lookup   *recharge.Lookup // instead of a webhook: an answer of the API, or an import
	imported bool
	move     *subscriber.Move           // instead of a webhook: a subscription of the customer has moved to another one
	deletion *subscriber.ChargeDeletion // instead of a webhook: a charge of the customer was deleted
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
	if _, redriven := deadletter.RedriveOf(raw); redriven || raw.Header(envelope.HeaderSource) == envelope.SourceOperator { // others are never that old: retention deletes them earlier
		err = subscriber.CheckAge(at, t.now())
	}
	return &input{raw: raw, at: at, settings: settings}, reason.TooOld, err
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
	case envelope.SourceDeleted:
		deletion, err := subscriber.ReadChargeDeletion(in.raw.Value)
		in.deletion, in.ref.CustomerID = &deletion, deletion.CustomerID
		return err
	}
	in.webhook, err = t.decoder.Decode(recharge.Topic(in.raw.Header(envelope.HeaderRechargeTopic)), in.raw.Value, in.at)
	if err == nil {
		in.ref.CustomerID = in.webhook.CustomerID()
		in.webhook.Backfill, err = envelope.BackfillOf(in.raw)
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

// decide decides on a webhook, a moved record or a deletion record.
func (in *input) decide(before *subscriber.State) (subscriber.Decision, *subscriber.State, error) {
	switch {
	case in.move != nil:
		return subscriber.ApplyMove(in.settings, before, *in.move, in.at)
	case in.deletion != nil:
		return subscriber.ApplyChargeDeletion(in.settings, before, *in.deletion, in.at)
	}
	return subscriber.Decide(in.settings, before, in.webhook, in.at)
}
