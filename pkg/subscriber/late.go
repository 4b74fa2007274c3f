package subscriber

import (
	"maps"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// contradicted reports whether a trigger is late: a happening that revokes its flow occurred after it but was received before
// it, so its text would be untrue. A newer snapshot of the resource alone is no contradiction: updates may arrive before the
// webhook of the change.
func (st *State) contradicted(store string, t Trigger) bool {
	if st.gone() {
		return true // there is no recipient any more
	}
	revokers := flow.RuleOf(t.Flow).RevokedBy
	return st.chargeContradicts(store, t, revokers) || st.subscriptionsContradict(t, revokers) || revokers.Has(flow.Replaced) && st.replaced(t)
}

// chargeContradicts reports whether a happening of the trigger's charge contradicts it. A payment always does. A final failure
// does unless the trigger is of a later attempt.
func (st *State) chargeContradicts(store string, t Trigger, revokers flow.Revokers) bool {
	if t.Charge == nil {
		return false
	}
	if revokers.Has(flow.Paid) && st.Emitted.has(paidFact(store, t.Charge.ID)) {
		return true
	}
	failedAt, failed := st.Customer.FailedCharges[t.Charge.ID]
	return failed && revokers.Has(flow.FailedForGood) && !t.OccurredAt.After(failedAt)
}

// subscriptionsContradict reports whether later happenings contradict the trigger for all of its subscriptions. A text that is
// true for one of them is sent.
func (st *State) subscriptionsContradict(t Trigger, revokers flow.Revokers) bool {
	contradicted := false
	for _, item := range t.Items {
		id, ok := strings.CutPrefix(item, "subscription/")
		if !ok {
			continue
		}
		if !st.Subscriptions[id].happenedAfter(t.OccurredAt, revokers) {
			return false
		}
		contradicted = true
	}
	return contradicted
}

func (s SubscriptionState) happenedAfter(at time.Time, by flow.Revokers) bool {
	for _, what := range by {
		if s.Last[what].After(at) {
			return true
		}
	}
	return false
}

// noteFailed stores when a charge failed finally. The first time is kept, because the revocation is emitted only once. Entries
// expire together with the emitted facts.
func (d *draft) noteFailed(charge string, at time.Time) {
	known := d.state.Customer.FailedCharges
	_, noted := known[charge]
	if noted || d.state.gone() || d.state.Emitted.has(paidFact(d.settings.Store, charge)) {
		return
	}
	failed := map[string]time.Time{charge: at}
	maps.Copy(failed, known)
	maps.DeleteFunc(failed, func(_ string, at time.Time) bool { return month(at) < OldestEmitted(d.receivedAt) })
	d.state.Customer.setFailed(failed)
}

// notePaid removes a charge from the failed ones.
func (d *draft) notePaid(charge string) {
	d.state.Customer.forgetFailures(charge)
	known := d.state.Customer.FailedCharges
	if _, noted := known[charge]; !noted {
		return
	}
	failed := maps.Clone(known)
	delete(failed, charge)
	d.state.Customer.setFailed(failed)
}

func (k *CustomerState) setFailed(charges map[string]time.Time) {
	k.FailedCharges = charges
	if len(charges) == 0 {
		k.FailedCharges = nil
	}
}

func paidFact(store, charge string) string {
	return factID(store, string(EventCharge), StatusPaid, charge)
}
