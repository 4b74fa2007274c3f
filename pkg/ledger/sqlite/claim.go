package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/ledger"
)

// Claim claims the text of a trigger.
func (l *Ledger) Claim(ctx context.Context, t ledger.Trigger) (ledger.Claim, error) {
	if err := t.Check(); err != nil {
		return ledger.Claim{}, fmt.Errorf("claim: %w", err)
	}
	var claim ledger.Claim
	err := l.transact(ctx, func(tx *sql.Tx) error {
		m, err := l.find(ctx, tx, t)
		if err != nil {
			return err
		}
		claim, err = l.take(ctx, tx, m)
		return err
	})
	if err != nil {
		return ledger.Claim{}, fmt.Errorf("claim trigger %s: %w", t.ID, err)
	}
	return claim, nil
}

// row holds the columns of a message that a claim needs.
type row struct {
	id       string
	attempts int
	held     ledger.Held
}

// find returns the message of a trigger. For a new trigger it inserts a planned one.
func (l *Ledger) find(ctx context.Context, tx *sql.Tx, t ledger.Trigger) (row, error) {
	var m row
	var store, flow string
	var claimedAt int64
	err := tx.QueryRowContext(ctx, `SELECT m.id, m.store, m.flow, m.attempts, m.state, m.owner, m.claimed_at
		FROM triggers t JOIN messages m ON m.id = t.message_id WHERE t.id = ?`, t.ID).
		Scan(&m.id, &store, &flow, &m.attempts, &m.held.State, &m.held.Owner, &claimedAt)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return l.plan(ctx, tx, t)
	case err != nil:
		return row{}, fmt.Errorf("find message: %w", err)
	case store != t.Store || flow != t.Flow:
		return row{}, fmt.Errorf("%w: the id belongs to flow %s of store %s", ledger.ErrTrigger, flow, store)
	}
	m.held.ClaimedAt = time.UnixMicro(claimedAt)
	m.held = m.held.Asked(t)
	return m, nil
}

// plan inserts a message and its first trigger.
func (l *Ledger) plan(ctx context.Context, tx *sql.Tx, t ledger.Trigger) (row, error) {
	id, now := ledger.SendKey(t), micros(l.o.Now())
	_, err := tx.ExecContext(ctx, `INSERT INTO messages
		(id, store, flow, cause, customer_id, state, attempts, owner, claimed_at, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, 'planned', 0, '', 0, ?, ?)`, id, t.Store, t.Flow, t.Cause, t.CustomerID, now, now)
	if err != nil {
		return row{}, fmt.Errorf("insert message: %w", err)
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO triggers (id, message_id, occurred_at, attached_at) VALUES (?, ?, ?, ?)",
		t.ID, id, micros(t.OccurredAt), now)
	if err != nil {
		return row{}, fmt.Errorf("insert trigger: %w", err)
	}
	return row{id: id, held: ledger.Held{State: ledger.StatePlanned}}, nil
}

// take decides the outcome of a claim and stores it.
func (l *Ledger) take(ctx context.Context, tx *sql.Tx, m row) (ledger.Claim, error) {
	now := l.o.Now()
	outcome, state, err := l.o.Decide(m.held, l.owner, now)
	if err != nil {
		return ledger.Claim{}, err
	}
	claim := ledger.Claim{MessageID: m.id, SendKey: m.id, Outcome: outcome}
	switch {
	case outcome == ledger.Claimed:
		claim.Attempt, claim.Owner = m.attempts+1, l.owner
		_, err = tx.ExecContext(ctx, "UPDATE messages SET state = ?, attempts = ?, owner = ?, claimed_at = ?, updated_at = ? WHERE id = ?",
			state, claim.Attempt, l.owner, micros(now), micros(now), m.id)
	case state != m.held.State:
		_, err = tx.ExecContext(ctx, "UPDATE messages SET state = ?, code = 'no_answer_noted', updated_at = ? WHERE id = ?", state, micros(now), m.id)
	}
	if err != nil {
		return ledger.Claim{}, fmt.Errorf("update message: %w", err)
	}
	return claim, nil
}
