//go:build bench

package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate/customerstatetest"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/state"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// newRuntime is what the stages under test share.
func newRuntime(prefix string, producer *kafka.Producer) pipeline.Runtime {
	return pipeline.Runtime{
		Topics: topology.Topics{Prefix: prefix}, Produce: producer.Produce,
		Metrics: telemetry.NewMetrics(), Log: zap.NewNop(), Now: time.Now,
	}
}

// transformer is the stage as users run it, with its state in an empty directory.
func transformer(t *testing.T, cluster kafka.Cluster, run pipeline.Runtime) *stage.Stage {
	t.Helper()
	store, err := state.Open(state.Config{Dir: t.TempDir(), Topic: run.Topics.State(), Cluster: cluster})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	raw, err := kafka.NewTopicReader(cluster, run.Topics.Webhooks())
	require.NoError(t, err)
	t.Cleanup(raw.Close)
	stages, err := pipeline.Stages([]topology.Role{topology.RoleTransformer}, pipeline.Options{
		Stores: []pipeline.Store{{
			Settings: transformedStore(),
		}},
		Raw: raw, State: customerstate.New(customerstate.Config{
			Partitions: customerstate.Local{Store: store}, Lookups: noLookups{t}, Metrics: customerstatetest.NoLookups{}, Log: zap.NewNop(),
		}),
	}, run)
	require.NoError(t, err)
	return stages[0]
}

func transformedStore() subscriber.Settings {
	return subscriber.Settings{Store: lab.Store, CustomerID: subscriber.ByEmail, ActiveProperty: true}
}

// transactions are a stage's, as its process runs them.
func transactions(stage *stage.Stage) kafka.Transactions {
	return kafka.Transactions{
		Transform: stage.Transform, TakeOver: stage.Transactor.TakeOver, Release: stage.Transactor.Release,
		Punctuate: stage.Punctuate, PunctuateEvery: customerstate.ExpireEvery,
	}
}

// noLookups fails on a lookup request: every webhook includes its customer.
type noLookups struct{ t *testing.T }

func (n noLookups) Add(_ int, requests ...recharge.LookupRequest) {
	if len(requests) > 0 {
		n.t.Errorf("unexpected lookup requests: %v", requests)
	}
}

func (noLookups) Remove(int) {}
