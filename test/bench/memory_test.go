//go:build bench

package bench

import (
	"context"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/state"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/sweep"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// transformer is the stage as users run it, with its state in a folder that is empty at first.
func transformer(t *testing.T, cluster kafka.Cluster, run pipeline.Runtime) *pipeline.Stage {
	t.Helper()
	store, err := state.Open(state.Config{Dir: t.TempDir(), Topic: run.Topics.State(), Cluster: cluster})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	raw, err := kafka.NewTopicReader(cluster, run.Topics.Webhooks())
	require.NoError(t, err)
	t.Cleanup(raw.Close)
	stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, pipeline.Options{
		Stores: []pipeline.Store{{
			Settings: subscriber.Settings{Store: lab.Store, CustomerID: subscriber.ByEmail, CustomerIDName: "registered", ActiveProperty: true},
		}},
		State: partitionsOf{store}, Raw: rawReader{raw}, Asker: nobody{t},
	}, run)
	require.NoError(t, err)
	return stages[0]
}

// transactions are a stage's, as its process runs them.
func transactions(stage *pipeline.Stage) kafka.Transactions {
	return kafka.Transactions{
		Transform: stage.Transform, TakeOver: stage.Transactor.TakeOver, Release: stage.Transactor.Release,
		Sweep: stage.Sweep, SweepEvery: sweep.Every,
	}
}

// partitionsOf is a state.Store as the transformer uses it.
type partitionsOf struct{ *state.Store }

func (p partitionsOf) TakeOver(ctx context.Context, partition int) error {
	return p.Partition(partition).TakeOver(ctx)
}

func (p partitionsOf) Begin(partition int) pipeline.Overlay { return p.Partition(partition).Begin() }

func (p partitionsOf) Release(partition int) { p.Partition(partition).Release() }

// rawReader reads what was put aside.
type rawReader struct{ *kafka.TopicReader }

func (r rawReader) Read(ctx context.Context, partition int, offsets ...int64) iter.Seq2[kafka.Record, error] {
	return r.Records(ctx, partition, offsets...)
}

// nobody answers questions: every webhook brings its customer along.
type nobody struct{ t *testing.T }

func (n nobody) Want(_ int, wanted ...pipeline.Wanted) {
	if len(wanted) > 0 {
		n.t.Errorf("the API was to be asked: %v", wanted)
	}
}

func (nobody) Forget(int) {}
