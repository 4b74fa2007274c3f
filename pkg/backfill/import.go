package backfill

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/url"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Window is how far before and after its start an import has charges.
const Window = 60 * 24 * time.Hour

// Config is what imports and backfills need.
type Config struct {
	Store   string
	Topic   string // the name of recharge.webhooks
	API     API
	Produce func(context.Context, ...kafka.Record) error
	Dir     *Directory
	Now     func() time.Time
	// Sleep waits between failed calls.
	Sleep func(context.Context, time.Duration) error
	// Report is called after each page. Failed is called after a call that is repeated after a wait.
	Report func(Progress)
	Failed func(error, time.Duration)
}

// Import publishes all customers and subscriptions of a store, and the charges of 60 days before and after now. Nothing of it is tracked but
// customer properties, and nothing is texted.
type Import struct {
	Config

	// Events also publishes the facts of the last 60 days that have a time of their own.
	Events bool
	// Known yields the ids of the customers in recharge.customers. An import that reconciles removes those that Recharge does not know
	// any more; nil: it does not.
	Known func(context.Context) iter.Seq2[string, error]
	// Open yields the charges in recharge.charges that are not paid. An import that reconciles removes those of its 60 days that Recharge has
	// deleted.
	Open func(context.Context) iter.Seq2[OpenCharge, error]
	// AnyVanished allows that most known customers have vanished.
	AnyVanished bool
}

// OpenCharge is a charge that is known and not paid.
type OpenCharge struct {
	ID            string        `json:"id"`
	ScheduledDate recharge.Date `json:"scheduled_date"`
}

// ErrVanished means that so many customers have vanished that the token may be that of another shop. Nothing was removed.
var ErrVanished = errors.New("many customers have vanished from Recharge")

// Run runs the import, or continues it where it was interrupted. It returns the progress, also with an error. After an error it can be
// run again: what is published twice has no effect.
func (i Import) Run(ctx context.Context) (Progress, error) {
	r, err := newRun(i.Config, i.name())
	if err != nil {
		return Progress{}, err
	}
	if i.Events {
		r.factsSince = r.StartedAt.Add(-Window)
	}
	for r.Phase != PhaseDone && err == nil {
		err = i.phase(ctx, r)
	}
	return r.Progress, err
}

// phase runs a phase, or a page of it.
func (i Import) phase(ctx context.Context, r *run) error {
	since := r.StartedAt.Add(-Window)
	switch r.Phase {
	case PhaseCustomers:
		return r.pages(ctx, "customers", nil, PhaseUnlisted, r.publishCustomers)
	case PhaseUnlisted:
		return r.publishUnlisted(ctx, PhaseCharges)
	case PhaseCharges:
		return r.pages(ctx, "charges", url.Values{"scheduled_at_min": {since.Format(time.DateOnly)}}, PhaseProcessed, r.publishCharges)
	case PhaseProcessed:
		after := PhaseDone
		if i.Known != nil {
			after = PhaseVanished
		}
		return r.pages(ctx, "charges", url.Values{"processed_at_min": {since.Format(time.RFC3339)}}, after, r.publishCharges)
	case PhaseVanished:
		after := PhaseDone
		if i.Open != nil {
			after = PhaseDeleted
		}
		return r.publishVanished(ctx, after, i.Known(ctx), i.AnyVanished)
	case PhaseDeleted:
		return r.publishDeleted(ctx, i.Open(ctx), since)
	}
	return r.pages(ctx, "subscriptions", nil, PhaseCustomers, r.keepSubscriptions)
}

func (i Import) name() string {
	name := "import of store " + i.Store
	if i.Events {
		name += " with events"
	}
	if i.Known != nil {
		name += " with removal of what has vanished"
	}
	return name
}

// publishCharges publishes a page of charges, without those that are scheduled for later than the import has.
func (r *run) publishCharges(ctx context.Context, items []json.RawMessage) (map[string][]byte, error) {
	var records []kafka.Record
	rows := make(map[string][]byte, len(items))
	for _, item := range items {
		w, body, err := r.decode("charge", item, r.Now())
		if err != nil || w.CustomerID() == "" {
			r.Unreadable++
			continue
		}
		rows[chargePrefix+w.Charge.ID] = []byte{}
		if w.Charge.ScheduledDate.Start().After(r.StartedAt.Add(Window)) {
			continue
		}
		records = append(records, r.resource(w.CustomerID(), "charge/updated", body))
		r.Charges++
	}
	return rows, r.Produce(ctx, records...)
}
