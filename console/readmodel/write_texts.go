package readmodel

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// textKey returns the key of a text: 62 bits of its ID, which is a hash.
func textKey(id string) (key int64, raw []byte, err error) {
	raw, err = hex.DecodeString(id)
	if err != nil || len(raw) < 8 {
		return 0, nil, unreadable{"the id is not that of a text"}
	}
	return int64(binary.BigEndian.Uint64(raw) >> 2), raw, nil
}

// storedChange is a line of texts.changes.
type storedChange struct {
	Change     int    `json:"n"`
	At         int64  `json:"at"`
	Status     string `json:"s"`
	Reason     string `json:"r,omitempty"`
	ReleaseAt  int64  `json:"due,omitempty"`
	Attempt    int    `json:"try,omitempty"`
	ClickedAt  int64  `json:"click,omitempty"`
	ProviderID string `json:"pid,omitempty"`
	Code       string `json:"code,omitempty"`
	Error      string `json:"err,omitempty"`
	Partition  int    `json:"p"`
	Offset     int64  `json:"o"`
}

const upsertText = `INSERT INTO texts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET
	flow = excluded.flow, reason = excluded.reason, merged = excluded.merged,
	planned_at = iif(planned_at = 0, excluded.planned_at, planned_at),
	status_at = iif(status = excluded.status, status_at, excluded.status_at), status = excluded.status,
	changed_at = excluded.changed_at, release_at = excluded.release_at, deferred = excluded.deferred, attempt = excluded.attempt,
	clicked_at = iif(clicked_at = 0, excluded.clicked_at, clicked_at),
	provider_id = excluded.provider_id, code = excluded.code, error = excluded.error, triggers = excluded.triggers,
	changes = changes || char(10) || excluded.changes
	WHERE id = excluded.id`

// change writes a change of a text. The changes of a text come in their order.
func (w *writer) change(ctx context.Context, r kafka.Record) error {
	var c message.Change
	if err := json.Unmarshal(r.Value, &c); err != nil {
		return unreadable{"the value is no change of a text"}
	}
	key, raw, err := textKey(c.ID)
	if err != nil {
		return err
	}
	store, err := w.store(ctx, c.Store)
	if err != nil {
		return err
	}
	stored := storedChange{
		Change: c.Change, At: millis(c.At), Status: string(c.Status), Reason: string(c.Reason), ReleaseAt: millis(c.ReleaseAt), Attempt: c.Attempt,
		ClickedAt: millis(c.ClickedAt), ProviderID: w.mask.Text(c.ProviderID), Code: c.Code, Error: w.errorOf(c),
		Partition: r.Partition, Offset: r.Offset,
	}
	planned := int64(0)
	if c.Change == 1 {
		planned = stored.At
	}
	changed, err := w.exec(ctx, upsertText, key, raw, store, c.RechargeCustomerID, string(c.Flow), stored.Status, stored.Reason,
		c.Status == message.Suppressed && c.Reason == reason.Merged, planned, stored.At, stored.At, stored.ReleaseAt, c.Deferred, c.Attempt,
		stored.ClickedAt, stored.ProviderID, c.Code, stored.Error, c.Cause, asJSON(c.Triggers), asJSON(stored))
	if err != nil {
		return err
	}
	if changed == 0 {
		return unreadable{"the id begins like that of another text"}
	}
	if w.announce {
		w.newRows.text(key)
	}
	return nil
}

// errorOf returns the masked words of a provider or of an operator. Who the operator is stays legible.
func (w *writer) errorOf(c message.Change) string {
	by, resolved := strings.CutPrefix(c.Error, message.ResolvedBy)
	if c.Code != message.CodeResolved || !resolved {
		return w.mask.Text(c.Error)
	}
	who, note, noted := strings.Cut(by, ": ")
	if !noted {
		return c.Error
	}
	return message.ResolvedBy + who + ": " + w.mask.Text(note)
}

// asJSON encodes what always can be.
func asJSON(v any) string {
	encoded, _ := json.Marshal(v)
	return string(encoded)
}

// body writes a row of recharge.message-texts, or removes it.
func (w *writer) body(ctx context.Context, r kafka.Record) error {
	key, _, err := textKey(string(r.Key[strings.LastIndexByte(string(r.Key), '/')+1:]))
	if err != nil {
		return err
	}
	if err := w.removeBody(ctx, key); err != nil || r.Value == nil {
		return err
	}
	var t message.Text
	if err := json.Unmarshal(r.Value, &t); err != nil {
		return unreadable{"the value is no text"}
	}
	store, err := w.store(ctx, t.Store)
	if err != nil {
		return err
	}
	values, words := "", ""
	if len(t.Variables) > 0 {
		values = asJSON(t.Variables)
		for _, name := range slices.Sorted(maps.Keys(t.Variables)) {
			words += " " + t.Variables[name]
		}
	}
	claimed := millis(t.ClaimedAt)
	doc, err := w.freeDoc(ctx, claimed<<20|key&0xfffff)
	if err != nil {
		return err
	}
	_, err = w.exec(ctx, "INSERT INTO bodies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		doc, key, scopeOf(store), claimed, t.To, t.From, t.Text, t.Segments, values, words, maskedOf(t))
	if err != nil {
		return err
	}
	_, err = w.exec(ctx, "INSERT INTO bodies_fts (rowid, scope, words) VALUES (?, ?, ?)", doc, scopeOf(store), t.Text+words)
	return err
}

// maskedOf returns the masked text. A row of an earlier version may lack it, and its text may have names.
func maskedOf(t message.Text) string {
	if t.Masked == "" && t.Text != "" {
		return "***"
	}
	return t.Masked
}

// scopeOf is the word that all FTS rows of a store have.
func scopeOf(store int64) string { return "store" + strconv.FormatInt(store, 10) }

// freeDoc returns the first free row of bodies_fts from one on.
func (w *writer) freeDoc(ctx context.Context, doc int64) (int64, error) {
	for {
		var other int64
		taken, err := w.one(ctx, "SELECT doc FROM bodies WHERE doc = ?", []any{doc}, &other)
		if err != nil || !taken {
			return doc, err
		}
		doc++
	}
}

// removeBody removes a body, and overwrites it.
func (w *writer) removeBody(ctx context.Context, key int64) error {
	var doc int64
	var scope, words string
	found, err := w.one(ctx, "DELETE FROM bodies WHERE text = ? RETURNING doc, scope, body || words", []any{key}, &doc, &scope, &words)
	if err != nil || !found {
		return err
	}
	_, err = w.exec(ctx, "INSERT INTO bodies_fts (bodies_fts, rowid, scope, words) VALUES ('delete', ?, ?, ?)", doc, scope, words)
	return err
}
