package pipeline

import (
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/parked"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// name is store/customer, the key of the customer's raw records.
func (of whose) name() string { return of.settings.Store + "/" + of.customer }

// parked tells whether anything of a customer waits: then all that comes later does, behind it.
func (t *transform) parked(of whose) bool { return of.customer != "" && parked.Any(t.rows, of.name()) }

// park keeps where a record lies, and asks who its customer is.
func (t *transform) park(of whose, raw kafka.Record) (Result, error) {
	if raw.Topic != t.topics.Webhooks() { // what was redriven says where it was at first
		return rejected(ReasonMalformed, fmt.Errorf("its customer is unknown, and it can't be put aside: it is in %s and doesn't say where in %s it was", raw.Topic, t.topics.Webhooks())), nil
	}
	if string(raw.Key) != of.name() { // by which the answer finds its partition
		return rejected(ReasonMalformed, fmt.Errorf("its customer is unknown, and no answer would find it: its key is %q, of the customer that it names %q", raw.Key, of.name())), nil
	}
	if err := parked.PlaceOf(raw, deadletter.RedriveHeaders(raw)).Keep(t.rows, of.name()); err != nil {
		return Result{}, err
	}
	if t.releasing(of) { // the answer is there, and this one's turn will come
		return Result{Fate: Wait(ReasonCustomerAsked)}, nil
	}
	if err := t.want(of, raw, subscriber.Ask{Kind: subscriber.AskIdentity, Due: receivedOrWritten(raw)}); err != nil {
		return Result{}, err
	}
	return Result{Fate: Wait(ReasonCustomerAsked)}, nil
}

// Wait says that a record was put aside until its customer is known.
func Wait(why Reason) Fate { return Fate{Outcome: OutcomeWaiting, Reason: why} }
