package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/ledger"
)

// Messages returns messages, oldest first.
func (l *Ledger) Messages(ctx context.Context, f ledger.Filter) ([]ledger.Message, error) {
	if f.Limit <= 0 {
		f.Limit = 1000
	}
	var out []ledger.Message
	err := l.transact(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT m.id, m.store, m.flow, m.cause, m.customer_id, m.state, m.attempts,
				m.provider_id, m.code, m.created_at, m.updated_at, t.id
			FROM (SELECT rowid AS age, * FROM messages
				WHERE (?1 = '' OR store = ?1) AND (?2 = '' OR flow = ?2) AND (?3 = '' OR state = ?3)
				ORDER BY created_at, rowid LIMIT ?4) m
			JOIN triggers t ON t.message_id = m.id
			ORDER BY m.created_at, m.age, t.attached_at, t.rowid`, f.Store, f.Flow, f.State, f.Limit)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			m, err := scan(rows)
			if err != nil {
				return err
			}
			if last := len(out) - 1; last >= 0 && out[last].ID == m.ID {
				out[last].Triggers = append(out[last].Triggers, m.Triggers...)
				continue
			}
			out = append(out, m)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read messages: %w", err)
	}
	return out, nil
}

// scan reads a message with one of its triggers.
func scan(rows *sql.Rows) (ledger.Message, error) {
	m := ledger.Message{Triggers: make([]string, 1)}
	var created, updated int64
	err := rows.Scan(&m.ID, &m.Store, &m.Flow, &m.Cause, &m.CustomerID, &m.State, &m.Attempts,
		&m.ProviderID, &m.Code, &created, &updated, &m.Triggers[0])
	m.CreatedAt, m.UpdatedAt = time.UnixMicro(created).UTC(), time.UnixMicro(updated).UTC()
	return m, err
}

// Counts returns how many messages are in each state.
func (l *Ledger) Counts(ctx context.Context, store string) (map[ledger.State]int, error) {
	counts := map[ledger.State]int{}
	err := l.transact(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT state, count(*) FROM messages WHERE ?1 = '' OR store = ?1 GROUP BY state", store)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var state ledger.State
			var n int
			if err := rows.Scan(&state, &n); err != nil {
				return err
			}
			counts[state] = n
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("count messages: %w", err)
	}
	return counts, nil
}
