package main

import (
	"context"
	"fmt"
	"iter"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/lookup"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/state"
)

// remember gives the transformer its state, and somebody who asks Recharge's API.
func (p *process) remember(cluster kafka.Cluster, runtime pipeline.Runtime, options *pipeline.Options) error {
	if !p.has(pipeline.RoleTransformer) {
		return nil
	}
	store, err := state.Open(state.Config{
		Dir: p.cfg.Transformer.StateDir, Topic: runtime.Topics.State(), Cluster: cluster,
		CacheBytes: int64(p.cfg.Transformer.StateCache), Log: p.log, Step: step(),
	})
	if err != nil {
		return fmt.Errorf("transformer.state_dir: %w", err)
	}
	p.onClose("close state", store.Close)
	raw, err := kafka.NewTopicReader(cluster, runtime.Topics.Webhooks())
	if err != nil {
		return err
	}
	p.onClose("close reader of raw records", func() error {
		raw.Close()
		return nil
	})
	p.asker = pipeline.NewAsker(runtime, p.readers)
	p.health.Register("lookups", false, p.asker.Trouble)
	options.State, options.Raw, options.Asker = partitions{store}, rawReader{raw}, asker{p.asker}
	return nil
}

// partitions is a state.Store as the transformer uses it.
type partitions struct{ *state.Store }

// TakeOver brings the local copy of a partition up to date.
func (p partitions) TakeOver(ctx context.Context, partition int) error {
	return p.Partition(partition).TakeOver(ctx)
}

// Begin opens an overlay.
func (p partitions) Begin(partition int) pipeline.Overlay { return p.Partition(partition).Begin() }

// Release gives a partition up.
func (p partitions) Release(partition int) { p.Partition(partition).Release() }

// rawReader reads single records of the raw topic, where all that is ever put aside lies.
type rawReader struct{ *kafka.TopicReader }

// Read yields the records at offsets.
func (r rawReader) Read(ctx context.Context, partition int, offsets ...int64) iter.Seq2[kafka.Record, error] {
	return r.Records(ctx, partition, offsets...)
}

// asker turns what is wanted into questions to the API.
type asker struct{ *lookup.Asker }

// Want has questions about customers asked.
func (a asker) Want(partition int, wanted ...pipeline.Wanted) {
	asks := make([]lookup.Ask, len(wanted))
	for i, w := range wanted {
		asks[i] = lookup.Ask{
			Store: w.Store, Due: w.Due, Traceparent: w.Traceparent, Question: recharge.Question{
				CustomerID: w.Customer, For: recharge.Purpose(w.Kind), ChargeID: w.ChargeID, Attempt: w.Attempt,
			},
		}
	}
	a.Asker.Want(partition, asks...)
}
