package pipeline

import (
	"context"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/lookup"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// NewLookups returns the queue of lookup requests to Recharge's API. Each response is published like a webhook: to the raw
// topic, in its customer's order.
//
//	in         lookup requests of the transformer's state, API clients by store
//	out        recharge.webhooks, source lookup; the value is a recharge.Lookup
//	guarantee  a request stays in the state until its answer is handled; a process that
//	           takes a partition over queues its requests again
//	on failure calls are retried with backoff, without limit: only parked records wait
func NewLookups(run Runtime, clients map[string]lookup.Client) *lookup.Queue {
	return lookup.New(lookup.Config{
		Clients: clients, Role: string(topology.RoleTransformer), Now: run.Now, Log: run.Log, Metrics: run.Metrics,
		Publish: func(ctx context.Context, l recharge.Lookup) error {
			record, err := lookup.Record(run.Topics.Webhooks(), l)
			if err != nil {
				return err
			}
			return run.Produce(ctx, record)
		},
	})
}

// undecodable rejects a record whose value can't be decoded. If it is an API response, the lookups that it may belong to are
// requested again.
func (t *transform) undecodable(ctx context.Context, in *input, cause error) (stage.Result, error) {
	result := stage.Rejected(reason.Malformed, cause)
	var ours bool
	in.ref.CustomerID, ours = strings.CutPrefix(string(in.raw.Key), in.settings.Store+"/")
	if !ours || in.raw.Header(envelope.HeaderSource) != envelope.SourceLookup {
		return result, nil
	}
	unknown, err := t.BadAnswer(in.ref, in.raw.Value, in.at)
	if err != nil || !unknown {
		return result, err
	}
	state, err := t.Load(in.ref)
	if err != nil {
		return stage.Result{}, err
	}
	result.Replayed, err = t.replay(ctx, in.settings, in.ref, state.LookedUp(), reason.CustomerUnreadable)
	return result, err
}
