package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

const (
	// transactionRate and transactionBurst limit the transactions per second of a process that are not full: 12 partitions that
	// commit without a limit use more than a core without processing more records. A transaction of up to smallTransaction records costs a
	// third: at low load a longer wait would not fill it, and each of 12 partitions would wait 24 ms on average. In that wait
	// records arrive that make the next transaction a large one, so smallTransaction must be well above what usually arrives
	// between two small ones. At 1,000 webhooks/s with an owner record each that is 3: with a limit of 4 a pause of any kind
	// raised the p50 from 12 to 27 ms for good, in a simulation.
	transactionRate  = 250
	transactionBurst = 12
	smallTransaction = 8
	costOfLarge      = 3
	// punctuateAgain is the wait before the next Punctuate after PunctuateSoon. Available records are handled meanwhile.
	punctuateAgain = time.Millisecond
)

// newTransactionLimiter returns the rate limiter of a process. A small transaction costs 1, others costOfLarge.
func newTransactionLimiter() *rate.Limiter {
	return rate.NewLimiter(costOfLarge*transactionRate, costOfLarge*transactionBurst)
}

// txnProcessor processes one partition number in transactions of outputs and offsets. Each number has its own transactional id,
// {group}-{number}: a new owner fences the previous one and ends its open transaction before it reads the committed offset.
type txnProcessor struct {
	Transactions
	limiter *rate.Limiter
	buffers *bufferPool

	manager      *txnManager
	partitions   []wire.Partition
	transactions int64
	committed    time.Time // the end of the last transaction, or of the last check that it does not hang
	checked      int64     // the value of transactions for which that is known
	punctuated   time.Time
	restored     bool // TakeOver has succeeded since the last owner was fenced
}

func (t *txnProcessor) takeOver(ctx context.Context, w *worker, partitions []wire.Partition) (map[wire.Partition]committed, error) {
	t.partitions, t.restored = partitions, false
	before := ""
	if t.manager != nil {
		before = t.manager.before
	}
	t.manager = &txnManager{
		pool: w.pool, id: fmt.Sprintf("%s-%d", w.member.group, w.number), member: w.member,
		count: w.consumer.config.Partitions, compression: t.Compression, buffers: t.buffers, faultPoint: w.consumer.config.FaultPoint,
		outputs: t.Outputs, before: before,
	}
	w.consumer.config.FaultPoint("taking over")
	if err := t.manager.takeOver(ctx, false); err != nil {
		return nil, err
	}
	w.consumer.config.FaultPoint("predecessor fenced")
	return t.restore(ctx, w)
}

// restore calls TakeOver if that is due and returns the committed offsets. Neither state nor offsets change while the consumer
// owns the transactional id. Offsets are fetched last because TakeOver may take a minute.
func (t *txnProcessor) restore(ctx context.Context, w *worker) (map[wire.Partition]committed, error) {
	if t.TakeOver != nil && !t.restored {
		if err := t.TakeOver(ctx, w.number); err != nil {
			return nil, err
		}
		t.restored = true
		w.consumer.config.FaultPoint("caught up")
	}
	return w.offsets(ctx, t.partitions)
}

func (t *txnProcessor) release(w *worker) {
	if t.Release != nil {
		t.Release(w.number)
	}
}

// takeOverAgain takes over the partition again if err is ErrTakeOver. No transaction is open then.
func (t *txnProcessor) takeOverAgain(ctx context.Context, w *worker, err error) error {
	if !errors.Is(err, ErrTakeOver) {
		return err
	}
	t.restored = false
	ctx, cancel := w.untilStop(ctx)
	defer cancel()
	_, failed := t.resume(ctx, w)
	return errors.Join(err, failed)
}

func (t *txnProcessor) process(ctx context.Context, w *worker, p *assignedPartition, _ []Record) error {
	records, err := t.records(ctx, w, p)
	if err != nil {
		return err
	}
	var out TransformResult
	err = w.callHandler(ctx, func(ctx context.Context) (err error) {
		out, err = t.Transform(ctx, records)
		return err
	})
	switch {
	case out.Finished < 0 || out.Finished > len(records):
		return errors.Join(fmt.Errorf("handler returned %d of %d records as finished", out.Finished, len(records)), err)
	case out.Finished == 0 && err == nil:
		return errNothingFinished
	case out.Finished == 0:
		return t.takeOverAgain(ctx, w, err)
	}
	w.consumer.config.FaultPoint("transformed")
	p.finishFirst(out.Finished)
	if failed := t.commit(ctx, w, p, out); failed != nil {
		return failed
	}
	p.backoff.Reset()
	if out.PunctuateSoon {
		t.punctuated = time.Time{}
	}
	return t.takeOverAgain(ctx, w, err)
}

// records returns the records of the next transaction. Without a full batch it waits for the rate limit, and for more records.
func (t *txnProcessor) records(ctx context.Context, w *worker, p *assignedPartition) ([]Record, error) {
	full := w.consumer.config.MaxBatch
	if records := w.batch(p); len(records) == full {
		return records, nil
	}
	if err := t.limiter.Wait(ctx); err != nil {
		return nil, err
	}
	records := w.batch(p)
	if len(records) > smallTransaction {
		t.limiter.ReserveN(time.Now(), costOfLarge-1) // later transactions wait for it
	}
	return records, nil
}

// punctuate calls Punctuate if it is due and commits its outputs. It returns when it is due next.
func (t *txnProcessor) punctuate(ctx context.Context, w *worker) (time.Duration, error) {
	if t.Punctuate == nil || t.PunctuateEvery <= 0 {
		return time.Hour, nil
	}
	if err := t.endIdle(ctx, w); err != nil {
		return t.PunctuateEvery, err
	}
	if wait := time.Until(t.punctuated.Add(t.PunctuateEvery)); wait > 0 {
		return wait, nil
	}
	if err := t.limiter.Wait(ctx); err != nil {
		return t.PunctuateEvery, err
	}
	t.punctuated = time.Now()
	var out TransformResult
	err := w.callHandler(ctx, func(ctx context.Context) (err error) {
		out, err = t.Punctuate(ctx, w.number)
		return err
	})
	if err != nil || len(out.Outputs) == 0 {
		return t.PunctuateEvery, t.takeOverAgain(ctx, w, err)
	}
	if err := t.commit(ctx, w, w.partitions[0], out); err != nil || !out.PunctuateSoon {
		return t.PunctuateEvery, err
	}
	t.punctuated = time.Time{}
	return punctuateAgain, nil
}

// positionMoved does nothing: an offset is committed with the next transaction. A commit outside of one could overtake the
// transaction's offset.
func (*txnProcessor) positionMoved(*worker, *assignedPartition) {}

// commit commits outputs with the offset of a partition. The offset's metadata is the transaction's name, so that it can be
// found out later whether the transaction was committed.
func (t *txnProcessor) commit(ctx context.Context, w *worker, p *assignedPartition, out TransformResult) error {
	t.transactions++
	name := fmt.Sprintf("transaction %d/%d/%d", t.manager.producerID.id, t.manager.producerID.epoch, t.transactions)
	tx := transaction{outputs: out.Outputs, offsets: map[wire.Partition]committed{p.Partition: {offset: p.tracker.next(), metadata: name}}}
	// a transaction is ended even if the partition is about to be revoked
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), transactionTimeout)
	defer cancel()
	began := time.Now()
	if err := t.manager.commit(ending, tx); err != nil {
		w.log.Warn("commit transaction failed, outcome unknown, resolving", zap.Error(err))
		t.manager.faultPoint("outcome unknown")
		committed, unresolved := t.resolve(ctx, w, p, name)
		if unresolved != nil {
			measureTransaction(w, conn.OutcomeUnknown, began)
			return errors.Join(unresolved, err)
		}
		if !committed {
			measureTransaction(w, conn.OutcomeAborted, began)
			out.end(err)
			return err
		}
	}
	measureTransaction(w, conn.OutcomeCommitted, began)
	t.committed = time.Now()
	out.end(nil)
	t.manager.faultPoint("outcome reported")
	return nil
}

func measureTransaction(w *worker, outcome string, began time.Time) {
	w.pool.Metrics().KafkaOperation(conn.OperationTransaction, outcome, time.Since(began))
}

// resolve finds out whether a transaction was committed: it ends the transaction and compares the metadata of the committed
// offset. If it was aborted, all partitions continue from their committed offsets. When the consumer stops, the next owner finds
// out.
func (t *txnProcessor) resolve(ctx context.Context, w *worker, p *assignedPartition, name string) (committed bool, err error) {
	offsets, err := t.resumeOrLose(ctx, w)
	if err != nil {
		return false, err
	}
	if offsets[p.Partition].metadata == name {
		return true, nil
	}
	for _, each := range w.partitions {
		each.seek(offsets[each.Partition])
	}
	return false, nil
}

// resumeOrLose repeats resume until it succeeds, the partition is lost or the consumer stops. The last two are errNotOwner.
func (t *txnProcessor) resumeOrLose(ctx context.Context, w *worker) (map[wire.Partition]committed, error) {
	ctx, cancel := w.untilStop(ctx)
	defer cancel()
	backoff := conn.RequestBackoff()
	for {
		offsets, err := t.resume(ctx, w)
		if err == nil || errors.Is(err, errNotOwner) {
			return offsets, err
		}
		w.log.Warn("resolve transaction outcome failed, retrying", zap.Error(err))
		if !backoff.Wait(ctx) {
			return nil, errors.Join(errNotOwner, ctx.Err(), err)
		}
		w.pool.RefreshMetadata(ctx)
	}
}

// resume ends an open transaction of its own producer id and returns the committed offsets. If the producer was fenced, either
// by the next owner or by the broker after transactionTimeout, a heartbeat shows which.
func (t *txnProcessor) resume(ctx context.Context, w *worker) (map[wire.Partition]committed, error) {
	err := t.manager.takeOver(ctx, true)
	if fenced(err) {
		if err := checkMembership(ctx, w.pool, w.member); err != nil {
			return nil, err
		}
		t.restored = false
		err = t.manager.takeOver(ctx, false)
	}
	if err != nil {
		return nil, err
	}
	return t.restore(ctx, w)
}

// fenced reports whether the producer was fenced by another owner of its transactional id, or by the broker.
func fenced(err error) bool {
	return errors.Is(err, kafka.ProducerFenced) || errors.Is(err, kafka.InvalidProducerEpoch) ||
		errors.Is(err, kafka.InvalidProducerIDMapping) || errors.Is(err, kafka.InvalidTransactionState)
}
