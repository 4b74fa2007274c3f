package readmodel

import (
	"context"
	"encoding/hex"
	"time"
)

const selectEvents = `SELECT e.id, e.at, e.occurred_at, s.name, e.customer, e.fact_id, k.fact, k.type, k.status, e.about, e.detail, e.amount, e.currency
	FROM events e JOIN kinds k ON k.id = e.kind JOIN stores s ON s.id = k.store`

// scanEvent reads a row of selectEvents.
func (m *Model) scanEvent(scan scanner) (n numbered[Event], err error) {
	var occurred int64
	var id []byte
	e := &n.row
	err = scan(&n.id, &n.at, &occurred, &e.Store, &e.Customer, &id, &e.Fact, &e.Type, &e.Status, &e.About, &e.Detail, &e.Amount, &e.Currency)
	e.At, e.OccurredAt, e.ID, e.Place = timeOf(n.at), timeOf(occurred), hex.EncodeToString(id), m.placeOfEvent(n.id)
	return n, err
}

// Events returns events, newest first.
func (m *Model) Events(ctx context.Context, f EventFilter) (Page[Event], error) {
	at, id, err := afterNumbers(f.After)
	if err != nil {
		return Page[Event]{}, err
	}
	limit := limitOf(f.Limit)
	// The newest of each kind, by its index; of those the newest.
	rows, err := list(ctx, m, m.scanEvent, selectEvents+` WHERE e.id IN (
		SELECT n.value FROM kinds k2 JOIN stores s2 ON s2.id = k2.store, json_each((SELECT json_group_array(id) FROM (
			SELECT id FROM events WHERE kind = k2.id AND (at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ?))) n
		WHERE (? = '' OR s2.name = ?) AND (? = '' OR k2.type = ?) AND (? = '' OR k2.status = ?) AND (k2.fact = 0 OR ?))
		ORDER BY e.at DESC, e.id DESC LIMIT ?`,
		at, id, limit+1, f.Store, f.Store, f.Type, f.Type, f.Status, f.Status, f.Facts, limit+1)
	if err != nil {
		return Page[Event]{}, err
	}
	return numberedPage(rows, limit), nil
}

// EventTypes returns the kinds of events and facts of a store, "" for all, by their names.
func (m *Model) EventTypes(ctx context.Context, store string) ([]EventType, error) {
	return list(ctx, m, func(scan scanner) (t EventType, err error) {
		n, err := m.scanEvent(func(into ...any) error { return scan(append(into, &t.Count)...) })
		t.Store, t.Fact, t.Type, t.Status, t.Example = n.row.Store, n.row.Fact, n.row.Type, n.row.Status, n.row
		return t, err
	}, `SELECT e.id, e.at, e.occurred_at, s.name, e.customer, e.fact_id, k.fact, k.type, k.status, e.about, e.detail, e.amount, e.currency,
			k.count
		FROM kinds k JOIN stores s ON s.id = k.store JOIN events e ON e.id = k.last
		WHERE ? = '' OR s.name = ? ORDER BY s.name, k.fact, k.type, k.status`, store, store)
}

// Overview returns what happened in a store since a time, and what waits.
func (m *Model) Overview(ctx context.Context, store string, since time.Time) (o Overview, err error) {
	o = Overview{Since: since, Texts: textCounts{}}
	o.Events, err = list(ctx, m, func(scan scanner) (c EventCount, err error) { return c, scan(&c.Fact, &c.Type, &c.Status, &c.Count) },
		`SELECT k.fact, k.type, k.status, (SELECT count(*) FROM events e WHERE e.kind = k.id AND e.at >= ?) n
		FROM kinds k JOIN stores s ON s.id = k.store WHERE s.name = ? AND n > 0 ORDER BY k.fact, k.type, k.status`, millis(since), store)
	if err != nil {
		return o, err
	}
	if err := m.overviewTexts(ctx, store, since, &o); err != nil {
		return o, err
	}
	if o.DeadLetters, err = m.number(ctx, "SELECT count(*) FROM letters WHERE store = ? AND at >= ?", store, millis(since)); err != nil {
		return o, err
	}
	o.OpenDeadLetters, err = m.number(ctx, "SELECT count(*) FROM letters l WHERE store = ? AND "+isOpen, store)
	return o, err
}
