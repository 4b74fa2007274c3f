package subscriber

import (
	"maps"
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// chargeFailed drafts a failed charge that Recharge retries, or one that it does not retry: it is of a kind that is not retried,
// or has no retry date. A retry date alone proves nothing: closed charges still have one.
func (d *draft) chargeFailed() {
	c := d.webhook.Charge
	kind, published := recharge.ChargeErrorOf(c.ErrorType)
	at := firstTime(c.UpdatedAt, d.receivedAt)
	d.noteAttempt(c.ID, c.ErrorType, at)
	d.failedAttempt(at)
	switch {
	case !published:
		d.skip(reason.ChargeErrorUnknown)
	case !kind.Fixable:
		if c.RetryAt.IsZero() {
			d.fact(StatusGaveUp, at, factID(d.settings.Store, "charge_failed", c.ID))
		}
		d.skip(reason.NotCustomerFixable)
	case !kind.Retried || c.RetryAt.IsZero():
		d.chargeFailedForGood(true)
	case !c.RetryAt.After(d.receivedAt):
		d.skip(reason.RetryDatePassed)
	default:
		fact := factID(d.settings.Store, "charge_will_be_retried", c.ID, strconv.Itoa(c.Attempts))
		d.happened(flow.RetryScheduled, at, fact)
	}
}

// chargeFailedForGood drafts a final failure. Without a text it still revokes those about retries.
func (d *draft) chargeFailedForGood(text bool) {
	c := d.webhook.Charge
	at := firstTime(c.UpdatedAt, d.receivedAt)
	fact := factID(d.settings.Store, "charge_failed", c.ID)
	d.noteFailed(c.ID, at)
	d.fact(StatusGaveUp, at, fact)
	if !text {
		d.skip(reason.NotCustomerFixable)
		d.revoke(flow.FailedForGood, at, fact)
		return
	}
	d.happened(flow.FailedForGood, at, fact)
}

// retriesReached drafts the final failure, and requests a lookup of the charge's subscriptions: Recharge may cancel them
// without a webhook.
func (d *draft) retriesReached() {
	c := d.webhook.Charge
	requested := factID(d.settings.Store, "charge_max_retries", c.ID)
	d.chargeFailedForGood(d.customerCanFix(c.ID, c.ErrorType))
	if !d.settings.API || d.state.Emitted.has(requested) {
		return
	}
	r := recharge.LookupRequest{Kind: recharge.LookupCancellation, ChargeID: c.ID}
	for _, l := range c.LineItems {
		if l.SubscriptionID != "" {
			r.SubscriptionIDs = append(r.SubscriptionIDs, l.SubscriptionID)
		}
	}
	if len(r.SubscriptionIDs) == 0 {
		return
	}
	delay, _ := cancellationDelay(0)
	r.Due = d.receivedAt.Add(delay)
	d.state.Emitted.add(requested, d.receivedAt)
	d.requestLookup(r)
}

// ErrorKind is whether a customer can fix the error of a charge.
type ErrorKind string

// The kinds of errors.
const (
	CustomerFixable    ErrorKind = "customer_fixable"
	NotCustomerFixable ErrorKind = "not_customer_fixable"
	ErrorUnknown       ErrorKind = "unknown" // not a published error type, or one that only says how far the retries are
)

// errorKindOf returns the kind of an error type, "" for none.
func errorKindOf(errorType string) ErrorKind {
	if errorType == "" {
		return ""
	}
	switch kind, _ := recharge.ChargeErrorOf(errorType); {
	case !recharge.GivesReason(errorType):
		return ErrorUnknown
	case kind.Fixable:
		return CustomerFixable
	}
	return NotCustomerFixable
}

// ChargeFailures is what is known of the failed attempts of an unpaid charge.
type ChargeFailures struct {
	// At and ErrorType are those of the last attempt that failed for a published reason.
	At        time.Time `json:"at,omitzero"`
	ErrorType string    `json:"error_type,omitempty"`
	// Month is the month of the last receipt.
	Month string `json:"month"`
}

// maxFailures is for how many charges failures are stored. A customer has far fewer that are unpaid.
const maxFailures = 20

// noteAttempt stores why an attempt of a charge failed.
func (d *draft) noteAttempt(charge, errorType string, at time.Time) {
	if !recharge.GivesReason(errorType) || d.state.knowsPaid(d.settings.Store, charge) {
		return
	}
	d.noteFailures(charge, func(f *ChargeFailures) {
		if newer(at, errorType, f.At, f.ErrorType) {
			f.At, f.ErrorType = at, errorType
		}
	})
}

// noteFailures changes what is known of a charge's failures. Like emitted facts it expires.
func (d *draft) noteFailures(charge string, change func(*ChargeFailures)) {
	if d.state.gone() {
		return
	}
	all := maps.Clone(d.state.Customer.Failures)
	if all == nil {
		all = make(map[string]ChargeFailures)
	}
	f := all[charge]
	change(&f)
	f.Month = max(f.Month, month(d.receivedAt))
	all[charge] = f
	maps.DeleteFunc(all, func(_ string, f ChargeFailures) bool { return f.Month < OldestEmitted(d.receivedAt) })
	for len(all) > maxFailures {
		delete(all, oldestFailure(all))
	}
	d.state.Customer.Failures = all
}

func oldestFailure(all map[string]ChargeFailures) (oldest string) {
	for charge, f := range all {
		o := all[oldest]
		if oldest == "" || f.At.Before(o.At) || f.At.Equal(o.At) && charge < oldest {
			oldest = charge
		}
	}
	return oldest
}

// forgetFailures removes what is known of a paid charge's failures.
func (k *CustomerState) forgetFailures(charge string) {
	if _, noted := k.Failures[charge]; !noted {
		return
	}
	left := maps.Clone(k.Failures)
	delete(left, charge)
	k.Failures = left
}

// customerCanFix reports whether the customer can fix the error of a charge's last attempt. If that attempt names no error, the one
// of the previous failed attempt counts. If none is known it is true.
func (d *draft) customerCanFix(charge, errorType string) bool {
	if !recharge.GivesReason(errorType) {
		errorType = d.state.Customer.Failures[charge].ErrorType
	}
	kind, published := recharge.ChargeErrorOf(errorType)
	return kind.Fixable || !published
}
