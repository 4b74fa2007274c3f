package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/console/service/mask"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// EventKind is a kind of event or fact.
type EventKind struct {
	Type   string `json:"type"`   // such as subscription
	Status string `json:"status"` // such as created; "" if the type has none
	Topic  string `json:"topic"`  // events or facts
	// Sent means that the store sends it to its destination.
	Sent     bool      `json:"sent"`
	LastSeen time.Time `json:"last_seen,omitzero"`
	Count    int       `json:"count"` // within what the console keeps
	// Example is the last one, personal data masked; absent if it is not kept any more.
	Example json.RawMessage `json:"example,omitempty"`
}

// EventRow is an event in a list.
type EventRow struct {
	At     time.Time `json:"at"`
	Type   string    `json:"type"`
	Status string    `json:"status,omitempty"`
	Fact   bool      `json:"fact,omitempty"`
	Title  string    `json:"title"`
	Detail string    `json:"detail,omitempty"`
	ID     string    `json:"id"`
}

// SampleEvent is what a destination answered to a sample.
type SampleEvent struct {
	Name   string   `json:"name"`
	Errors []string `json:"errors,omitempty"` // none if it was accepted
}

// exampleWithin limits how long the examples are waited for.
const exampleWithin = 5 * time.Second

// Events returns the kinds of events of a store that were seen, with an example of each.
func (s *Service) Events(ctx context.Context, store string) ([]EventKind, error) {
	found, err := s.store(store)
	if err != nil {
		return nil, err
	}
	types, err := s.cfg.Model.EventTypes(ctx, store)
	if err != nil {
		return nil, ofModel("events", err)
	}
	ctx, cancel := context.WithTimeout(ctx, exampleWithin)
	defer cancel()
	kinds := []EventKind{}
	for _, t := range types {
		kind := EventKind{Type: t.Type, Status: t.Status, Topic: "events", Sent: found.Destination != "", LastSeen: t.Example.At, Count: int(t.Count)}
		if t.Fact {
			kind.Topic, kind.Sent = "facts", kind.Sent && found.Decides.Tracks(t.Status)
		}
		kind.Example = s.example(ctx, t.Example.Place)
		kinds = append(kinds, kind)
	}
	return kinds, nil
}

// example reads a record, and masks it; nil if it is not available.
func (s *Service) example(ctx context.Context, at readmodel.Place) json.RawMessage {
	record, err := kafka.ReadRecord(ctx, s.cfg.Cluster, at.Topic, at.Partition, at.Offset)
	if err != nil {
		return nil
	}
	return mask.JSON(record.Value)
}

// SendSamples sends a sample of each event to the store's destination, for a test customer with this e-mail.
func (s *Service) SendSamples(ctx context.Context, who, store, email string) ([]SampleEvent, error) {
	found, err := s.store(store)
	if err != nil {
		return nil, err
	}
	if address, err := mail.ParseAddress(email); err != nil || address.Address != email {
		return nil, invalid("email", "is not an e-mail address")
	}
	if found.Destination == "" {
		return nil, fmt.Errorf("%w: store %s sends its events nowhere", ErrConflict, store)
	}
	sent, err := s.cfg.Samples(ctx, store, email)
	switch {
	case errors.Is(err, ErrConflict):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, errors.New(mask.Text(err.Error())))
	}
	s.cfg.Log.Info("samples sent", zap.String("store", store), zap.Int("samples", len(sent)), zap.String("by", who))
	return sent, nil
}

// Live is an event, or a change of a text, as it comes.
type Live struct {
	Kind  string    `json:"kind"` // event, fact, text, dead_letter
	At    time.Time `json:"at"`
	Store string    `json:"store"`
	// CustomerID is Recharge's.
	CustomerID string `json:"recharge_customer_id,omitempty"`
	ID         string `json:"id,omitempty"` // of the event or the text; the name of a dead letter
	// Title is what it is in a few words, such as subscription created, or text of charge_failed: delivered.
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
}

// Live returns what happens in a store, or with "" in all, as it comes. The channel is closed when ctx ends, when the process stops, when the store is not
// configured any more, or when the reader is too slow: it has to begin again.
func (s *Service) Live(ctx context.Context, store string) (<-chan Live, error) {
	if err := s.known(store); err != nil {
		return nil, err
	}
	job, err := s.jobs.begin(store)
	if err != nil {
		return nil, err
	}
	stream, rows := s.cfg.Model.Subscribe(store), make(chan Live)
	go func() {
		defer job.done()
		defer close(rows)
		defer stream.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case <-job.ctx.Done():
				return
			case row, open := <-stream.C:
				if !open || !job.offer(ctx, rows, liveRow(row)) {
					return
				}
			}
		}
	}()
	return rows, nil
}

// offer sends a row, unless the stream ends before the reader takes it. The read model ends the stream of one who is too slow.
func (j job) offer(ctx context.Context, rows chan<- Live, row Live) bool {
	select {
	case rows <- row:
		return true
	case <-ctx.Done():
	case <-j.ctx.Done():
	}
	return false
}

func liveRow(row readmodel.Live) Live {
	switch {
	case row.Event != nil:
		return liveEvent(*row.Event)
	case row.Text != nil:
		t := textRow(*row.Text, false)
		return Live{Kind: "text", At: t.At, Store: t.Store, CustomerID: t.CustomerID, ID: t.ID, Title: "text of " + t.FlowName + ": " + t.Status, Detail: t.Why}
	}
	l := row.DeadLetter
	return Live{
		Kind: "dead_letter", At: l.At, Store: l.Store, CustomerID: l.Customer, ID: letterName(l.Role, l.Place.Partition, l.Place.Offset),
		Title: "dead letter of " + string(l.Role), Detail: Why(reason.Reason(l.Reason)),
	}
}

func liveEvent(e readmodel.Event) Live {
	kind := "event"
	if e.Fact {
		kind = "fact"
	}
	return Live{Kind: kind, At: e.At, Store: e.Store, CustomerID: e.Customer, ID: e.ID, Title: titleOf(e), Detail: detailOf(e)}
}

// titleOf returns what an event is in a few words.
func titleOf(e readmodel.Event) string {
	return strings.ReplaceAll(strings.TrimSpace(e.Type+" "+e.Status), "_", " ")
}

// detailOf returns what an event is about.
func detailOf(e readmodel.Event) string {
	parts := []string{}
	for _, part := range []string{e.Detail, strings.TrimSpace(e.Amount + " " + e.Currency), strings.ReplaceAll(e.About, "/", " ")} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}
