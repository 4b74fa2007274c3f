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
	"github.com/rechargeflow/rechargeflow/pkg/sender"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/texts"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/pkg/tracing"
)

// Metrics holds the metrics of the pipeline.
type Metrics interface {
	stage.Metrics
	Ingest(store string, took time.Duration)
	// Response observes the time to any answer of the gateway, accepted or refused.
	Response(status int, took time.Duration)
	// UnknownTopic counts an accepted webhook of a topic that Recharge does not have, by the topic that it resembles most, "" for none.
	UnknownTopic(store, nearest string)
	// Paused sets whether a store is paused because its credentials are wrong and must be fixed.
	Paused(role, store string, paused bool)
	// Lookup counts a call to Recharge's API. LookupsPending sets the number of requests without a response.
	Lookup(store, kind, outcome string)
	LookupsPending(store string, requests int)
	// Text counts a change of a text message.
	Text(store, flow, status, reason string)
	// UnreadableField counts a field of a webhook that can't be read and was left out.
	UnreadableField(store, resource, field string)
}

// Runtime is what the roles of a process share.
type Runtime struct {
	Topics topology.Topics
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
	// SecondIDName is the name of the other id; "" if it is not sent.
	SecondIDName string
	// Texts sends the store's texts; nil if the store sends none.
	Texts *texts.Store
}

// Options is what the stages are built from.
type Options struct {
	Stores []Store
	// TextState and Sender are needed by topology.RoleSMS only.
	TextState TextState
	Sender    *sender.Sender
	// State and Raw are needed by topology.RoleTransformer only.
	State *customerstate.Store
	Raw   customerstate.RawReader
}

// Stages builds what a process with the given roles runs: a stage for each consumer group, see package topology. The gateway
// consumes no topic: see NewGateway.
func Stages(roles []topology.Role, o Options, run Runtime) ([]*stage.Stage, error) {
	var stages []*stage.Stage
	for _, role := range roles {
		if !slices.Contains(topology.Roles(), role) {
			return nil, fmt.Errorf("role %q is unknown", role)
		}
		built, err := o.stages(role, run)
		if err != nil {
			return nil, fmt.Errorf("build %s: %w", role, err)
		}
		stages = append(stages, built...)
	}
	return stages, nil
}

// stages returns the stages of a role.
func (o Options) stages(role topology.Role, run Runtime) (stages []*stage.Stage, err error) {
	switch role {
	case topology.RoleTransformer:
		built := run.stage(role, "", o.names())
		built.Transactor, err = o.transformer(run)
		built.PunctuateEvery = customerstate.ExpireEvery
		return []*stage.Stage{built}, err
	case topology.RoleTracking:
		for _, s := range o.Stores {
			if s.Tracker != nil {
				stages = append(stages, o.tracking(s, run))
			}
		}
	case topology.RoleSMS:
		return o.sms(run)
	}
	return stages, nil
}

// stage returns a role's stage without its handler; store is "" for a role that has one group for all stores.
func (run Runtime) stage(role topology.Role, store string, stores []string) *stage.Stage {
	return &stage.Stage{
		Role: string(role), Group: run.Topics.Group(role, store), Membership: run.Topics.Membership(role), Topics: run.Topics.Reads(role), Sink: run.Topics.Ends(role),
		Redrive: run.Topics.Redrive(role), DeadLetters: run.Topics.DeadLetters(role), State: run.Topics.Changelog(role),
		Downstream: []string{run.Topics.Events(), run.Topics.Triggers()}, Stores: stores,
		Run: stage.Runtime{Produce: run.Produce, Metrics: run.Metrics, Tracer: run.Tracer, Log: run.Log, Now: run.Now},
	}
}

// tracking returns the stage of a store's tracking sink. A record that names no store belongs to no group: the first store's handler
// rejects it.
func (o Options) tracking(s Store, run Runtime) *stage.Stage {
	sink := NewTracking(s, run.Topics, run.Metrics)
	first := slices.IndexFunc(o.Stores, func(other Store) bool { return other.Tracker != nil })
	sink.unowned = o.Stores[first].Settings.Store == s.Settings.Store
	built := run.stage(topology.RoleTracking, s.Settings.Store, o.names())
	built.Handler, built.Filter = sink.Handle, sink.Wants
	return built
}

// sms returns the stage of the sms role; none if no store sends texts.
func (o Options) sms(run Runtime) ([]*stage.Stage, error) {
	switch {
	case !slices.ContainsFunc(o.Stores, func(s Store) bool { return s.Texts != nil }):
		return nil, nil
	case o.TextState == nil || o.Sender == nil:
		return nil, errors.New("state or sender of texts is missing")
	}
	stores := texts.Stores{}
	for _, s := range o.Stores {
		stores[s.Settings.Store] = s.Texts
	}
	built := run.stage(topology.RoleSMS, "", o.names())
	built.Transactor, built.PunctuateEvery = NewSMS(run, stores, o.TextState, o.Sender), claimEvery
	return []*stage.Stage{built}, nil
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
