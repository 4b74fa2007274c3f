package pipeline

import (
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/outputs"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// The webhook of a deleted charge names no customer, so it is in the partition of the charge's id. Two more raw records lead it to the
// customer, each written in the transaction of its cause:
//
//	a customer has a charge that is not paid  -> owner record, key {store}/charge/{charge}
//	the charge is deleted                     -> deletion record, key {store}/{customer}

// applyChargeOwner stores the customer of a charge.
func (t *transform) applyChargeOwner(in *input) (stage.Result, error) {
	owner, err := subscriber.ReadChargeOwner(in.raw.Value)
	if err != nil {
		return stage.Rejected(reason.Malformed, err), nil
	}
	deletion, err := t.ApplyChargeOwner(owner, in.at)
	if err != nil {
		return stage.Result{}, err
	}
	return t.passOn(in, deletion, reason.OwnerApplied)
}

// chargeDeleted handles the webhook of a deleted charge that names no customer.
func (t *transform) chargeDeleted(in *input) (stage.Result, error) {
	deletion, why, err := t.ApplyChargeDeleted(in.ref.Store, in.webhook.Charge.ID, in.at)
	if err != nil {
		return stage.Result{}, err
	}
	return t.passOn(in, deletion, why)
}

// passOn publishes a deletion record for the customer; without one the record is skipped for a reason.
func (t *transform) passOn(in *input, deletion *subscriber.ChargeDeletion, otherwise reason.Reason) (stage.Result, error) {
	if deletion == nil {
		return stage.Result{Outcome: stage.Skip(otherwise)}, nil
	}
	records, why, err := t.arena.Records([]envelope.Output{outputs.OfDeletion(t.topics, deletion)}, in.raw)
	if err != nil {
		return stage.Rejected(why, err), nil
	}
	return stage.Result{Outcome: stage.Done(), Outputs: records}, nil
}
