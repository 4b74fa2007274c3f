package flowstats

import (
	"cmp"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// Query says in plain values what is counted.
type Query struct {
	Since    time.Time // see Options
	FirstDay string
	Flow     flow.Key
	// Zone is the time zone of the days, "" for those of the stores.
	Zone string
	// RecoveredWithin and ReactivatedWithin are days from a text.
	RecoveredWithin, ReactivatedWithin int
}

// QueryError means that a field of a query is not valid.
type QueryError struct{ Field, Problem string }

// Error names the field.
func (e *QueryError) Error() string { return e.Field + " " + e.Problem }

// Options returns those of the query for stores, whose time zones are given by name; "" is UTC. The error is a QueryError.
func (q Query) Options(zones map[string]string) (Options, error) {
	o := Options{Since: q.Since, FirstDay: q.FirstDay, Flow: q.Flow, Zones: map[string]*time.Location{}, Within: DefaultWithin()}
	for store, own := range zones {
		zone, err := time.LoadLocation(cmp.Or(q.Zone, own, "UTC"))
		if err != nil || q.Zone == "Local" {
			return o, &QueryError{"time-zone", fmt.Sprintf("is %q, expected a zone such as America/New_York", q.Zone)}
		}
		o.Zones[store] = zone
	}
	for _, each := range []struct {
		field string
		days  int
		to    *time.Duration
	}{{"recovered-within", q.RecoveredWithin, &o.Recovery}, {"reactivated-within", q.ReactivatedWithin, &o.Reactivated}} {
		if each.days < 1 {
			return o, &QueryError{each.field, fmt.Sprintf("is %d, expected 1 day or more", each.days)}
		}
		*each.to = time.Duration(each.days) * day
	}
	return o, nil
}
