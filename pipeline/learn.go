package pipeline

import (
	"context"
	"errors"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// learn takes in what Recharge's API said of a customer, and decides on what waited for it.
func (t *transform) learn(ctx context.Context, settings subscriber.Settings, raw kafka.Record) (Result, error) {
	lookup, err := t.decoder.Lookup(raw.Value)
	if err != nil {
		return t.spoilt(ctx, settings, raw, err)
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
	case err != nil:
		return Result{}, err
	case !answers:
		t.unanswered(of, raw, result)
		return result, nil
	}
	// Answered it is, useful or not.
	t.rows.Set(questionOf(of, subscriber.Ask{Kind: subscriber.AskIdentity}).Key(), nil)
	result.Released, err = t.release(ctx, of, after.Asked(), unknownBecause(lookup))
	return result, err
}

// learnt takes in one answer.
func (t *transform) learnt(of whose, l recharge.Lookup, raw kafka.Record, before *subscriber.Memory) (Result, *subscriber.Memory, error) {
	answer := t.answer(of, l, raw.Header(HeaderOrigin) == OriginImport)
	decision, after, err := subscriber.Learn(of.settings, before, of.customer, answer, receivedOrWritten(raw))
	if err != nil {
		return Result{}, before, err
	}
	t.rows.Set(questionOf(of, answer.Ask).Key(), nil) // before keep, which may ask again
	return t.keep(of, raw, decision, before, after)
}

// answer is a lookup with the question that it answers, which is answered by it. A cancellation that nobody asked for any
// more is only news of subscriptions.
func (t *transform) answer(of whose, l recharge.Lookup, imported bool) subscriber.Answer {
	a := subscriber.Answer{Customer: l.Customer, Subscriptions: l.Subscriptions, Complete: l.Complete, Import: imported}
	if imported {
		return a
	}
	a.Ask = askOf(l)
	key := questionOf(of, a.Ask).Key()
	row := t.rows.Get(key)
	asked, whole, _ := subscriber.ReadQuestion(key, row)
	switch {
	case row == nil && a.Ask.Kind == subscriber.AskCancellation, asked.Attempt > a.Ask.Attempt: // answered already
		a.Ask = subscriber.Ask{Kind: subscriber.AskFlag}
	case whole:
		a.Ask = asked.Ask
	}
	return a
}

// unknownBecause is the reason for which what waited is rejected, should the customer still be unknown.
func unknownBecause(l recharge.Lookup) Reason {
	if l.Unreadable != "" {
		return ReasonCustomerUnreadable
	}
	return ReasonCustomerUnknown
}
