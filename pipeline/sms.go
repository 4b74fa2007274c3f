package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/outputs"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/sender"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/texts"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// claimEvery is how often due texts are claimed that no record has led to.
const claimEvery = 200 * time.Millisecond

// SMS plans the texts of all stores, claims those that are due and gives them to the sender.
//
//	in         recharge.sms-triggers: triggers and revocations; recharge.sms-receipts: what came of the calls, delivery reports, clicks
//	out        recharge.messages, recharge.message-texts, recharge.links, the new state: recharge.sms-state; the sender writes recharge.sms-receipts
//	guarantee  one text per action: a claim is committed before the provider is called, is sent once, and without an answer never again
//	on failure refused for all: the store's texts stay planned; refused alone: rejected; no answer: unknown
type SMS struct {
	topics  topology.Topics
	stores  texts.Stores
	state   TextState
	sender  *sender.Sender
	metrics Metrics
	now     func() time.Time
	log     *zap.Logger
	due     message.Due
}

// TextState stores the rows of each partition: see state.Store.
type TextState interface {
	TakeOver(ctx context.Context, partition int) error
	Release(partition int)
	Begin(partition int) TextRows
}

// TextRows is the view of a partition's rows in one transaction: see state.Overlay.
type TextRows interface {
	message.Rows
	Rows() ([]kafka.Record, error)
	Apply()
	Drop()
}

// NewSMS returns the planner of all stores.
func NewSMS(run Runtime, stores texts.Stores, state TextState, to *sender.Sender) *SMS {
	return &SMS{
		topics: run.Topics, stores: stores, state: state, sender: to, metrics: run.Metrics, now: run.Now, log: run.Log,
	}
}

// TakeOver restores the messages of a partition.
func (s *SMS) TakeOver(ctx context.Context, partition int) error {
	s.sender.Release(partition)
	if err := s.state.TakeOver(ctx, partition); err != nil {
		return err
	}
	rows := s.state.Begin(partition)
	defer rows.Drop()
	s.due.Restart(partition, message.Open(rows, s.now(), s.stores).Stores())
	return nil
}

// Release releases a partition: another process owns it.
func (s *SMS) Release(partition int) {
	s.sender.Release(partition)
	s.state.Release(partition)
}

// Begin opens a transaction.
func (s *SMS) Begin(partition int) stage.Transaction { return s.begin(partition) }

func (s *SMS) begin(partition int) *planning {
	s.sender.Release(partition) // what a transaction without an end has reserved
	rows, now := s.state.Begin(partition), s.now().UTC()
	return &planning{SMS: s, partition: partition, now: now, rows: rows, book: message.Open(rows, now, s.stores)}
}

// Punctuate claims what is due, ends claims without a receipt, resumes what was paused and removes old messages.
func (s *SMS) Punctuate(_ context.Context, partition int) (stage.Punctuated, error) {
	p := s.begin(partition)
	p.work = true
	expired, err := p.book.ExpireClaims(p.stores.Deduplicates)
	if err != nil {
		return stage.Punctuated{Transaction: p}, err
	}
	resumed, err := p.book.Resume(slices.Sorted(maps.Keys(s.stores)))
	if err == nil {
		err = p.book.Expire()
	}
	p.soon = expired || resumed
	return stage.Punctuated{Transaction: p}, err
}

// planning is one transaction of the planner.
type planning struct {
	*SMS

	partition int
	now       time.Time
	rows      TextRows
	book      *message.Book
	arena     envelope.Arena
	work      bool // there is something to commit
	soon      bool
	failed    error // the rows are not to be written
	due       message.DueTimes
	claimed   []sender.Text
}

// Handle is a stage.Handler.
func (p *planning) Handle(_ context.Context, records []kafka.Record) ([]stage.Result, error) {
	results := make([]stage.Result, 0, len(records))
	for _, r := range records {
		outcome, err := p.handle(r)
		if err != nil {
			p.failed = err
			return results, err
		}
		results = append(results, stage.Result{Outcome: outcome})
	}
	p.work = true
	return results, nil
}

func (p *planning) handle(r kafka.Record) (stage.Outcome, error) {
	store, err := envelope.Store(r)
	if err != nil {
		return stage.Reject(reason.Malformed, err), nil
	}
	if _, configured := p.stores[store]; !configured {
		return stage.Reject(reason.UnknownStore, fmt.Errorf("store %q is not in the configuration of this process; when it is, replay the dead letter", store)), nil
	}
	var why reason.Reason
	switch kind := r.Header(envelope.HeaderCEType); kind {
	case envelope.TypeTrigger:
		why, err = apply(r, func(t subscriber.Trigger) (reason.Reason, error) { return p.book.Add(t, originOf(r)) })
	case envelope.TypeRevocation:
		why, err = apply(r, p.book.Revoke)
	case envelope.TypeReceipt:
		why, err = apply(r, p.book.Receive)
	case envelope.TypeClick:
		why, err = apply(r, p.book.Click)
	default:
		err = fmt.Errorf("%w: %w", errUnreadable, envelope.HeaderError(envelope.HeaderCEType, kind))
	}
	switch {
	case errors.Is(err, errUnreadable), errors.Is(err, message.ErrTrigger), errors.Is(err, message.ErrReceipt):
		return stage.Reject(reason.Malformed, err), nil
	case why != "":
		return stage.Skip(why), err
	}
	return stage.Done(), err
}

var errUnreadable = errors.New("record is unreadable")

// apply decodes a record's value and applies it.
func apply[T any](r kafka.Record, to func(T) (reason.Reason, error)) (reason.Reason, error) {
	var value T
	if err := json.Unmarshal(r.Value, &value); err != nil {
		return "", fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return to(value)
}

// originOf returns where the webhook of a record is. Tests and tools may write records without lineage.
func originOf(r kafka.Record) message.Origin {
	topic, partition, offset, _ := envelope.RawPosition(r)
	at, _ := envelope.ReceivedAt(r)
	return message.Origin{Topic: topic, Partition: partition, Offset: offset, ReceivedAt: at, Traceparent: r.Header(envelope.HeaderTraceparent), Bytes: len(r.Value)}
}

// Outputs claims what is due, and returns the changed messages and their rows.
func (p *planning) Outputs() ([]kafka.Record, error) {
	if p.failed != nil || !p.work {
		return nil, p.failed
	}
	if err := errors.Join(p.claim(), p.failed); err != nil {
		return nil, err
	}
	var records []kafka.Record
	for _, m := range p.book.Changed() {
		list := []envelope.Output{outputs.OfChange(p.topics, &m, p.now)}
		changes, _, err := p.arena.Records(list, recordOf(&m, p.partition))
		if err != nil {
			return nil, err
		}
		records = append(records, changes...)
	}
	rows, err := p.textRows()
	if err != nil {
		return nil, err
	}
	state, err := p.rows.Rows()
	return append(append(records, rows...), state...), err
}

// textRows are the rows of claimed texts and their links, and the tombstones of removed ones.
func (p *planning) textRows() (records []kafka.Record, err error) {
	add := func(m *message.Message, rows []envelope.Output) {
		list, _, failed := p.arena.Records(rows, recordOf(m, p.partition))
		records, err = append(records, list...), errors.Join(err, failed)
	}
	for _, t := range p.claimed {
		add(&t.Claim, outputs.OfClaim(p.topics, &t.Claim, texts.Public(&t.Claim, t.SMS, p.now), p.now))
	}
	for _, r := range p.book.Removed() {
		add(r.Message, outputs.OfRemoval(p.topics, r, p.now))
	}
	return records, err
}

// recordOf stands for the webhook of a message's first trigger, in the partition of the message.
func recordOf(m *message.Message, partition int) kafka.Record {
	from := m.Triggers[0].Origin
	return kafka.Record{Topic: from.Topic, Partition: partition, Offset: from.Offset, Headers: []kafka.Header{
		{Key: envelope.HeaderReceivedAt, Value: []byte(from.ReceivedAt.UTC().Format(time.RFC3339Nano))},
		{Key: envelope.HeaderTraceparent, Value: []byte(from.Traceparent)},
	}}
}

// WriteReceipt returns what writes the receipts of a sender.
func WriteReceipt(run Runtime) func(ctx context.Context, t sender.Text, r message.Receipt) error {
	return func(ctx context.Context, t sender.Text, r message.Receipt) error {
		var arena envelope.Arena
		records, _, err := arena.Records([]envelope.Output{outputs.OfReceipt(run.Topics, r)}, recordOf(&t.Claim, t.Partition))
		if err != nil {
			return err
		}
		return run.Produce(ctx, records...)
	}
}

// PunctuateSoon reports whether more is to be done.
func (p *planning) PunctuateSoon() bool { return p.soon }

// Ended applies the changes and has the claimed texts sent if the transaction was committed; otherwise it drops them.
func (p *planning) Ended(committed bool) {
	defer p.sender.Release(p.partition)
	if !committed {
		p.rows.Drop()
		return
	}
	p.rows.Apply()
	p.SMS.due.Update(p.partition, p.due)
	for _, t := range p.claimed {
		p.sender.Send(t)
	}
	for _, m := range p.book.Changed() {
		if m.Moved {
			p.count(&m)
		}
	}
}

// count counts a change and writes its log line.
func (p *planning) count(m *message.Message) {
	p.metrics.Text(m.Store, string(m.Flow), string(m.Status), string(m.Reason))
	level := zap.InfoLevel
	switch m.Status {
	case message.Planned, message.Claimed:
		level = zap.DebugLevel
	case message.Unknown, message.Rejected:
		level = zap.WarnLevel
	}
	if line := p.log.Check(level, "text "+string(m.Status)); line != nil {
		line.Write(zap.String("role", string(topology.RoleSMS)), zap.String("store", m.Store), zap.String("flow", string(m.Flow)), zap.String("message", m.ID),
			zap.String("reason", string(m.Reason)), zap.String("code", m.Code), zap.String("error", m.Error), zap.Int("attempt", m.Attempt),
			zap.String("traceparent", m.Triggers[0].Origin.Traceparent))
	}
}
