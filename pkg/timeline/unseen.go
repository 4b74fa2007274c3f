package timeline

import (
	"cmp"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// unseen explains raw records without outputs. Nothing records why a webhook was skipped, so it derives the likely reason: from the
// records before it, and from what the webhook would be for a customer of whom nothing is known.
type unseen struct {
	*assembly

	first  map[string]place // the first webhook with a delivery hash
	parked map[string]bool  // keys of rows of parked records
}

func (a *assembly) newUnseen(raws []kafka.Record) *unseen {
	u := &unseen{assembly: a, first: map[string]place{}, parked: map[string]bool{}}
	for _, raw := range raws {
		hash := raw.Header(envelope.HeaderDeliveryHash)
		if _, known := u.first[hash]; hash != "" && !known {
			u.first[hash] = placeOf(raw)
		}
	}
	for _, row := range a.of(a.Topics.State()) {
		u.parked[string(row.Key)] = row.Value != nil
	}
	return u
}

// explain sets the likely reason why a raw record has no output.
func (u *unseen) explain(e *Entry, raw kafka.Record) {
	e.Likely = true
	switch e.Kind {
	case KindWebhook:
		u.webhook(e, raw)
	case KindOwner:
		e.Reason = reason.OwnerApplied
	case KindMoved:
		e.Reason = reason.MoveApplied
	case KindDeletion:
		e.Reason = reason.ChargeDeleted
	default:
		e.Reason = reason.LookupApplied
	}
}

func (u *unseen) webhook(e *Entry, raw kafka.Record) {
	if u.parked[string(customerstate.ParkedKey(u.ref(), raw.Partition, raw.Offset))] {
		e.State, e.Reason, e.Likely = Parked, reason.LookupPending, false
		return
	}
	topic := recharge.Topic(raw.Header(envelope.HeaderRechargeTopic))
	if e.Reason = u.Settings.Switches.Unused(topic); e.Reason != "" {
		return
	}
	if first := u.first[raw.Header(envelope.HeaderDeliveryHash)]; first != placeOf(raw) && first.topic != "" {
		e.Reason, e.Detail = reason.Duplicate, join(e.Detail, "the same body as "+first.String())
		return
	}
	webhook, err := u.decode(topic, raw, e.At)
	if err != nil {
		e.Reason, e.Detail = reason.Malformed, join(e.Detail, err.Error())
		return
	}
	decision, _, err := subscriber.Decide(u.alone(), u.somebody(), webhook, e.At)
	switch {
	case err != nil:
		u.unknown(e)
	case decision.Skip == reason.ActivePropertyOff: // see alone
		e.Reason = reason.Unchanged
	case decision.Empty():
		e.Reason = decision.Skip
	default:
		u.decided(e, decision)
	}
}

func (u *unseen) decode(topic recharge.Topic, raw kafka.Record, at time.Time) (recharge.Webhook, error) {
	webhook, err := u.decoder.Decode(topic, raw.Value, at)
	if err != nil {
		return webhook, err
	}
	webhook.Backfill, err = envelope.BackfillOf(raw)
	return webhook, err
}

// alone returns the settings to decide with on a webhook alone: no lookups, and no properties, which depend on what was known.
func (u *unseen) alone() subscriber.Settings {
	s := u.Settings
	s.API, s.ActiveProperty, s.Profile = false, false, nil
	return s
}

// somebody returns the state of a customer of whom nothing is known but what identifies them.
func (u *unseen) somebody() *subscriber.State {
	return &subscriber.State{Customer: subscriber.CustomerState{Email: cmp.Or(u.email, "unknown@example.invalid"), PhoneKnown: true}}
}

// decided explains a webhook that would have outputs if nothing were known of its customer.
func (u *unseen) decided(e *Entry, d subscriber.Decision) {
	for _, id := range factIDs(d) {
		if at, known := u.factOf[id]; known {
			e.Reason, e.Detail = reason.Duplicate, join(e.Detail, fmt.Sprintf("fact %s was emitted for %s", id, at))
			return
		}
	}
	u.unknown(e)
}

// unknown says that the state of the customer decided.
func (u *unseen) unknown(e *Entry) {
	e.Likely = false
	e.Detail = join(e.Detail, "the customer's state decided: unchanged, outdated, or emitted before")
}

// factIDs returns the ids of what a decision emits.
func factIDs(d subscriber.Decision) (ids []string) {
	for _, e := range d.Events {
		ids = append(ids, e.ID)
	}
	for _, e := range d.Facts {
		ids = append(ids, e.ID)
	}
	for _, t := range d.Triggers {
		ids = append(ids, t.ID)
	}
	return ids
}

// join joins two details.
func join(detail, more string) string {
	if detail == "" || more == "" {
		return detail + more
	}
	return detail + "; " + more
}
