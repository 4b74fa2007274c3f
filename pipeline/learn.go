package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// learn takes in what Recharge's API said of a customer, and decides on what waited for it.
func (t *transform) learn(ctx context.Context, settings subscriber.Settings, raw kafka.Record) (Result, error) {
	lookup, err := t.decoder.Lookup(raw.Value)
	if err != nil {
		return rejected(ReasonMalformed, err), nil
	}
	of := whose{settings: settings, customer: lookup.CustomerID}
	answers := raw.Header(HeaderOrigin) == OriginLookup && lookup.For == recharge.ForIdentity
	if !answers && t.parked(of) { // it may be younger than what waits
		return t.park(of, raw)
	}
	before, err := t.recall(of)
	if err != nil {
		return Result{}, err
	}
	result, after, err := t.guarded(before, func() (Result, *subscriber.Memory, error) { return t.learnt(of, lookup, raw, before) })
	var needed *subscriber.LookupNeeded
	switch {
	case errors.As(err, &needed): // what it tells lacks who it is about: that is asked for first
		return t.park(of, raw)
	case err != nil || !answers:
		return result, err
	}
	// Answered it is, useful or not.
	t.rows.Set([]byte(askKey(of, subscriber.Ask{Kind: subscriber.AskIdentity})), nil)
	result.Released, err = t.release(ctx, of, after, unknownBecause(lookup))
	return result, err
}

// learnt takes in one answer.
func (t *transform) learnt(of whose, l recharge.Lookup, raw kafka.Record, before *subscriber.Memory) (Result, *subscriber.Memory, error) {
	answer, err := t.answer(of, l, raw.Header(HeaderOrigin) == OriginImport)
	if err != nil {
		return Result{}, before, err
	}
	decision, after, err := subscriber.Learn(of.settings, before, of.customer, answer, receivedOrWritten(raw))
	if err != nil {
		return Result{}, before, err
	}
	t.rows.Set([]byte(askKey(of, answer.Ask)), nil) // before keep, which may ask again
	return t.keep(of, raw, decision, before, after)
}

// answer is a lookup with the question that it answers, which is answered by it. A cancellation that nobody asked for any
// more is only news of subscriptions.
func (t *transform) answer(of whose, l recharge.Lookup, imported bool) (subscriber.Answer, error) {
	a := subscriber.Answer{Customer: l.Customer, Subscriptions: l.Subscriptions, Complete: l.Complete, Import: imported}
	if imported {
		return a, nil
	}
	a.Ask = subscriber.Ask{Kind: subscriber.AskKind(l.For), ChargeID: l.ChargeID, Attempt: l.Attempt}
	key := askKey(of, a.Ask)
	row := t.rows.Get([]byte(key))
	switch {
	case row == nil && a.Ask.Kind == subscriber.AskCancellation:
		a.Ask = subscriber.Ask{Kind: subscriber.AskFlag}
		return a, nil
	case row == nil:
		return a, nil
	}
	var asked Wanted
	if err := json.Unmarshal(row, &asked); err != nil {
		return a, fmt.Errorf("decode row %s: %w", key, err)
	}
	if asked.Attempt > a.Ask.Attempt { // answered already, and asked again
		a.Ask = subscriber.Ask{Kind: subscriber.AskFlag}
		return a, nil
	}
	a.Ask = asked.Ask
	return a, nil
}

// unknownBecause is the reason for which what waited is rejected, should the customer still be unknown.
func unknownBecause(l recharge.Lookup) Reason {
	if l.Unreadable != "" {
		return ReasonCustomerUnreadable
	}
	return ReasonCustomerUnknown
}
