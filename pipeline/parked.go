package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// parkedRows is how the keys of those rows begin which keep the place of a raw record that waits for the API, in order:
//
//	parked/{store}/{customer}/{partition}/{offset}
const parkedRows = "parked/"

// place is where a parked record lies.
type place struct {
	Partition int   `json:"partition"`
	Offset    int64 `json:"offset"`
	// Redrive are the headers of a record that an operator sent once more: where it lies it has none of them.
	Redrive map[string]string `json:"redrive,omitempty"`
}

func parkedOf(of whose) string { return parkedRows + of.settings.Store + "/" + of.customer + "/" }

func (p place) key(of whose) string {
	return fmt.Sprintf("%s%d/%020d", parkedOf(of), p.Partition, p.Offset)
}

// parked tells whether anything of a customer waits: then all that comes later does, behind it.
func (t *transform) parked(of whose) bool {
	if of.customer == "" {
		return false
	}
	for range t.rows.Scan([]byte(parkedOf(of))) {
		return true
	}
	return false
}

// park keeps where a record lies, and asks who its customer is.
func (t *transform) park(of whose, raw kafka.Record) (Result, error) {
	if raw.Topic != t.topics.Webhooks() { // what was redriven says where it was at first
		return rejected(ReasonMalformed, fmt.Errorf("its customer is unknown, and it can't be put aside: it is in %s and doesn't say where in %s it was", raw.Topic, t.topics.Webhooks())), nil
	}
	if key := of.settings.Store + "/" + of.customer; string(raw.Key) != key { // by which the answer finds its partition
		return rejected(ReasonMalformed, fmt.Errorf("its customer is unknown, and no answer would find it: its key is %q, of the customer that it names %q", raw.Key, key)), nil
	}
	at := place{Partition: raw.Partition, Offset: raw.Offset, Redrive: redriveOf(raw)}
	row, err := json.Marshal(at)
	if err != nil {
		return Result{}, fmt.Errorf("encode place: %w", err)
	}
	t.rows.Set([]byte(at.key(of)), row)
	if err := t.want(of, raw, subscriber.Ask{Kind: subscriber.AskIdentity, Due: receivedOrWritten(raw)}); err != nil {
		return Result{}, err
	}
	return Result{Fate: Wait(ReasonCustomerAsked)}, nil
}

// release decides on what waited for a customer, in order.
func (t *transform) release(ctx context.Context, of whose, memory *subscriber.Memory, unknown Reason) ([]Settled, error) {
	var released []Settled
	for _, at := range t.places(of) {
		t.rows.Set(at.key, nil)
		raw, err := t.reread(ctx, at)
		if errors.Is(err, kafka.ErrNoRecord) {
			released = append(released, t.gone(of, at.place, err))
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read what was put aside: %w", err)
		}
		var result Result
		result, memory, err = t.guarded(memory, func() (Result, *subscriber.Memory, error) { return t.resume(of, raw, memory, unknown) })
		if err != nil {
			return nil, err
		}
		t.unanswered(of, raw, result)
		released = append(released, Settled{Record: raw, Result: result})
	}
	return released, nil
}

// reread is a parked record as it was when it was put aside.
func (t *transform) reread(ctx context.Context, at aside) (kafka.Record, error) {
	if !at.known {
		return kafka.Record{}, fmt.Errorf("its row %s does not say where it is: %w", at.key, kafka.ErrNoRecord)
	}
	raw, err := t.raw.Read(ctx, at.Partition, at.Offset)
	if err != nil {
		return kafka.Record{}, err
	}
	raw.Headers = append(slices.Clip(raw.Headers), at.headers()...)
	return raw, nil
}

func redriveOf(raw kafka.Record) map[string]string {
	var found map[string]string
	for _, h := range deadletter.RedriveHeaders(raw) {
		if found == nil {
			found = make(map[string]string)
		}
		found[h.Key] = string(h.Value)
	}
	return found
}

func (p place) headers() []kafka.Header {
	var headers []kafka.Header
	for _, key := range slices.Sorted(maps.Keys(p.Redrive)) {
		headers = append(headers, header(key, p.Redrive[key]))
	}
	return headers
}

// gone settles a parked record that was deleted meanwhile: nothing is left of it but where it was.
func (t *transform) gone(of whose, at place, err error) Settled {
	raw := kafka.Record{
		Topic: t.topics.Webhooks(), Partition: at.Partition, Offset: at.Offset, Key: []byte(of.settings.Store + "/" + of.customer),
		Headers: append(at.headers(), header(HeaderStore, of.settings.Store)),
	}
	return Settled{Record: raw, Result: rejected(ReasonParkedGone, err)}
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

// aside is a row that keeps a place.
type aside struct {
	place
	key   []byte
	known bool // the key says where the record is
}

func (t *transform) places(of whose) []aside {
	var all []aside
	for key, value := range t.rows.Scan([]byte(parkedOf(of))) {
		a := aside{key: key}
		if a.known = a.read(string(key), parkedOf(of), value) == nil; !a.known {
			a.place = place{Partition: t.partition, Offset: -1}
		}
		all = append(all, a)
	}
	return all
}

// read reads a row. Its key is enough: of a value that makes no sense nothing is taken.
func (p *place) read(key, prefix string, value []byte) error {
	if err := json.Unmarshal(value, p); err != nil {
		*p = place{}
	}
	at, err := deadletter.ParsePlace(strings.TrimPrefix(key, prefix))
	if err != nil {
		return fmt.Errorf("read row: %w", err)
	}
	p.Partition, p.Offset = at.Partition, at.Offset
	return nil
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

// Wait says that a record was put aside until its customer is known.
func Wait(why Reason) Fate { return Fate{Outcome: OutcomeWaiting, Reason: why} }
