package readmodel

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// deadLetter writes a record of a topic of dead letters or of a redrive topic.
func (w *writer) deadLetter(ctx context.Context, r kafka.Record) error {
	for _, role := range topology.Consumers() {
		switch r.Topic {
		case w.config.Topics.DeadLetters(role):
			return w.letter(ctx, role, r)
		case w.config.Topics.Redrive(role):
			return w.replay(ctx, role, r)
		}
	}
	return unreadable{"the topic is not one of the console"}
}

func (w *writer) letter(ctx context.Context, role topology.Role, r kafka.Record) error {
	if r.Time.Before(w.since) {
		return nil
	}
	l := w.deadLetterOf(role, r)
	_, err := w.exec(ctx, "INSERT INTO letters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		string(role), r.Partition, r.Offset, l.Store, l.Customer, l.About, l.Type, l.Reason, l.Error, l.Attempts, millis(l.At), millis(l.FirstAt),
		millis(l.LastAt), l.Origin.Topic, l.Origin.Offset)
	if err == nil && w.announce {
		w.newRows.letter(l)
	}
	return err
}

// deadLetterOf returns what is shown of a dead letter.
func (m *Model) deadLetterOf(role topology.Role, r kafka.Record) DeadLetter {
	read := deadletter.Read(r)
	store, rest, _ := strings.Cut(string(r.Key), "/")
	l := DeadLetter{
		At: r.Time, Role: role, Store: cmp.Or(r.Header(envelope.HeaderStore), store), Customer: rest, Reason: read.Reason, Error: m.mask.Text(read.Error),
		Type:     cmp.Or(r.Header(envelope.HeaderRechargeTopic), strings.TrimPrefix(r.Header(envelope.HeaderCEType), "rechargeflow."), r.Header(envelope.HeaderSource)),
		Attempts: max(read.Attempts, 1), FirstAt: firstTime(read.First, r.Time), LastAt: firstTime(read.Last, r.Time),
		Place:  Place{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset},
		Origin: Place{Topic: read.Record.Topic, Partition: read.Record.Partition, Offset: read.Record.Offset},
	}
	if strings.Trim(rest, "0123456789") != "" { // {store}/{resource}/{id}
		l.Customer, l.About = "", rest
	}
	return l
}

// firstTime returns the first time that is not zero.
func firstTime(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

func (w *writer) replay(ctx context.Context, role topology.Role, r kafka.Record) error {
	of, ok := deadletter.RedriveOf(r)
	if !ok || r.Time.Before(w.since) {
		return nil // written by hand, or of a letter that is not kept
	}
	_, err := w.exec(ctx, `INSERT INTO replays VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)`,
		string(role), of.Partition, of.Offset, r.Time.UnixMilli())
	return err
}
