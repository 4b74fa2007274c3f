package pipeline

import (
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/outputs"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// A customer's state knows no other customers, so a subscription that moves to another one takes two more raw records, each
// written in the transaction of its cause:
//
//	a customer has a subscription     -> owner record, key {store}/subscription/{subscription}
//	owner record with another owner   -> moved record, key {store}/{former owner}
//
// The former owner's state then decides on the moved record, as on a webhook: see subscriber.ApplyMove.

// applyOwner compares an owner record with the last known owner of its subscription.
func (t *transform) applyOwner(in *input) (stage.Result, error) {
	owner, err := subscriber.ReadOwner(in.raw.Value)
	if err != nil {
		return stage.Rejected(reason.Malformed, err), nil
	}
	move, err := t.ApplyOwner(owner, in.at)
	if err != nil {
		return stage.Result{}, err
	}
	if move == nil {
		return stage.Result{Outcome: stage.Skip(reason.OwnerApplied)}, nil
	}
	records, why, err := t.arena.Records([]envelope.Output{outputs.OfMove(t.topics, move)}, in.raw)
	if err != nil {
		return stage.Rejected(why, err), nil
	}
	return stage.Result{Outcome: stage.Done(), Outputs: records}, nil
}
