package kafka

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// stateEmpty is the state of a transactional id that has had no transaction since it was taken over.
const stateEmpty = "Empty"

// idleAfter is how long after its last transaction a partition counts as idle. By then a broker has ended it, unless it hangs.
const idleAfter = 10 * time.Second

// takeOver ends the transactions of all earlier producers of the transactional id: when it returns, each is committed and readable, or
// aborted. With resume it fails if another producer has fenced this one.
func (t *txnManager) takeOver(ctx context.Context, resume bool) error {
	if err := t.initProducerID(ctx, resume); err != nil {
		return err
	}
	if t.before == "" { // there was none
		return nil
	}
	t.faultPoint("producer id initialized")
	// if this is interrupted, the next owner aborts what was added
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endingTimeout)
	defer cancel()
	return t.endHanging(ending)
}

// describe fetches the state of the transactional id before it is taken over, which is forgotten then. It is asked for again before each
// InitProducerID, because that waits for a transaction that is being ended. Empty does not replace what an interrupted takeover has found.
func (t *txnManager) describe(ctx context.Context) error {
	state, err := t.pool.TransactionState(ctx, t.id)
	if err != nil {
		return t.explain(err)
	}
	if state != stateEmpty || t.before == "" {
		t.before = state
	}
	return nil
}

// endHanging ends what is left open of the last transaction, as its coordinator has decided.
//
// A coordinator that starts after a crash writes the markers of a decided transaction to the partitions that have a leader, and skips
// the others as if they were deleted. In Kafka 4.3 (KRaftMetadataCache.getPartitionLeaderEndpoint) that is all partitions of a broker
// that starts itself. The coordinator calls the transaction complete, but it hangs: consumers can't read beyond it, its offsets are
// not committed, and the markers of the producer's next transaction would end both. Here an empty transaction is ended on the same
// partitions with the same decision.
func (t *txnManager) endHanging(ctx context.Context) error {
	partitions, err := t.unended(ctx)
	if err != nil {
		return err
	}
	inGroup := t.member.member != ""
	if len(partitions) == 0 && !inGroup {
		t.before = ""
		return nil
	}
	if err := t.addPartitions(ctx, partitions); err != nil {
		return err
	}
	if inGroup { // they may hang alone
		if err := t.addOffsets(ctx); err != nil {
			return err
		}
	}
	t.faultPoint("hanging transaction added")
	// it may arrive twice: the decision is the same, and the next epoch follows
	if err := t.request(ctx, conn.TransactionKey(t.id), t.ending(!aborts(t.before)), endCode); err != nil {
		return fmt.Errorf("end hanging transaction of %s: %w", t.id, err)
	}
	t.faultPoint("hanging transaction ended")
	// the answer comes before the markers, which InitProducerID waits for
	if err := t.initProducerID(ctx, true); err != nil {
		return err
	}
	t.before = ""
	return nil
}

// aborts reports whether the last transaction of a transactional id in a state is aborted, now or when a producer takes over.
func aborts(state string) bool {
	switch state {
	case "Ongoing", "PrepareEpochFence", "PrepareAbort", "CompleteAbort":
		return true
	}
	return false
}

// unended returns the partitions of the outputs in which a transaction of the producer id is open.
func (t *txnManager) unended(ctx context.Context) ([]wire.Partition, error) {
	var open []wire.Partition
	err := t.pool.Retry(ctx, func() (err error) {
		open, err = t.pool.Unended(ctx, t.outputs, t.producerID.id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find hanging transactions: %w", err)
	}
	return open, nil
}

// endIdle ends the last transaction of an idle partition if it hangs: the markers of the next one would end it, but readers can't wait for that.
// What it can't find out now is checked again later. An error means that the partition is lost.
func (t *txnProcessor) endIdle(ctx context.Context, w *worker) error {
	if t.checked == t.transactions || time.Since(t.committed) < idleAfter {
		return nil
	}
	t.committed = time.Now()
	open, err := t.manager.unended(ctx)
	if err != nil {
		w.log.Warn("check that the last transaction does not hang failed, repeating it later", zap.Error(err))
		return nil
	}
	if len(open) > 0 {
		w.log.Warn("last transaction hangs, ending it", zap.Int("partitions", len(open)))
		if _, err := t.resumeOrLose(ctx, w); err != nil {
			return err
		}
	}
	t.checked = t.transactions
	return nil
}
