package service

import (
	"context"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

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

// Live returns what happens in a store, or with "" in all, as it comes. The channel is closed when ctx ends, when the service is stopped, or
// when the reader is too slow: it has to begin again.
func (s *Service) Live(ctx context.Context, store string) (<-chan Live, error) {
	if err := s.known(store); err != nil {
		return nil, err
	}
	stream, rows := s.cfg.Model.Subscribe(store), make(chan Live)
	go func() {
		defer close(rows)
		defer stream.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.ops.stopping:
				return
			case row, open := <-stream.C:
				if !open || !s.offer(ctx, rows, liveRow(row)) {
					return
				}
			}
		}
	}()
	return rows, nil
}

// offer sends a row, unless the stream ends before the reader takes it. The read model ends the stream of one who is too slow.
func (s *Service) offer(ctx context.Context, rows chan<- Live, row Live) bool {
	select {
	case rows <- row:
		return true
	case <-ctx.Done():
	case <-s.ops.stopping:
	}
	return false
}

func liveRow(row readmodel.Live) Live {
	switch {
	case row.Event != nil:
		return liveEvent(*row.Event)
	case row.Text != nil:
		t := textRow(*row.Text)
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
