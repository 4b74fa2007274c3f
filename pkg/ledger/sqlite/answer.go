package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/ledger"
)

// Accept records that the provider accepted the message.
func (l *Ledger) Accept(ctx context.Context, messageID, providerID string) error {
	return l.note(ctx, messageID, ledger.Answer{State: ledger.StateAccepted, ProviderID: ledger.Short(providerID)})
}

// Reject records that the provider refused the message for good.
func (l *Ledger) Reject(ctx context.Context, messageID, code string) error {
	return l.note(ctx, messageID, ledger.Answer{State: ledger.StateRejected, Code: ledger.Short(code)})
}

// MarkUnknown records that the message was perhaps accepted.
func (l *Ledger) MarkUnknown(ctx context.Context, messageID, reason string) error {
	return l.note(ctx, messageID, ledger.Answer{State: ledger.StateUnknown, Code: ledger.Short(reason)})
}

// note records an answer, even if ctx is canceled.
func (l *Ledger) note(ctx context.Context, messageID string, a ledger.Answer) error {
	ctx, cancel := recordContext(ctx)
	defer cancel()
	err := l.transact(ctx, func(tx *sql.Tx) error {
		var state ledger.State
		var providerID string
		err := tx.QueryRowContext(ctx, "SELECT state, provider_id FROM messages WHERE id = ?", messageID).Scan(&state, &providerID)
		if errors.Is(err, sql.ErrNoRows) {
			return ledger.ErrMessage
		}
		if err != nil {
			return fmt.Errorf("read message: %w", err)
		}
		changes, err := a.Note(state, providerID)
		if err != nil || !changes {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE messages SET state = ?, provider_id = ?, code = ?, updated_at = ? WHERE id = ?",
			a.State, a.ProviderID, a.Code, micros(l.o.Now()), messageID)
		return err
	})
	if err != nil {
		return fmt.Errorf("record message %s as %s: %w", messageID, a.State, err)
	}
	return nil
}

// Release ends a claim.
func (l *Ledger) Release(ctx context.Context, c ledger.Claim) error {
	ctx, cancel := recordContext(ctx)
	defer cancel()
	err := l.transact(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE messages SET state = 'planned', updated_at = ?
			WHERE id = ? AND state = 'claimed' AND owner = ? AND attempts = ?`,
			micros(l.o.Now()), c.MessageID, c.Owner, c.Attempt)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return fmt.Errorf("%w: the claim is no longer held", ledger.ErrMove)
	})
	if err != nil {
		return fmt.Errorf("release message %s: %w", c.MessageID, err)
	}
	return nil
}
