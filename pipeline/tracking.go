package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/command"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// Tracker is a store's Bloomreach project.
type Tracker interface {
	Batch(ctx context.Context, commands []bloomreach.Command) ([]bloomreach.Result, error)
}

// Tracking sends the events of one store to its Bloomreach project.
//
//	in         recharge.events, and recharge.facts if the store tracks extras; this
//	           store's records only
//	out        POST {base}/track/v2/projects/{token}/batch
//	guarantee  at least once; a repetition is identical in everything that
//	           Bloomreach deduplicates by
//	on failure one event refused, by Bloomreach or by a firewall in front of it: dead
//	           letter, and the customer's later events go on, since timestamps decide;
//	           unreachable, busy, wrong credentials: the store's group waits
type Tracking struct {
	store   Store
	facts   string // the topic recharge.facts
	unowned bool   // rejects the records that name no store
	metrics Metrics
	events  subscriber.EventDecoder
}

// NewTracking is the sink of one store.
func NewTracking(store Store, topics topology.Topics, metrics Metrics) *Tracking {
	return &Tracking{store: store, facts: topics.Facts(), metrics: metrics, events: subscriber.NewEventDecoder(store.Settings.Portal)}
}

// Handle sends as many records as fit into one request; the others follow in the next batch.
func (t *Tracking) Handle(ctx context.Context, records []kafka.Record) ([]stage.Result, error) {
	batch := t.collect(records)
	err := t.send(ctx, batch)
	return batch.results, err
}

// Wants reports whether a record is for this sink: it is of the store, or it names none and this sink rejects those. Facts are for a sink
// whose store tracks some.
func (t *Tracking) Wants(r kafka.Record) bool {
	store, err := envelope.Store(r)
	if r.Topic == t.facts && len(t.store.Settings.Extras) == 0 {
		return err != nil && t.unowned
	}
	return err == nil && store == t.store.Settings.Store || err != nil && t.unowned
}

// trackingBatch holds the first records of a batch, up to a full request.
type trackingBatch struct {
	results  []stage.Result
	commands []bloomreach.Command
	at       []int // commands[i] belongs to results[at[i]]
}

// collect builds the commands of a request, and the results of records that need no command. It stops before an event that is
// already in the request because it was redriven twice.
func (t *Tracking) collect(records []kafka.Record) *trackingBatch {
	b := &trackingBatch{}
	for i, r := range records {
		if len(b.commands) == bloomreach.MaxCommands {
			break
		}
		if !t.Wants(r) {
			b.results = append(b.results, stage.Result{Outcome: stage.PassOver()})
			continue
		}
		c, err := t.command(r)
		switch {
		case errors.Is(err, errNotTracked):
			b.results = append(b.results, stage.Result{Outcome: stage.PassOver()})
			continue
		case err != nil:
			b.results = append(b.results, stage.Rejected(reason.Malformed, err))
			continue
		}
		if slices.ContainsFunc(b.commands, func(other bloomreach.Command) bool { return other.ID == c.ID }) {
			break
		}
		b.results = append(b.results, stage.Result{})
		b.commands, b.at = append(b.commands, c), append(b.at, i)
	}
	return b
}

// errNotTracked means that a store does not track facts of a status.
var errNotTracked = errors.New("fact is not tracked")

// command decodes an event or a fact. The offset makes the command id unique, because a request may contain two records of the same fact.
func (t *Tracking) command(r kafka.Record) (bloomreach.Command, error) {
	if _, err := envelope.Store(r); err != nil {
		return bloomreach.Command{}, err
	}
	e, err := t.events.Decode(r.Value)
	if err != nil {
		return bloomreach.Command{}, err
	}
	ids, err := t.store.CustomerIDs(e)
	if r.Topic == t.facts && (err != nil || !t.store.Settings.Tracks(e.Status)) { // without id, it was not tracked when it was published
		return bloomreach.Command{}, errNotTracked
	}
	if err != nil {
		return bloomreach.Command{}, err
	}
	return command.Of(e.ID+":"+strconv.FormatInt(r.Offset, 10), ids, e)
}

// CustomerIDs returns the ids of an event's customer by their names in the Bloomreach project. An event for a former profile has the first
// alone: the second is that of the profile that the customer has now.
func (s Store) CustomerIDs(e subscriber.Event) (map[string]string, error) {
	id := s.Settings.DestinationID(e.RechargeCustomerID, e.Email)
	if id == "" {
		return nil, fmt.Errorf("event has no %s, which is the customer_id of the store", s.Settings.CustomerID)
	}
	ids := map[string]string{s.CustomerIDName: id}
	if second := s.Settings.SecondID(e.RechargeCustomerID, e.Email); s.SecondIDName != "" && second != "" && !e.Former {
		ids[s.SecondIDName] = second
	}
	return ids, nil
}

func (t *Tracking) send(ctx context.Context, b *trackingBatch) error {
	if len(b.commands) == 0 {
		return nil
	}
	answers, err := t.store.Tracker.Batch(ctx, b.commands)
	for i, answer := range answers {
		switch answer.Outcome {
		case bloomreach.Accepted:
			b.results[b.at[i]].Outcome = stage.Done()
		case bloomreach.Rejected:
			b.results[b.at[i]].Outcome = stage.Reject(reason.Refused, errors.New("bloomreach: "+strings.Join(answer.Errors, "; ")))
		}
	}
	var failure *bloomreach.Error
	if !errors.As(err, &failure) {
		failure = &bloomreach.Error{}
	}
	t.metrics.Paused(string(topology.RoleTracking), t.store.Settings.Store, failure.Class == bloomreach.ClassConfig)
	return kafka.RetryAfter(err, failure.RetryAfter)
}
