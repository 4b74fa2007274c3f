package subscriber

import (
	"maps"
	"time"
)

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
	if !givesReason(errorType) || d.state.Emitted.has(paidFact(d.settings.Store, charge)) {
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
	if !givesReason(errorType) {
		errorType = d.state.Customer.Failures[charge].ErrorType
	}
	kind, published := chargeErrorKind(errorType)
	return kind.fixable || !published
}

// givesReason reports whether an error type is a published one that says why a charge failed, not only how far its retries are.
func givesReason(errorType string) bool {
	_, published := chargeErrorKind(errorType)
	return published && errorType != "CLOSED_MAX_RETRIES_REACHED" && errorType != "CARD_UPDATED_NOW_PENDING_NEXT_ATTEMPT"
}
