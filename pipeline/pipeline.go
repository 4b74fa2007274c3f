package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/tracing"
)

// Metrics holds the metrics of the pipeline.
type Metrics interface {
	stage.Metrics
	Ingest(store string, took time.Duration)
	// Response observes the time to any answer of the gateway, accepted or refused.
	Response(status int, took time.Duration)
	// Paused sets whether a store is paused because its credentials are wrong and must be fixed.
	Paused(role, store string, paused bool)
	// Lookup counts a call to Recharge's API. LookupsPending sets the number of requests without a response.
	Lookup(store, kind, outcome string)
	LookupsPending(store string, requests int)
	// UnreadableField counts a field of a webhook that can't be read and was left out.
	UnreadableField(store, resource, field string)
}

// Runtime is what the roles of a process share.
type Runtime struct {
	Topics Topics
	// Produce appends records to Kafka and returns once every in-sync replica has them.
	Produce func(ctx context.Context, records ...kafka.Record) error
	Metrics Metrics
	Tracer  *tracing.Tracer // nil makes no spans
	Log     *zap.Logger
	Now     func() time.Time
}

// Store is what the roles need to know of one store.
type Store struct {
	Settings subscriber.Settings
	// Tracker is its Bloomreach project; nil without one.
	Tracker Tracker
	// CustomerIDName is the name in the Bloomreach project of the id that Settings.CustomerID selects.
	CustomerIDName string
	// Texts sends the store's texts; nil if the store sends none.
	Texts *Texts
}

// Options is what the stages are built from.
type Options struct {
	Stores []Store
	// Ledger is needed by RoleSMS only.
	Ledger ledger.Ledger
	// State and Raw are needed by RoleTransformer only.
	State *customerstate.Store
	Raw   customerstate.RawReader
}

// Stages builds what a process with the given roles runs: a stage for each consumer group, see roles.go. The gateway
// consumes no topic: see NewGateway.
func Stages(roles []Role, o Options, run Runtime) ([]*stage.Stage, error) {
	var stages []*stage.Stage
	for _, role := range roles {
		switch role {
		case RoleGateway:
		case RoleTransformer:
			transformer, err := o.transformer(run)
			if err != nil {
				return nil, fmt.Errorf("build %s: %w", role, err)
			}
			built := run.stage(role, "", o.names())
			built.Transactor = transformer
			stages = append(stages, built)
		case RoleTracking, RoleSMS:
			for _, s := range o.Stores {
				if handler, filter := o.sink(role, s, run); handler != nil {
					built := run.stage(role, s.Settings.Store, o.names())
					built.Handler, built.Filter = handler, filter
					stages = append(stages, built)
				}
			}
		default:
			return nil, fmt.Errorf("role %q is unknown", role)
		}
	}
	return stages, nil
}

// stage returns a role's stage without its handler; store is "" for a role that has one group for all stores.
func (run Runtime) stage(role Role, store string, stores []string) *stage.Stage {
	row := run.Topics.row(role)
	return &stage.Stage{
		Role: string(role), Group: run.Topics.Group(role, store), Membership: run.Topics.Membership(role), Topics: run.Topics.Reads(role), Sink: row.sink, Whole: row.whole,
		Redrive: run.Topics.Redrive(role), DeadLetters: run.Topics.DeadLetters(role), State: run.Topics.State(),
		Downstream: []string{run.Topics.Events(), run.Topics.Triggers()}, Stores: stores,
		Run: stage.Runtime{Produce: run.Produce, Metrics: run.Metrics, Tracer: run.Tracer, Log: run.Log, Now: run.Now},
	}
}

// sink returns the handler of a sink for a store and what selects its records, if anything does; nil if the store does not use
// it. A record that names no store belongs to no group: the handler of the first store that uses the sink rejects it.
func (o Options) sink(role Role, s Store, run Runtime) (stage.Handler, func(kafka.Record) bool) {
	switch {
	case role == RoleTracking && s.Tracker != nil:
		sink := NewTracking(s, run.Metrics)
		sink.unowned = o.isFirst(s, func(other Store) bool { return other.Tracker != nil })
		return sink.Handle, sink.Wants
	case role == RoleSMS && s.Texts != nil:
		sink := NewSMS(s.Settings.Store, *s.Texts, o.Ledger, run)
		sink.unowned = o.isFirst(s, func(other Store) bool { return other.Texts != nil })
		return sink.Handle, nil
	}
	return nil, nil
}

// isFirst reports whether a store is the first that uses a sink.
func (o Options) isFirst(s Store, uses func(Store) bool) bool {
	first := slices.IndexFunc(o.Stores, uses)
	return first >= 0 && o.Stores[first].Settings.Store == s.Settings.Store
}

// names returns the names of the stores.
func (o Options) names() (names []string) {
	for _, s := range o.Stores {
		names = append(names, s.Settings.Store)
	}
	return names
}

func (o Options) transformer(run Runtime) (*Transformer, error) {
	if o.State == nil || o.Raw == nil {
		return nil, errors.New("state or reader of raw records is missing")
	}
	settings := map[string]subscriber.Settings{}
	for _, s := range o.Stores {
		settings[s.Settings.Store] = s.Settings
	}
	return NewTransformer(run, settings, o.State, o.Raw)
}
