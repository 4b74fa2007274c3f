package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// processor processes the records of a worker: at least once or in transactions.
type processor interface {
	// takeOver returns the offsets to start from; errNotOwner if another member owns the partitions.
	takeOver(ctx context.Context, w *worker, partitions []wire.Partition) (map[wire.Partition]committed, error)
	// process handles the first pending records of a partition and removes those that are finished.
	process(ctx context.Context, w *worker, p *assignedPartition, records []Record) error
	// punctuate does work that is due by time and returns when to call it next.
	punctuate(ctx context.Context, w *worker) (time.Duration, error)
	// positionMoved is called when the offset to commit has changed although no record was handled.
	positionMoved(w *worker, p *assignedPartition)
	// release is called last.
	release(w *worker)
}

// atLeastOnce calls a Handler. Offsets are committed soon after.
type atLeastOnce struct{ handle Handler }

func (atLeastOnce) takeOver(ctx context.Context, w *worker, partitions []wire.Partition) (map[wire.Partition]committed, error) {
	offsets, err := w.committedOffsets(ctx, partitions)
	if err != nil {
		return nil, err
	}
	return w.orFirst(ctx, offsets)
}

func (a atLeastOnce) process(ctx context.Context, w *worker, p *assignedPartition, records []Record) error {
	records = p.trackable(records)
	var finished Finished
	err := w.callHandler(ctx, func(ctx context.Context) (err error) {
		finished, err = a.handle(ctx, records)
		return err
	})
	marks, ok := finished.marks(len(records))
	if !ok {
		return errors.Join(fmt.Errorf("handler returned finished records that are not among the %d of its batch", len(records)), err)
	}
	if finished.Count() == 0 && err == nil {
		return errNothingFinished
	}
	if finished.Count() > 0 {
		w.consumer.config.FaultPoint("handled")
		p.backoff.Reset()
		p.finish(marks)
		w.committer.add(p)
	}
	return err
}

func (atLeastOnce) punctuate(context.Context, *worker) (time.Duration, error) { return time.Hour, nil }

func (atLeastOnce) positionMoved(w *worker, p *assignedPartition) { w.committer.addLater(p) }

func (atLeastOnce) release(*worker) {}
