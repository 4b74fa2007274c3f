package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// Transform gets records as a Handler does and returns what comes of them. Outputs, and the offset behind the finished
// records, become visible together or not at all. When they did not, the same records come again: it must have no other
// effect than its result. An error means what it means for a Handler.
type Transform func(ctx context.Context, records []Record) (Transformed, error)

// Transformed is what came of the first records of a batch.
type Transformed struct {
	// Done is how many records are finished, counted from the first.
	Done int
	// Outputs are written in this order in each partition.
	Outputs []Record
	// Ended, if set, is called when it is certain what became of all this, before the next records come: nil says that it
	// became visible, an error that it did not. Where the partition is another's before anybody could tell, it is not
	// called: Release is.
	Ended func(error)
	// Again has Sweep called soon, whatever SweepEvery is: there is more for it to do. The next records don't wait for it.
	Again bool
}

func (t Transformed) ended(err error) {
	if t.Ended != nil {
		t.Ended(err)
	}
}

// Transactions says what a consumer does in transactions.
type Transactions struct {
	Transform Transform
	// TakeOver, if set, is called when a partition number is ours and nobody else's: its predecessor is fenced, and what
	// that left open has ended. No record comes before it has returned nil; after an error all is tried again. It is called
	// again whenever another may have had the number meanwhile, even between a Transform and the Ended of its result, and
	// after a Transform or Sweep has asked for it by ErrTakeOver.
	TakeOver func(ctx context.Context, partition int) error
	// Release, if set, is called when a partition number is another's, or is given back: once, after everything else,
	// whether TakeOver has succeeded or not.
	Release func(partition int)
	// Sweep, if set, is called for each partition number every SweepEvery, with no records: for outputs that only time
	// brings about. Done is of no meaning there. Without SweepEvery it is never called.
	Sweep      func(ctx context.Context, partition int) (Transformed, error)
	SweepEvery time.Duration
	// Compression is that of outputs above a kilobyte.
	Compression Compression
}

const (
	// A process commits so many transactions a second at most, and so many at once: 12 partitions that commit as fast as
	// they can take more than a core, and no more records. Small ones, of up to so many records, count a third: where few
	// records come, few transactions are filled by waiting, and with 12 partitions each would wait 24 ms in the mean.
	transactionRate  = 250
	transactionBurst = 12
	smallTransaction = 4
	smallerBy        = 3
	// sweepAgain is how long a sweep waits that has more to do: records that are there come in between.
	sweepAgain = time.Millisecond
)

// newBudget is that of a process, in thirds of a transaction.
func newBudget() *rate.Limiter {
	return rate.NewLimiter(smallerBy*transactionRate, smallerBy*transactionBurst)
}

// transactional is the work of one partition number whose outputs and offsets are one transaction. The number has a
// transactional id of its own, {group}-{number}: whoever takes it over fences its predecessor, and ends what that left
// open, before it asks how far that came.
type transactional struct {
	Transactions
	budget *rate.Limiter

	transactor *transactor
	partitions []wire.Partition
	count      int64
	swept      time.Time
	ready      bool // TakeOver has succeeded since the id was taken over
}

func (t *transactional) takeOver(ctx context.Context, w *worker, partitions []wire.Partition) (map[wire.Partition]committed, error) {
	t.partitions, t.ready = partitions, false
	t.transactor = &transactor{
		connections: w.connections, id: fmt.Sprintf("%s-%d", w.by.group, w.number), by: w.by,
		compression: t.Compression, step: w.consumer.config.Step,
	}
	w.consumer.config.Step("taking over")
	if err := t.transactor.init(ctx, false); err != nil {
		return nil, err
	}
	w.consumer.config.Step("predecessor fenced")
	return t.catchUp(ctx, w)
}

// catchUp calls TakeOver where it is due, and then returns the offsets: both stand still while the id is ours, and the
// offsets are asked for last, since TakeOver may take a minute.
func (t *transactional) catchUp(ctx context.Context, w *worker) (map[wire.Partition]committed, error) {
	if t.TakeOver != nil && !t.ready {
		if err := t.TakeOver(ctx, w.number); err != nil {
			return nil, err
		}
		t.ready = true
		w.consumer.config.Step("caught up")
	}
	return w.offsets(ctx, t.partitions)
}

func (t *transactional) release(w *worker) {
	if t.Release != nil {
		t.Release(w.number)
	}
}

// again takes the partition over anew where a Transform or Sweep asked for it. Nothing is open then.
func (t *transactional) again(ctx context.Context, w *worker, asked error) error {
	if !errors.Is(asked, ErrTakeOver) {
		return asked
	}
	t.ready = false
	_, err := t.retake(ctx, w)
	return errors.Join(asked, err)
}

func (t *transactional) do(ctx context.Context, w *worker, s *source, _ []Record) error {
	if err := t.budget.Wait(ctx); err != nil {
		return err
	}
	records := w.batch(s) // with what came meanwhile
	if len(records) > smallTransaction {
		t.budget.ReserveN(time.Now(), smallerBy-1) // others wait for it
	}
	var out Transformed
	err := w.watched(ctx, func(ctx context.Context) (err error) {
		out, err = t.Transform(ctx, records)
		return err
	})
	switch {
	case out.Done < 0 || out.Done > len(records):
		return errors.Join(fmt.Errorf("handler says that %d of %d records are finished", out.Done, len(records)), err)
	case out.Done == 0 && err == nil:
		return errNothingDone
	case out.Done == 0:
		return t.again(ctx, w, err)
	}
	w.consumer.config.Step("transformed")
	s.settle(firstOf(out.Done))
	if failed := t.commit(ctx, w, s, out); failed != nil {
		return failed
	}
	s.pause.reset()
	if out.Again {
		t.swept = time.Time{}
	}
	return t.again(ctx, w, err)
}

// sweep makes a transaction without records when one is due, and returns when the next will be.
func (t *transactional) sweep(ctx context.Context, w *worker) (time.Duration, error) {
	if t.Sweep == nil || t.SweepEvery <= 0 {
		return time.Hour, nil
	}
	if wait := time.Until(t.swept.Add(t.SweepEvery)); wait > 0 {
		return wait, nil
	}
	if err := t.budget.Wait(ctx); err != nil {
		return t.SweepEvery, err
	}
	t.swept = time.Now()
	var out Transformed
	err := w.watched(ctx, func(ctx context.Context) (err error) {
		out, err = t.Sweep(ctx, w.number)
		return err
	})
	if err != nil || len(out.Outputs) == 0 {
		return t.SweepEvery, t.again(ctx, w, err)
	}
	if err := t.commit(ctx, w, w.sources[0], out); err != nil || !out.Again {
		return t.SweepEvery, err
	}
	t.swept = time.Time{}
	return sweepAgain, nil
}

// moved leaves the offset to the next transaction: committed beside one it could come out ahead of its outputs, or behind.
func (*transactional) moved(*worker, *source) {}

// commit makes outputs visible with the offset that a source is at. The offset's metadata names the transaction, so that
// it can be told afterwards whether it was committed.
func (t *transactional) commit(ctx context.Context, w *worker, s *source, out Transformed) error {
	t.count++
	name := fmt.Sprintf("transaction %d/%d/%d", t.transactor.identity.producer, t.transactor.identity.epoch, t.count)
	tx := transaction{outputs: out.Outputs, offsets: map[wire.Partition]committed{s.Partition: {offset: s.tracker.next(), metadata: name}}}
	// what has begun is ended even when the partition is about to be someone else's
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), transactionTimeout)
	defer cancel()
	if err := t.transactor.commit(ending, tx); err != nil {
		w.log.Warn("commit transaction, will find out what became of it", zap.Error(err))
		t.transactor.step("outcome unclear")
		done, unresolved := t.resolve(ctx, w, s, name)
		if unresolved != nil {
			return errors.Join(unresolved, err)
		}
		if !done {
			out.ended(err)
			return err
		}
	}
	out.ended(nil)
	t.transactor.step("outcome told")
	return nil
}

// resolve finds out whether a transaction was committed: it ends it one way or the other and looks at the offsets then. If
// not, all is read again from where they are.
func (t *transactional) resolve(ctx context.Context, w *worker, s *source, name string) (done bool, err error) {
	pause := backoff{first: retryFirst, most: retryMost}
	for {
		offsets, err := t.retake(ctx, w)
		if err == nil {
			if offsets[s.Partition].metadata == name {
				return true, nil
			}
			for _, each := range w.sources {
				each.rewind(offsets[each.Partition])
			}
			return false, nil
		}
		if errors.Is(err, errNotOurs) {
			return false, err
		}
		w.log.Warn("find out what became of a transaction", zap.Error(err))
		if !pause.wait(ctx) {
			return false, errors.Join(errNotOurs, ctx.Err(), err)
		}
		w.connections.relearn(ctx)
	}
}

// retake ends whatever is open under our own producer id, and returns the offsets then. If somebody fenced us that was the
// next owner, or the broker because we took too long: the group knows which.
func (t *transactional) retake(ctx context.Context, w *worker) (map[wire.Partition]committed, error) {
	err := t.transactor.init(ctx, true)
	if fenced(err) {
		if err := w.stillMember(ctx); err != nil {
			return nil, err
		}
		t.ready = false
		err = t.transactor.init(ctx, false)
	}
	if err != nil {
		return nil, err
	}
	return t.catchUp(ctx, w)
}

// fenced tells whether another has our transactional id, or the broker took it from us.
func fenced(err error) bool {
	return errors.Is(err, kafka.ProducerFenced) || errors.Is(err, kafka.InvalidProducerEpoch) ||
		errors.Is(err, kafka.InvalidProducerIDMapping) || errors.Is(err, kafka.InvalidTransactionState)
}
