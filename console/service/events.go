package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
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

// example reads a record, and masks it; nil if it can't be had.
func (s *Service) example(ctx context.Context, at readmodel.Place) json.RawMessage {
	record, err := kafka.ReadRecord(ctx, s.cfg.Cluster, at.Topic, at.Partition, at.Offset)
	if err != nil {
		return nil
	}
	return maskJSON(record.Value)
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
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, errors.New(s.plain(err.Error())))
	}
	s.cfg.Log.Info("samples sent", zap.String("store", store), zap.Int("samples", len(sent)), zap.String("by", who))
	return sent, nil
}
