package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/console/service/mask"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// Resolution is what an operator found out about a text of unknown outcome.
type Resolution struct {
	Store      string `json:"store"`
	CustomerID string `json:"recharge_customer_id"`
	ID         string `json:"id"`
	// Outcome is accepted, delivered or undelivered if the provider has the text, rejected if it has not. The text is never sent again.
	Outcome string `json:"outcome"`
	// Note is why. It is shown in the text's life.
	Note string `json:"note"`
}

// outcomes are those that an operator may find.
func outcomes() []string {
	return []string{string(message.Accepted), string(message.Delivered), string(message.Undelivered), string(message.Rejected)}
}

// Resolve records what an operator found out about a text of unknown outcome, as a receipt: the sms role applies it like one of the provider.
func (s *Service) Resolve(ctx context.Context, who string, resolution Resolution) error {
	if !slices.Contains(outcomes(), resolution.Outcome) {
		return invalid("outcome", "is %q, must be one of %s", resolution.Outcome, strings.Join(outcomes(), ", "))
	}
	note := strings.TrimSpace(resolution.Note)
	if len(note) > message.MaxError-100 {
		return invalid("note", "has %d bytes, at most %d are kept", len(note), message.MaxError-100)
	}
	found, err := s.life(ctx, resolution.Store, resolution.ID)
	switch {
	case err != nil:
		return err
	case resolution.CustomerID != "" && resolution.CustomerID != found.Customer:
		return fmt.Errorf("%w: customer %s has no text %s", ErrNotFound, resolution.CustomerID, resolution.ID)
	case found.Status != message.Unknown:
		return fmt.Errorf("%w: the text is %s, and not of unknown outcome any more", ErrConflict, found.Status)
	case len(found.Changes) == 0:
		return fmt.Errorf("%w: the changes of the text are not kept any more", ErrConflict)
	}
	record, err := s.receipt(found, resolution.Outcome, noteOf(who, note))
	if err != nil {
		return err
	}
	if err := s.produce(ctx, "write receipt", record); err != nil {
		return err
	}
	s.cfg.Log.Info("text resolved", zap.String("store", found.Store), zap.String("message_id", found.ID), zap.String("outcome", resolution.Outcome), zap.String("by", who))
	return nil
}

// produce writes a record, if brokers answer.
func (s *Service) produce(ctx context.Context, what string, record kafka.Record) error {
	if err := s.reach(ctx); err != nil {
		return err
	}
	return unreached(what, s.cfg.Produce(ctx, record))
}

// noteOf returns a note with who wrote it. Personal data in it is masked; who it is stays legible, as in the history of settings.
func noteOf(who, note string) string {
	return strings.TrimSuffix(message.ResolvedBy+who+": "+mask.Text(note), ": ")
}

// receipt returns the record of a resolution. It goes to the partition of the text.
func (s *Service) receipt(found readmodel.TextLife, outcome, note string) (kafka.Record, error) {
	now := s.cfg.Now().UTC()
	r := message.Receipt{
		Store: found.Store, CustomerID: found.Customer, MessageID: found.ID, Outcome: message.Status(outcome), At: now.Truncate(time.Millisecond),
		Code: message.CodeResolved, Error: note,
	}
	if r.Outcome == message.Rejected { // that the provider has it not is said of an attempt
		r.Attempt = found.Attempt
	}
	value, err := envelope.Encode(r)
	if err != nil {
		return kafka.Record{}, fmt.Errorf("encode receipt: %w", err)
	}
	sum := sha256.Sum256(value)
	event := envelope.Event{
		Schema: schemas.SMSReceipt, ID: hex.EncodeToString(sum[:16]), Store: r.Store, Subject: "customer/" + r.CustomerID, At: r.At, Received: now,
	}
	return kafka.Record{
		Topic: s.cfg.Topics.Receipts(), Partition: found.Changes[len(found.Changes)-1].Place.Partition, Key: []byte(r.Store + "/" + r.CustomerID), Value: value,
		Headers: append(event.Headers(), envelope.Header(envelope.HeaderSource, envelope.SourceOperator)), Time: now,
	}, nil
}
