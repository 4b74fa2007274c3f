package readmodel

import (
	"context"
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// kindKey identifies a kind of events.
type kindKey struct {
	store       int64
	fact        bool
	typ, status string
}

// kind is a row of kinds.
type kind struct {
	id           int64
	lastAt, last int64
	added        int64 // events of the transaction
}

// loadNames reads the numbers of stores and of kinds.
func (w *writer) loadNames(ctx context.Context) error {
	rows, err := w.conn.QueryContext(ctx, "SELECT id, name FROM stores")
	if err != nil {
		return fmt.Errorf("read stores: %w", err)
	}
	err = each(rows, func(scan scanner) error {
		var id int64
		var name string
		err := scan(&id, &name)
		w.stores[name] = id
		return err
	})
	if err != nil {
		return err
	}
	rows, err = w.conn.QueryContext(ctx, "SELECT id, store, fact, type, status, last_at, last FROM kinds")
	if err != nil {
		return fmt.Errorf("read kinds: %w", err)
	}
	return each(rows, func(scan scanner) error {
		var key kindKey
		k := &kind{}
		err := scan(&k.id, &key.store, &key.fact, &key.typ, &key.status, &k.lastAt, &k.last)
		w.kinds[key] = k
		return err
	})
}

// store returns the number of a store.
func (w *writer) store(ctx context.Context, name string) (id int64, err error) {
	if id, known := w.stores[name]; known {
		return id, nil
	}
	if _, err = w.one(ctx, "INSERT INTO stores (name) VALUES (?) RETURNING id", []any{name}, &id); err != nil {
		return 0, err
	}
	w.stores[name] = id
	return id, nil
}

// kindOf returns the kind of an event.
func (w *writer) kindOf(ctx context.Context, e subscriber.Event, fact bool) (*kind, error) {
	store, err := w.store(ctx, e.Store)
	if err != nil {
		return nil, err
	}
	key := kindKey{store: store, fact: fact, typ: string(e.Type), status: e.Status}
	if k := w.kinds[key]; k != nil {
		return k, nil
	}
	k := &kind{last: -1}
	_, err = w.one(ctx, "INSERT INTO kinds (store, fact, type, status, count, last_at, last) VALUES (?, ?, ?, ?, 0, 0, -1) RETURNING id",
		[]any{key.store, key.fact, key.typ, key.status}, &k.id)
	if err != nil {
		return nil, err
	}
	w.kinds[key] = k
	return k, nil
}

// saveKinds writes what is counted of the events of a transaction.
func (w *writer) saveKinds(ctx context.Context) error {
	for at, n := range w.hours {
		if _, err := w.exec(ctx, "INSERT INTO hours VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count", at.kind, at.hour, n); err != nil {
			return err
		}
	}
	for _, k := range w.kinds {
		if k.added == 0 {
			continue
		}
		if _, err := w.exec(ctx, "UPDATE kinds SET count = count + ?, last_at = ?, last = ? WHERE id = ?", k.added, k.lastAt, k.last, k.id); err != nil {
			return err
		}
		k.added = 0
	}
	return nil
}
