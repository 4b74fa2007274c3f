package app

import (
	"fmt"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/state"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// openState opens the transformer's state, the reader of raw records and the lookup queue.
func (a *App) openState(cluster kafka.Cluster, runtime pipeline.Runtime, options *pipeline.Options) error {
	if !a.has(pipeline.RoleTransformer) {
		return nil
	}
	store, err := state.Open(state.Config{
		Dir: a.cfg.Transformer.StateDir, Topic: runtime.Topics.State(), Cluster: cluster,
		CacheBytes: int64(a.cfg.Transformer.StateCache), Log: a.log, Metrics: a.metrics, FaultPoint: a.faultPoint,
	})
	if err != nil {
		return fmt.Errorf("transformer.state_dir: %w", err)
	}
	a.onClose("close state", store.Close)
	a.health.Register("state disk", false, store.Full)
	a.metrics.StateDisk(func() telemetry.StateDisk {
		d := store.Disk()
		return telemetry.StateDisk{State: d.Copy, Free: d.Free, Total: d.Total}
	})
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
