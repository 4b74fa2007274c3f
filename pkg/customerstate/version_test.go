package customerstate

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// rowsOfSeven are rows of a customer.
func rowsOfSeven() table {
	rows := table{
		"customer/acme/7": `{"emitted":{"2026-03":"AAAAAAAAAAEAAAAAAAAAAg=="},"customer":{"seen":true,"email":"ada@shop.example",` +
			`"active_property":{"value":true,"at":"2026-03-01T10:00:00Z","to":"ada@shop.example"}},` +
			`"subscriptions":{"71":{"id":"71","status":"active","is_prepaid":false,"updated_at":"2026-03-01T10:00:00Z"}}}`,
		"customer/acme/8":                      `{"split":true,"customer":{"seen":true}}`,
		"subscription/acme/8/81":               `{"id":"81","status":"active","is_prepaid":false,"updated_at":"2026-03-01T10:00:00Z"}`,
		"emitted/acme/8/2026-03":               "\x00\x00\x00\x00\x00\x00\x00\x03",
		"parked/acme/7/0/00000000000000000009": `{"partition":0,"offset":9,"redrive":{"deadletter_attempts":"2"}}`,
		"lookup/acme/7/customer/":              `{"kind":"customer","due":"2026-03-01T10:00:00Z","traceparent":"00-1","bad_answers":2}`,
		"lookup/acme/7/cancellation/99":        `{"kind":"cancellation","due":"2026-03-01T10:01:00Z","charge_id":"99","subscription_ids":["71"],"attempt":1}`,
		"replay/acme/7":                        "customer_unreadable",
	}
	for key, row := range rows {
		rows[key] = "\x01" + row
	}
	return rows
}

func customerSeven() Ref { return Ref{"acme", "7"} }

// Each kind of row is read, and written again.
func TestRows(t *testing.T) {
	rows, lookups := rowsOfSeven(), &queue{}
	store, at := rows.storeWith(lookups), time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	require.NoError(t, store.TakeOver(context.Background(), 0))
	assert.Equal(t, []recharge.LookupRequest{
		{Store: "acme", CustomerID: "7", Kind: recharge.LookupCancellation, ChargeID: "99", SubscriptionIDs: []string{"71"}, Attempt: 1, Due: at.Add(time.Minute)},
		{Store: "acme", CustomerID: "7", Kind: recharge.LookupCustomer, Due: at, Traceparent: "00-1", BadAnswers: 2},
	}, lookups.added)

	tx := store.Begin(0)
	st, err := tx.Load(customerSeven())
	require.NoError(t, err)
	assert.Equal(t, "ada@shop.example", st.Customer.Email)
	assert.Equal(t, &subscriber.ActiveProperty{Value: true, At: at, To: "ada@shop.example"}, st.Customer.ActiveProperty)
	assert.Equal(t, "active", st.Subscriptions["71"].Status)
	assert.Equal(t, subscriber.Emitted{"2026-03": {1, 2}}, st.Emitted)
	assert.True(t, tx.HasParked(customerSeven()))
	assert.True(t, tx.replaying(customerSeven()))
	for ref, unknown := range tx.Replays() {
		assert.Equal(t, customerSeven(), ref)
		assert.Equal(t, "customer_unreadable", unknown)
	}
	replay, err := tx.Replay(customerSeven())
	require.NoError(t, err)
	parked := replay.next()
	assert.Equal(t, Parked{Offset: 9, Redrive: map[string]string{"deadletter_attempts": "2"}}, parked)
	replay.end("")
	after := *st
	after.Customer.Email, after.Emitted = "ada@shop.test", subscriber.Emitted{"2026-03": {1, 2, 4}}
	require.NoError(t, tx.Save(customerSeven(), st, &after))
	_, err = tx.Outputs()
	require.NoError(t, err)
	tx.Ended(true)

	assert.Equal(t, []string{
		"customer/acme/7", "customer/acme/8", "emitted/acme/8/2026-03", "format", "lookup/acme/7/cancellation/99",
		"lookup/acme/7/customer/", "subscription/acme/8/81",
	}, keysOf(rows))
	assert.Equal(t, "\x01", rows["format"])
	assert.Equal(t, byte(version), rows["customer/acme/7"][0])
	require.NoError(t, store.TakeOver(context.Background(), 0))
	assert.Len(t, lookups.added, 2)
	again, err := store.Begin(0).Load(customerSeven())
	require.NoError(t, err)
	assert.Equal(t, after.Customer, again.Customer)
	assert.Equal(t, after.Emitted, again.Emitted)
	eight, err := store.Begin(0).Load(Ref{"acme", "8"})
	require.NoError(t, err)
	assert.Equal(t, subscriber.Emitted{"2026-03": {3}}, eight.Emitted)
	assert.Equal(t, "active", eight.Subscriptions["81"].Status)
}

func keysOf(rows table) (keys []string) {
	for key := range rows {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// One row of a newer version fails a takeover, and so does each such row that is read.
func TestANewerVersionIsAnError(t *testing.T) {
	lookups := &queue{}
	err := table{"format": "\x02", "lookup/acme/7/customer/": "\x02?"}.storeWith(lookups).TakeOver(context.Background(), 3)
	require.ErrorIs(t, err, ErrNewerRows)
	require.EqualError(t, err, "take over customers of partition 3: rows of a newer version of rechargeflow: "+
		"they have version 2, this build reads up to 1: run that version again, or a newer one")
	assert.Empty(t, lookups.added)

	require.ErrorIs(t, table{"lookup/acme/7/customer/": "\x02{}"}.store().TakeOver(context.Background(), 0), ErrNewerRows)
	for key, row := range map[string]string{
		"customer/acme/7": "\x02{}", "subscription/acme/7/1": "\x1f{}", "emitted/acme/7/2026-03": "\x02\x00\x00\x00",
	} {
		rows := table{"customer/acme/7": "\x01" + splitMark + "{}}"}
		rows[key] = row
		_, err := rows.begin().Load(customerSeven())
		require.ErrorIs(t, err, ErrNewerRows, key)
		require.ErrorContains(t, err, key)
	}
	_, err = table{"parked/acme/7/0/00000000000000000009": "\x02"}.begin().Replay(customerSeven())
	require.ErrorIs(t, err, ErrNewerRows)
}

// The format row is written once, with the first row, but not by a transaction that only removes rows.
func TestTheFormatRow(t *testing.T) {
	rows := table{"emitted/acme/7/2020-01": strings.Repeat("x", 8)}
	store := rows.store()
	write := func(change func(tx *Tx), committed bool) []string {
		tx := store.Begin(0)
		change(tx)
		records, err := tx.Outputs()
		require.NoError(t, err)
		tx.Ended(committed)
		return keysOfRecords(records)
	}
	request := func(tx *Tx) {
		require.NoError(t, tx.RequestLookup(recharge.LookupRequest{Store: "acme", CustomerID: "7", Kind: recharge.LookupCustomer}))
	}
	assert.Empty(t, write(func(tx *Tx) {
		start := tx.Savepoint()
		request(tx)
		tx.Rollback(start)
	}, true))
	assert.Equal(t, []string{"emitted/acme/7/2020-01"}, write(func(tx *Tx) { require.NoError(t, tx.Expire(time.Now())) }, true))
	assert.Equal(t, []string{"format", "lookup/acme/7/customer/"}, write(request, false))
	assert.Equal(t, []string{"format", "lookup/acme/7/customer/"}, write(request, true))
	assert.Equal(t, []string{"lookup/acme/7/customer/"}, write(func(tx *Tx) {
		tx.RemoveLookup(recharge.LookupRequest{Store: "acme", CustomerID: "7", Kind: recharge.LookupCustomer})
	}, true))
	store = rows.store() // the next owner
	require.NoError(t, store.TakeOver(context.Background(), 0))
	assert.Equal(t, []string{"lookup/acme/7/customer/"}, write(request, true))
}

func keysOfRecords(records []kafka.Record) (keys []string) {
	for _, r := range records {
		keys = append(keys, string(r.Key))
	}
	return keys
}

// Any row is read, or is an error, or counts as unreadable, without a panic. A row that is read is the same after it was written.
func FuzzRows(f *testing.F) {
	for key, row := range rowsOfSeven() {
		f.Add(key, []byte(row))
		f.Add(key, []byte(row[1:]))
		f.Add(key, append([]byte{version + 1}, row[1:]...))
	}
	f.Add("emitted/acme/7/2026-03", append([]byte{version}, make([]byte, 16)...))
	f.Add("lookup/acme/7/customer/", []byte("\x01{}"))
	f.Add("parked/acme/7/+0/1", []byte{})
	f.Add("replay/acme", []byte("\x01"))
	f.Fuzz(func(t *testing.T, key string, row []byte) {
		rows := table{key: string(row)}
		if kind, _, _ := strings.Cut(key, "/"); kind == "subscription" || kind == "emitted" {
			rows["customer/acme/7"] = "\x01" + splitMark + "{}}"
		}
		if strings.HasPrefix(key, "\x00") || row == nil {
			return
		}
		store := rows.store()
		if err := store.TakeOver(context.Background(), 0); err != nil {
			return
		}
		tx := store.Begin(0)
		st, err := tx.Load(customerSeven())
		_, _ = tx.Replay(customerSeven())
		_, _ = tx.BadAnswer(customerSeven(), row, time.Now())
		tx.RejectLookup(tx.Requested(recharge.LookupRequest{Store: "acme", CustomerID: "7", Kind: recharge.LookupCustomer}))
		for range tx.Replays() {
		}
		tx.Ended(false)
		tx = store.Begin(0)
		_ = tx.Expire(time.Now())
		tx.Ended(false)
		if key == "customer/acme/7" && len(row) > 0 && row[0] == version {
			requireUnmarshaled(t, row[1:], st, err)
		}
		if err != nil {
			return
		}
		maps.DeleteFunc(st.Emitted, func(_ string, ids subscriber.ShortIDs) bool { return len(ids) == 0 }) // which Save leaves out
		tx = table{}.begin()
		require.NoError(t, tx.Save(customerSeven(), &subscriber.State{}, st))
		again, err := tx.Load(customerSeven())
		require.NoError(t, err)
		require.JSONEq(t, jsonOf(t, st), jsonOf(t, again))
	})
}

// requireUnmarshaled compares a loaded customer with what encoding/json decodes.
func requireUnmarshaled(t *testing.T, body []byte, st *subscriber.State, err error) {
	t.Helper()
	var want subscriber.State
	if wantErr := json.Unmarshal(body, &want); wantErr != nil || err != nil {
		require.ErrorContains(t, err, fmt.Sprint(wantErr))
		return
	}
	require.Equal(t, want.Customer, st.Customer)
	if !isSplit(append([]byte{version}, body...)) {
		require.Equal(t, jsonOf(t, &want), jsonOf(t, st))
	}
}

func jsonOf(t *testing.T, st *subscriber.State) string {
	t.Helper()
	text, err := json.Marshal(st)
	require.NoError(t, err)
	return string(text)
}
