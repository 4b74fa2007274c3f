package app

import (
	"context"
	"fmt"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/lookup"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/state"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// addTransformer adds the transformer's state, API clients, lookup queue and checks of registrations.
func (a *App) addTransformer(p *part, cfg config.Config, options *pipeline.Options) error {
	clients := map[string]lookup.Client{}
	for i, store := range cfg.Stores {
		token := store.Recharge.Token.Reveal()
		if token == "" {
			continue
		}
		client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: store.Recharge.APIURL, Token: token, Observe: a.observe("recharge", store.Name)})
		if err != nil {
			return buildError(store, err)
		}
		clients[store.Name], options.Stores[i].Settings.API = traced{client}, true
		a.watchRegistrations(p, store, client)
	}
	store, err := a.stateOf(p.role, a.runtime.Topics.State(), cfg.Transformer.StateDir, cfg.Transformer.StateCache)
	if err != nil {
		return fmt.Errorf("transformer.state_dir: %w", err)
	}
	raw, err := kafka.NewTopicReader(a.cluster, a.runtime.Topics.Webhooks())
	if err != nil {
		return err
	}
	p.onClose(func(context.Context) error {
		raw.Close()
		return nil
	})
	lookups := pipeline.NewLookups(a.runtime, clients)
	p.task(lookups.Run)
	p.check("lookups", false, lookups.Trouble)
	p.onStart(func() { a.metrics.ParkedCustomers(lookups.Customers) })
	options.Raw, options.State = raw, customerstate.New(customerstate.Config{
		Partitions: customerstate.Local{Store: store}, Lookups: lookups, Metrics: a.metrics, Log: a.log,
	})
	return nil
}

// stateOf returns a role's local state store. It is opened once and stays open, whatever is started anew.
func (a *App) stateOf(role topology.Role, topic, dir string, cache config.Size) (*state.Store, error) {
	if store, open := a.states[role]; open {
		return store, nil
	}
	metrics := a.metrics.State(string(role))
	store, err := state.Open(state.Config{
		Dir: dir, Topic: topic, Cluster: a.cluster, CacheBytes: int64(cache), Log: a.log, Metrics: metrics, FaultPoint: a.faultPoint,
	})
	if err != nil {
		return nil, err
	}
	a.states[role] = store
	a.onClose("close state of "+string(role), store.Close)
	a.health.Register("state disk of "+string(role), false, store.Full)
	metrics.Disk(func() telemetry.StateDisk {
		d := store.Disk()
		return telemetry.StateDisk{State: d.Copy, Free: d.Free, Total: d.Total}
	})
	return store, nil
}
