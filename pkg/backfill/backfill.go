package backfill

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Backfill publishes what has changed at Recharge since a time: what the lost webhooks would have brought.
type Backfill struct {
	Config

	// Since and Until are the times of the last changes. A zero Until is now. Period is how they were given, such as "3d": a run that is
	// continued keeps the times of its beginning.
	Since, Until time.Time
	Period       string
	// Resources are among [Resources].
	Resources []string
	// Events also publishes the facts since Since that have a time of their own. Without it only tables and properties change.
	Events bool
}

// Resources are the resources of a backfill, in order: a customer comes before what names them.
func Resources() []string { return []string{"customers", "subscriptions", "charges"} }

// Run runs the backfill, or continues it where it was interrupted. It returns the progress, also with an error. After an error it can be run
// again: what is published twice has no effect.
func (b Backfill) Run(ctx context.Context) (Progress, error) {
	resources := slices.DeleteFunc(Resources(), func(name string) bool { return !slices.Contains(b.Resources, name) })
	r, err := newRun(b.Config, fmt.Sprintf("backfill of store %s: %s of %s, events %t", b.Store, strings.Join(resources, ", "), b.Period, b.Events))
	if err != nil {
		return Progress{}, err
	}
	if r.Since.IsZero() {
		r.Since, r.Until = b.Since.UTC(), b.Until.UTC()
		err = r.Dir.save(r.Progress, nil) // so that a run that fails at once is continued with these times
	}
	if b.Events {
		r.factsSince = r.Since
	}
	for err == nil && r.Phase != PhaseDone {
		at := max(0, slices.Index(resources, string(r.Phase)))
		next := PhaseDone
		if at+1 < len(resources) {
			next = Phase(resources[at+1])
		}
		filters := url.Values{"updated_at_min": {r.Since.Format(time.RFC3339)}}
		err = r.pages(ctx, resources[at], filters, next, func(ctx context.Context, items []json.RawMessage) (map[string][]byte, error) {
			return nil, r.publishChanged(ctx, resources[at], items, r.Until)
		})
	}
	return r.Progress, err
}

// publishChanged publishes a page of resources, without those that changed later.
func (r *run) publishChanged(ctx context.Context, resource string, items []json.RawMessage, until time.Time) error {
	kind := resource[:len(resource)-1]
	var records []kafka.Record
	for _, item := range items {
		w, body, err := r.decode(kind, item, r.Now())
		if err != nil || w.CustomerID() == "" {
			r.Unreadable++
			continue
		}
		if !until.IsZero() && changedAt(w).After(until) {
			continue
		}
		records = append(records, r.resource(w.CustomerID(), recharge.Topic(kind+"/updated"), body))
		*r.counter(resource)++
		r.Lost.count(w)
	}
	return r.Produce(ctx, records...)
}

func (r *run) counter(resource string) *int {
	switch resource {
	case "customers":
		return &r.Customers
	case "subscriptions":
		return &r.Subscriptions
	}
	return &r.Charges
}

func changedAt(w recharge.Webhook) time.Time {
	switch {
	case w.Subscription != nil:
		return w.Subscription.UpdatedAt
	case w.Charge != nil:
		return w.Charge.UpdatedAt
	case w.Customer != nil:
		return w.Customer.UpdatedAt
	}
	return time.Time{}
}
