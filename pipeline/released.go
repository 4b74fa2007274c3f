package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/parked"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// releaseRows is how the keys of those rows begin which say that a customer's answer is there, and that not all that waited
// for it was decided on yet. The value is why what remains unknown is rejected.
//
//	release/{store}/{customer}
const releaseRows = "release/"

// So many released records are decided on in one transaction, whoever they are of, and none after so many bytes of them: they
// are in memory until it ends. Then the partition's other records have their turn.
const (
	maxReleased      = 500
	maxReleasedBytes = 4 << 20
)

// amount is how much a transaction has released.
type amount struct{ records, bytes int }

func (a amount) full() bool { return a.records >= maxReleased || a.bytes >= maxReleasedBytes }

func releaseKey(of whose) []byte { return []byte(releaseRows + of.name()) }

// releasing tells whether more of a customer's is to be released.
func (t *transform) releasing(of whose) bool { return t.rows.Get(releaseKey(of)) != nil }

// release decides on what waited for a customer, in order, and remembers that there is more where that is too much at once:
// what comes of them meanwhile waits behind it.
func (t *transform) release(ctx context.Context, of whose, memory *subscriber.Memory, unknown Reason) ([]Settled, error) {
	waiting, lost, more := parked.First(t.rows, of.name(), t.partition, maxReleased-t.released.records)
	t.released.records += lost
	released := make([]Settled, 0, lost+len(waiting))
	for range lost {
		released = append(released, t.gone(of, parked.Place{Partition: t.partition, Offset: -1}, errNoPlace))
	}
	done := 0
	for raw, err := range t.raw.Read(ctx, t.partition, parked.Offsets(waiting)...) {
		one, after, err := t.releaseOne(of, waiting[done], raw, err, memory, unknown)
		if err != nil {
			return nil, err
		}
		memory, released, done = after, append(released, one), done+1
		t.released = amount{t.released.records + 1, t.released.bytes + raw.Size()}
		if t.released.full() {
			break
		}
	}
	if more || done < len(waiting) {
		t.again = true
		t.rows.Set(releaseKey(of), []byte(unknown))
	} else if t.releasing(of) {
		t.rows.Set(releaseKey(of), nil)
	}
	return released, nil
}

// releaseOne decides on one, as it was when it was put aside.
func (t *transform) releaseOne(of whose, at parked.Place, raw kafka.Record, missing error, before *subscriber.Memory, unknown Reason) (Settled, *subscriber.Memory, error) {
	at.Remove(t.rows, of.name())
	if errors.Is(missing, kafka.ErrNoRecord) {
		return t.gone(of, at, missing), before, nil
	}
	if missing != nil {
		return Settled{}, before, fmt.Errorf("read what was put aside: %w", missing)
	}
	raw = at.Read(raw)
	result, after, err := t.guarded(before, func() (Result, *subscriber.Memory, error) { return t.resume(of, raw, before, unknown) })
	if err != nil {
		return Settled{}, before, err
	}
	t.unanswered(of, raw, result)
	return Settled{Record: raw, Result: result}, after, nil
}

// goOn releases some more of the first customer whose release is not over, and can go on; nil where there is none. Whether
// there is another is found out then. Stuck is what keeps others from it. The error says that nobody's can go on.
func (t *transform) goOn(ctx context.Context) (released []Settled, stuck, err error) {
	for key, unknown := range t.rows.Scan([]byte(releaseRows)) {
		store, customer, _ := strings.Cut(strings.TrimPrefix(string(key), releaseRows), "/")
		settings, known := t.stores[store]
		if !known { // it waits, as what comes of that store does
			continue
		}
		if released != nil {
			t.again = true
			break
		}
		start, of := t.save(), whose{settings: settings, customer: customer}
		if released, err = t.releaseMore(ctx, of, Reason(unknown)); err == nil {
			continue
		}
		if t.back(start); errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) { // so would the next's
			return nil, nil, err
		}
		stuck = fmt.Errorf("go on with the release of %s: %w", of.name(), err)
		t.log.Warn("release what was put aside, will again in time", zap.Int("partition", t.partition), zap.String("key", of.name()), zap.Error(err))
	}
	return released, stuck, nil
}

// releaseMore goes on with the release of a customer.
func (t *transform) releaseMore(ctx context.Context, of whose, unknown Reason) ([]Settled, error) {
	memory, err := t.recall(of)
	if err != nil {
		return nil, err
	}
	return t.release(ctx, of, memory.Asked(), unknown)
}

var errNoPlace = errors.New("its row does not say where it is")

// gone settles a parked record that was deleted meanwhile: nothing is left of it but where it was.
func (t *transform) gone(of whose, at parked.Place, err error) Settled {
	raw := kafka.Record{
		Topic: t.topics.Webhooks(), Partition: at.Partition, Offset: at.Offset, Key: []byte(of.name()),
		Headers: []kafka.Header{header(HeaderStore, of.settings.Store)},
	}
	return Settled{Record: at.Read(raw), Result: rejected(ReasonParkedGone, err)}
}

// guarded rejects what makes the decision panic, and takes back what it had changed: what else waits for the customer
// doesn't wait for ever.
func (t *transform) guarded(before *subscriber.Memory, decide func() (Result, *subscriber.Memory, error)) (result Result, after *subscriber.Memory, err error) {
	start := t.save()
	defer func() {
		if cause := recover(); cause != nil {
			t.back(start)
			logPanic(t.log, RoleTransformer, 1, cause)
			result, after, err = rejected(ReasonPanic, errPanicked), before, nil
		}
	}()
	return decide()
}

// resume decides on a record that was parked: nobody can tell more about the customer now.
func (t *transform) resume(of whose, raw kafka.Record, memory *subscriber.Memory, unknown Reason) (Result, *subscriber.Memory, error) {
	switch raw.Header(HeaderOrigin) {
	case OriginLookup, OriginImport:
		lookup, err := t.decoder.Lookup(raw.Value)
		if err != nil {
			return rejected(ReasonMalformed, err), memory, nil
		}
		result, after, err := t.learnt(of, lookup, raw, memory)
		if needed := (*subscriber.LookupNeeded)(nil); errors.As(err, &needed) { // once more: the answer was no use
			return rejected(unknown, err), memory, nil
		}
		return result, after, err
	}
	webhook, err := t.decoder.Decode(recharge.Topic(raw.Header(HeaderTopic)), raw.Value)
	if err != nil {
		return rejected(ReasonMalformed, err), memory, nil
	}
	decision, after, err := subscriber.Decide(of.settings, memory, webhook, receivedOrWritten(raw))
	var needed *subscriber.LookupNeeded // once more: the answer was no use
	if errors.Is(err, subscriber.ErrCustomerUnknown) || errors.As(err, &needed) {
		return rejected(unknown, err), memory, nil
	}
	if err != nil {
		return Result{}, memory, err
	}
	return t.keep(of, raw, decision, memory, after)
}
