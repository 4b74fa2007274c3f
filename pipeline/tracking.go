package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Tracker is a store's Bloomreach project.
type Tracker interface {
	Batch(ctx context.Context, commands []bloomreach.Command) ([]bloomreach.Result, error)
}

// Tracking tells one store's Bloomreach project about its events.
//
//	in         recharge.events, this store's records only
//	out        POST {base}/track/v2/projects/{token}/batch
//	guarantee  at least once; a repetition is identical in all that
//	           Bloomreach's deduplication looks at
//	on failure refused by name: dead letter; unreachable, busy, wrong
//	           credentials: the store's group waits, nothing is dropped
type Tracking struct {
	store   string
	tracker Tracker
	metrics Metrics
}

// NewTracking is the sink of one store.
func NewTracking(store string, tracker Tracker, metrics Metrics) *Tracking {
	return &Tracking{store: store, tracker: tracker, metrics: metrics}
}

// Handle sends what one request holds; the records after that come again at once.
func (t *Tracking) Handle(ctx context.Context, records []kafka.Record) ([]Result, error) {
	batch := t.collect(records)
	err := t.send(ctx, batch)
	return batch.results, err
}

// trackingBatch is the leading records that fit into one request.
type trackingBatch struct {
	results  []Result
	commands []bloomreach.Command
	at       []int // commands[i] is of the record at[i]
}

// collect decides at once on what needs no request. An event that was sent once more
// may come twice in a row: one request holds it once.
func (t *Tracking) collect(records []kafka.Record) *trackingBatch {
	b := &trackingBatch{}
	for i, r := range records {
		if len(b.commands) == bloomreach.MaxCommands {
			break
		}
		if r.Header(HeaderStore) != t.store {
			b.results = append(b.results, Result{Fate: passOver()})
			continue
		}
		c, err := commandOf(r)
		if err != nil {
			b.results = append(b.results, rejected(ReasonMalformed, err))
			continue
		}
		if slices.ContainsFunc(b.commands, func(other bloomreach.Command) bool { return other.ID == c.ID }) {
			break
		}
		b.results = append(b.results, Result{})
		b.commands, b.at = append(b.commands, c), append(b.at, i)
	}
	return b
}

// commandOf gives the command an id of its own: a fact that was told twice may
// stand in one batch twice.
func commandOf(r kafka.Record) (bloomreach.Command, error) {
	var e subscriber.Event
	if err := json.Unmarshal(r.Value, &e); err != nil {
		return bloomreach.Command{}, fmt.Errorf("decode event: %w", err)
	}
	if err := complete(e); err != nil {
		return bloomreach.Command{}, err
	}
	return command(e.ID+":"+strconv.FormatInt(r.Offset, 10), e)
}

// complete checks what the mapping takes for granted.
func complete(e subscriber.Event) error {
	switch e.Type {
	case subscriber.EventSubscription:
		return present(e.Subscription, e)
	case subscriber.EventCharge:
		return present(e.Charge, e)
	case subscriber.EventCustomerChange:
		return present(e.Customer, e)
	case subscriber.EventProperty:
		return present(e.Property, e)
	}
	return nil
}

func present[T any](part *T, e subscriber.Event) error {
	if part == nil {
		return fmt.Errorf("a %s event lacks its object", e.Type)
	}
	return nil
}

func (t *Tracking) send(ctx context.Context, b *trackingBatch) error {
	if len(b.commands) == 0 {
		return nil
	}
	answers, err := t.tracker.Batch(ctx, b.commands)
	for i, answer := range answers {
		switch answer.Outcome {
		case bloomreach.Accepted:
			b.results[b.at[i]].Fate = Done()
		case bloomreach.Rejected:
			b.results[b.at[i]].Fate = Reject(ReasonRefused, errors.New("bloomreach: "+strings.Join(answer.Errors, "; ")))
		}
	}
	var failure *bloomreach.Error
	if !errors.As(err, &failure) {
		failure = &bloomreach.Error{}
	}
	t.metrics.Paused(string(RoleTracking), t.store, failure.Class == bloomreach.ClassConfig)
	return kafka.Pause(err, failure.RetryAfter)
}
