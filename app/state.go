package app

import (
	"fmt"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/state"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// openState opens the transformer's state, the reader of raw records and the lookup queue.
func (a *App) openState(cluster kafka.Cluster, runtime pipeline.Runtime, options *pipeline.Options) error {
	if !a.has(topology.RoleTransformer) {
		return nil
	}
	store, err := a.openStore(cluster, topology.RoleTransformer, runtime.Topics.State(), a.cfg.Transformer.StateDir, a.cfg.Transformer.StateCache)
	if err != nil {
		return fmt.Errorf("transformer.state_dir: %w", err)
	}
	raw, err := kafka.NewTopicReader(cluster, runtime.Topics.Webhooks())
	if err != nil {
		return err
	}
	a.onClose("close reader of raw records", func() error {
		raw.Close()
		return nil
	})
	a.lookups = pipeline.NewLookups(runtime, a.apiClients)
	a.health.Register("lookups", false, a.lookups.Trouble)
	a.metrics.ParkedCustomers(a.lookups.Customers)
	options.Raw, options.State = raw, customerstate.New(customerstate.Config{
		Partitions: customerstate.Local{Store: store}, Lookups: a.lookups, Metrics: runtime.Metrics, Log: a.log,
	})
	return nil
}

// openStore opens a role's local state store.
func (a *App) openStore(cluster kafka.Cluster, role topology.Role, topic, dir string, cache config.Size) (*state.Store, error) {
	metrics := a.metrics.State(string(role))
	store, err := state.Open(state.Config{
		Dir: dir, Topic: topic, Cluster: cluster, CacheBytes: int64(cache), Log: a.log, Metrics: metrics, FaultPoint: a.faultPoint,
	})
	if err != nil {
		return nil, err
	}
	a.onClose("close state of "+string(role), store.Close)
	a.health.Register("state disk of "+string(role), false, store.Full)
	metrics.Disk(func() telemetry.StateDisk {
		d := store.Disk()
		return telemetry.StateDisk{State: d.Copy, Free: d.Free, Total: d.Total}
	})
	return store, nil
}
