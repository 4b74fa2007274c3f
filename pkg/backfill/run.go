package backfill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// maxAgain limits how often the lists of a run begin again.
const maxAgain = 5

// run is an import or a backfill that runs.
type run struct {
	Config
	Progress
	source

	factsSince time.Time // zero: no facts
}

// ErrOtherRun means that the directory has the progress of another run.
var ErrOtherRun = errors.New("the directory has the progress of another run")

func newRun(c Config, name string) (*run, error) {
	decoder, err := recharge.NewDecoder()
	if err != nil {
		return nil, err
	}
	p, err := c.Dir.Progress()
	switch {
	case err != nil:
		return nil, err
	case p.Run == "", p.Run != name && p.Calls == 0: // another one has read nothing yet
		p = Progress{Run: name, StartedAt: c.Now().UTC()}
	case p.Run != name:
		return nil, fmt.Errorf("%w: %s, begun at %s", ErrOtherRun, p.Run, p.StartedAt.Format(time.RFC3339))
	}
	return &run{Config: c, Progress: p, source: source{api: c.API, sleep: c.Sleep, failed: c.Failed, decoder: decoder}}, nil
}

// pages reads a list from the saved cursor on. What handle returns for a page is saved with the progress after it. next is the phase after the
// last page.
func (r *run) pages(ctx context.Context, resource string, filters url.Values, next Phase, handle func(context.Context, []json.RawMessage) (map[string][]byte, error)) error {
	if r.Cursor == "" {
		r.Listed = r.Counts
	}
	page, err := r.list(ctx, resource, filters, r.Cursor)
	var refused *recharge.InvalidError
	switch {
	case errors.As(err, &refused) && r.Cursor != "": // the list begins again
		r.Cursor, r.Counts, r.Again = "", r.Listed, r.Again+1
		if r.Again <= maxAgain {
			return nil
		}
		r.Again = 0 // for the next run
		return errors.Join(err, r.Dir.save(r.Progress, nil))
	case err != nil:
		return err
	}
	r.Calls++
	rows, err := handle(ctx, page.Items)
	if err != nil {
		return err
	}
	if r.Cursor = page.Next; r.Cursor == "" {
		r.Phase = next
	}
	r.Report(r.Progress)
	return r.Dir.save(r.Progress, rows)
}

func (r *run) resource(customer string, topic recharge.Topic, body []byte) kafka.Record {
	return ResourceRecord(r.Topic, Resource{
		Store: r.Store, CustomerID: customer, Topic: topic, Body: body, ReadAt: r.Now(), FactsSince: r.factsSince,
	})
}
