package subscriber

import (
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// contradicted tells whether a trigger is about something that, as far as is known, was undone later: then its text would
// say what is no longer so. That the resource has a newer snapshot is no reason: updates come before what they update.
func (m *Memory) contradicted(store string, t Trigger) bool {
	if m.gone() {
		return true // there is nobody left to text to
	}
	switch t.Flow {
	case flow.ChargeWillBeRetried, flow.ChargeFailed, flow.UpcomingOrder:
		if t.Charge != nil && m.told.has(paidFact(store, t.Charge.ID)) {
			return true
		}
	}
	undoes := undoing(t.Flow)
	about := 0
	for _, item := range t.Items {
		id, ok := strings.CutPrefix(item, "subscription/")
		if !ok {
			continue
		}
		about++
		if !m.undone(id, undoes, t.OccurredAt) {
			return false // a text goes when at least one of its items is left
		}
	}
	return about > 0 && len(undoes) > 0
}

func (m *Memory) undone(subscription string, by []happening, after time.Time) bool {
	s := m.Subscriptions[subscription]
	for _, what := range by {
		if s.Last[what].After(after) {
			return true
		}
	}
	return false
}

// undoing is what takes back a flow's triggers about a subscription.
func undoing(key flow.Key) []happening {
	switch key {
	case flow.SubscriptionStarted:
		return []happening{canceled, deleted}
	case flow.SubscriptionPaused:
		return []happening{activated}
	case flow.SubscriptionResumed:
		return []happening{canceled, paused}
	case flow.SubscriptionCanceled, flow.SubscriptionExpired:
		return []happening{activated}
	case flow.UpcomingOrder:
		return []happening{skipped, canceled}
	case flow.OrderSkipped:
		return []happening{unskipped}
	}
	return nil
}

func paidFact(store, charge string) string {
	return factID(store, string(EventCharge), StatusPaid, charge)
}
