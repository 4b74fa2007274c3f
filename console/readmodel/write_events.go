package readmodel

import (
	"context"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// eventID returns the place of an event as a number: whether it is a fact, partition, offset.
func eventID(fact bool, partition int, offset int64) int64 {
	id := int64(partition)<<44 | offset
	if fact {
		id |= factBit
	}
	return id
}

const factBit = 1 << 61

// placeOfEvent returns the place that an ID has.
func (m *Model) placeOfEvent(id int64) Place {
	topic := m.config.Topics.Events()
	if id&factBit != 0 {
		topic = m.config.Topics.Facts()
	}
	return Place{Topic: topic, Partition: int(id &^ factBit >> 44), Offset: id & (1<<44 - 1)}
}

// event writes an event or a fact.
func (w *writer) event(ctx context.Context, r kafka.Record) error {
	if r.Time.Before(w.since) {
		return nil
	}
	e, err := w.events.Decode(r.Value)
	if err != nil {
		return unreadable{"the value is no event"}
	}
	fact := r.Topic == w.config.Topics.Facts()
	k, err := w.kindOf(ctx, e, fact)
	if err != nil {
		return err
	}
	id, at := eventID(fact, r.Partition, r.Offset), r.Time.UnixMilli()
	factID, err := hex.DecodeString(e.ID)
	if err != nil {
		return unreadable{"the id is not hexadecimal"}
	}
	row := eventOf(e)
	_, err = w.exec(ctx, "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		id, k.id, e.RechargeCustomerID, at, millis(e.OccurredAt), factID, row.About, row.Detail, row.Amount, row.Currency)
	if err != nil {
		return err
	}
	w.hours[kindHour{k.id, at / time.Hour.Milliseconds()}]++
	k.added++
	if at > k.lastAt || at == k.lastAt && id > k.last {
		k.lastAt, k.last = at, id
	}
	if w.announce {
		row.At, row.OccurredAt, row.Fact, row.Place = timeOf(at), timeOf(millis(e.OccurredAt)), fact, w.placeOfEvent(id)
		row.Store, row.Customer, row.ID, row.Type, row.Status = e.Store, e.RechargeCustomerID, e.ID, string(e.Type), e.Status
		w.newRows.event(row)
	}
	return nil
}

// eventOf returns what an event is about. It has no personal data.
func eventOf(e subscriber.Event) (row Event) {
	switch {
	case e.Subscription != nil:
		s := e.Subscription
		return Event{About: "subscription/" + s.ID, Detail: s.ProductTitle, Amount: s.Price, Currency: s.Currency}
	case e.Charge != nil:
		c := e.Charge
		return Event{About: "charge/" + c.ID, Detail: firstTitle(c.Items), Amount: c.TotalPrice, Currency: c.Currency}
	case e.Order != nil:
		o := e.Order
		return Event{About: "order/" + o.ID, Detail: firstTitle(o.Items), Amount: o.TotalPrice, Currency: o.Currency}
	case e.Customer != nil:
		return Event{About: "customer/" + e.RechargeCustomerID, Detail: strings.Join(e.Customer.Changed, ", ")}
	case e.Property != nil:
		return Event{About: "customer/" + e.RechargeCustomerID, Detail: e.Property.Name + " = " + strconv.FormatBool(e.Property.Value)}
	}
	return Event{About: "customer/" + e.RechargeCustomerID}
}

func firstTitle(items []subscriber.Item) string {
	if len(items) == 0 {
		return ""
	}
	return items[0].Title
}
