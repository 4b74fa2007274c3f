package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Rows of the state beside those of pkg/subscriber.
//
//	parked/{store}/{customer}/{partition}/{offset}  a raw record that waits for the API, in order
//	ask/{store}/{customer}/{kind}/{charge}          a question to the API that has no answer yet
const (
	parkedRows = "parked/"
	askRows    = "ask/"
)

// place is where a parked record lies.
type place struct {
	Partition int   `json:"partition"`
	Offset    int64 `json:"offset"`
}

func parkedOf(of whose) string { return parkedRows + of.settings.Store + "/" + of.customer + "/" }

func (p place) key(of whose) string {
	return fmt.Sprintf("%s%d/%020d", parkedOf(of), p.Partition, p.Offset)
}

// parked tells whether anything of a customer waits: then all that comes later does, behind it.
func (t *transform) parked(of whose) bool {
	if of.customer == "" {
		return false
	}
	for range t.rows.Scan([]byte(parkedOf(of))) {
		return true
	}
	return false
}

// park keeps where a record lies, and asks who its customer is.
func (t *transform) park(of whose, raw kafka.Record) (Result, error) {
	if raw.Topic != t.topics.Webhooks() { // what was redriven says where it was at first
		return rejected(ReasonMalformed, fmt.Errorf("its customer is unknown, and it can't be put aside: it is in %s and doesn't say where in %s it was", raw.Topic, t.topics.Webhooks())), nil
	}
	if key := of.settings.Store + "/" + of.customer; string(raw.Key) != key { // by which the answer finds its partition
		return rejected(ReasonMalformed, fmt.Errorf("its customer is unknown, and no answer would find it: its key is %q, of the customer that it names %q", raw.Key, key)), nil
	}
	at := place{Partition: raw.Partition, Offset: raw.Offset}
	row, err := json.Marshal(at)
	if err != nil {
		return Result{}, fmt.Errorf("encode place: %w", err)
	}
	t.rows.Set([]byte(at.key(of)), row)
	if err := t.want(of, raw, subscriber.Ask{Kind: subscriber.AskIdentity, Due: receivedOrWritten(raw)}); err != nil {
		return Result{}, err
	}
	return Result{Fate: Wait(ReasonCustomerAsked)}, nil
}

// release decides on what waited for a customer, in order.
func (t *transform) release(ctx context.Context, of whose, memory *subscriber.Memory, unknown Reason) ([]Settled, error) {
	places, err := t.places(of)
	if err != nil {
		return nil, err
	}
	var released []Settled
	for _, at := range places {
		t.rows.Set([]byte(at.key(of)), nil)
		raw, err := t.raw.Read(ctx, at.Partition, at.Offset)
		if errors.Is(err, kafka.ErrNoRecord) {
			released = append(released, t.gone(of, at, err))
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read what was put aside: %w", err)
		}
		var result Result
		result, memory, err = t.guarded(memory, func() (Result, *subscriber.Memory, error) { return t.resume(of, raw, memory, unknown) })
		if err != nil {
			return nil, err
		}
		released = append(released, Settled{Record: raw, Result: result})
	}
	return released, nil
}

// gone settles a parked record that was deleted meanwhile: nothing is left of it but where it was.
func (t *transform) gone(of whose, at place, err error) Settled {
	raw := kafka.Record{
		Topic: t.topics.Webhooks(), Partition: at.Partition, Offset: at.Offset, Key: []byte(of.settings.Store + "/" + of.customer),
		Headers: []kafka.Header{{Key: HeaderStore, Value: []byte(of.settings.Store)}},
	}
	return Settled{Record: raw, Result: rejected(ReasonParkedGone, err)}
}

// guarded rejects what makes the decision panic, and takes back what it had changed: what else waits for the customer
// doesn't wait for ever.
func (t *transform) guarded(before *subscriber.Memory, decide func() (Result, *subscriber.Memory, error)) (result Result, after *subscriber.Memory, err error) {
	start := t.save()
	defer func() {
		if cause := recover(); cause != nil {
			t.back(start)
			logPanic(t.log, RoleTransformer, 1, cause)
			result, after, err = rejected(ReasonPanic, errPanicked), before, nil
		}
	}()
	return decide()
}

func (t *transform) places(of whose) ([]place, error) {
	var places []place
	for key, value := range t.rows.Scan([]byte(parkedOf(of))) {
		var at place
		if err := json.Unmarshal(value, &at); err != nil {
			return nil, fmt.Errorf("decode row %s: %w", key, err)
		}
		places = append(places, at)
	}
	return places, nil
}

// resume decides on a record that was parked: nobody can tell more about the customer now.
func (t *transform) resume(of whose, raw kafka.Record, memory *subscriber.Memory, unknown Reason) (Result, *subscriber.Memory, error) {
	switch raw.Header(HeaderOrigin) {
	case OriginLookup, OriginImport:
		lookup, err := t.decoder.Lookup(raw.Value)
		if err != nil {
			return rejected(ReasonMalformed, err), memory, nil
		}
		result, after, err := t.learnt(of, lookup, raw, memory)
		if needed := (*subscriber.LookupNeeded)(nil); errors.As(err, &needed) { // once more: the answer was no use
			return rejected(unknown, err), memory, nil
		}
		return result, after, err
	}
	webhook, err := t.decoder.Decode(recharge.Topic(raw.Header(HeaderTopic)), raw.Value)
	if err != nil {
		return rejected(ReasonMalformed, err), memory, nil
	}
	decision, after, err := subscriber.Decide(of.settings, memory, webhook, receivedOrWritten(raw))
	var needed *subscriber.LookupNeeded // once more: the answer was no use
	if errors.Is(err, subscriber.ErrCustomerUnknown) || errors.As(err, &needed) {
		return rejected(unknown, err), memory, nil
	}
	if err != nil {
		return Result{}, memory, err
	}
	return t.keep(of, raw, decision, memory, after)
}

// want notes questions to the API. A row keeps each until its answer came.
func (t *transform) want(of whose, raw kafka.Record, asks ...subscriber.Ask) error {
	for _, ask := range asks {
		if t.rows.Get([]byte(askKey(of, ask))) != nil {
			continue // asked already: the answer belongs to that question, and is no older than its Due
		}
		w := Wanted{Ask: ask, Store: of.settings.Store, Customer: of.customer, Traceparent: raw.Header(HeaderTraceparent)}
		row, err := json.Marshal(w)
		if err != nil {
			return fmt.Errorf("encode question: %w", err)
		}
		t.rows.Set([]byte(askKey(of, ask)), row)
		t.wanted = append(t.wanted, w)
	}
	return nil
}

// wantAgain has a question asked whose row has been there before.
func (t *Transformer) wantAgain(partition int, key string, row []byte) error {
	parts := strings.Split(strings.TrimPrefix(key, askRows), "/")
	var w Wanted
	if err := json.Unmarshal(row, &w); err != nil || len(parts) < 2 {
		return errors.Join(fmt.Errorf("decode row %s", key), err)
	}
	w.Store, w.Customer = parts[0], parts[1]
	t.asker.Want(partition, w)
	return nil
}

func askKey(of whose, ask subscriber.Ask) string {
	return askRows + of.settings.Store + "/" + of.customer + "/" + string(ask.Kind) + "/" + ask.ChargeID
}

// Wait says that a record was put aside until its customer is known.
func Wait(why Reason) Fate { return Fate{Outcome: OutcomeWaiting, Reason: why} }
