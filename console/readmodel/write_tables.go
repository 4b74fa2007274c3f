package readmodel

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// rowKey is the key of a row: {store}/{customer} or {store}/{customer}/{id}.
type rowKey struct{ store, customer, id string }

// rowKeyOf returns the key of a row that has an ID besides the customer's, or has none.
func rowKeyOf(r kafka.Record, hasID bool) (key rowKey, err error) {
	parts := strings.Split(string(r.Key), "/")
	switch {
	case hasID && len(parts) == 3:
		return rowKey{store: parts[0], customer: parts[1], id: parts[2]}, nil
	case !hasID && len(parts) == 2:
		return rowKey{store: parts[0], customer: parts[1]}, nil
	}
	return rowKey{}, unreadable{"the key is not that of a row"}
}

// customer writes a row of recharge.customers, or removes it.
func (w *writer) customer(ctx context.Context, r kafka.Record) error {
	key, err := rowKeyOf(r, false)
	if err != nil {
		return err
	}
	store, err := w.store(ctx, key.store)
	if err != nil {
		return err
	}
	var row subscriber.CustomerRow
	if r.Value != nil && json.Unmarshal(r.Value, &row) != nil {
		return unreadable{"the value is no customer"}
	}
	if err := w.removeCustomer(ctx, store, key.customer); err != nil || r.Value == nil {
		return err
	}
	var number int64
	_, err = w.one(ctx, `INSERT INTO customers (store, id, email, first_name, last_name, phone, phone_end, platform_id, active, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING key`, []any{
		store, key.customer, row.Email, row.FirstName, row.LastName, row.Phone, phoneEnd(row.Phone), row.PlatformID, row.SubscriptionActive,
		millis(row.CreatedAt), millis(row.UpdatedAt),
	}, &number)
	if err != nil {
		return err
	}
	_, err = w.exec(ctx, "INSERT INTO customers_fts (rowid, scope, email, name) VALUES (?, ?, ?, ?)",
		number, scopeOf(store), row.Email, row.FirstName+" "+row.LastName)
	return err
}

// removeCustomer removes a customer's row, and overwrites it.
func (w *writer) removeCustomer(ctx context.Context, store int64, id string) error {
	var number int64
	var email, first, last string
	found, err := w.one(ctx, "DELETE FROM customers WHERE store = ? AND id = ? RETURNING key, email, first_name, last_name", []any{store, id},
		&number, &email, &first, &last)
	if err != nil || !found {
		return err
	}
	_, err = w.exec(ctx, "INSERT INTO customers_fts (customers_fts, rowid, scope, email, name) VALUES ('delete', ?, ?, ?, ?)",
		number, scopeOf(store), email, first+" "+last)
	return err
}

// phoneEnd returns the digits of a number, last one first.
func phoneEnd(phone string) string {
	digits := []byte(digitsOf(phone))
	slices.Reverse(digits)
	return string(digits)
}

func digitsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// subscription writes a row of recharge.subscriptions, or removes it.
func (w *writer) subscription(ctx context.Context, r kafka.Record) error {
	key, err := rowKeyOf(r, true)
	if err != nil {
		return err
	}
	store, err := w.store(ctx, key.store)
	if err != nil {
		return err
	}
	if r.Value == nil {
		_, err = w.exec(ctx, "DELETE FROM subscriptions WHERE store = ? AND customer = ? AND id = ?", store, key.customer, key.id)
		return err
	}
	var row subscriber.SubscriptionRow
	if json.Unmarshal(r.Value, &row) != nil {
		return unreadable{"the value is no subscription"}
	}
	s := Subscription{
		ID: row.ID, Status: row.Status, ProductTitle: row.ProductTitle, VariantTitle: row.VariantTitle, Quantity: row.Quantity, Price: row.Price,
		Currency: row.Currency, IntervalUnit: row.IntervalUnit, OrderInterval: row.OrderInterval, NextChargeDate: string(row.NextChargeDate),
		Cancellation: string(row.Cancellation), CreatedAt: row.CreatedAt, CanceledAt: row.CanceledAt, UpdatedAt: row.UpdatedAt,
	}
	_, err = w.exec(ctx, "INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?, ?, ?)", store, key.customer, key.id, millis(row.UpdatedAt), asJSON(s))
	return err
}

// charge writes a row of recharge.charges, or removes it.
func (w *writer) charge(ctx context.Context, r kafka.Record) error {
	key, err := rowKeyOf(r, true)
	if err != nil {
		return err
	}
	store, err := w.store(ctx, key.store)
	if err != nil {
		return err
	}
	if r.Value == nil {
		_, err = w.exec(ctx, "DELETE FROM charges WHERE store = ? AND customer = ? AND id = ?", store, key.customer, key.id)
		return err
	}
	var row subscriber.ChargeRow
	if json.Unmarshal(r.Value, &row) != nil {
		return unreadable{"the value is no charge"}
	}
	c := Charge{
		ID: row.ID, Status: row.Status, Type: row.Type, OrderNumber: row.OrderNumber, TotalPrice: row.TotalPrice, TotalRefunds: row.TotalRefunds,
		Currency: row.Currency, ScheduledDate: string(row.ScheduledDate), RetryDate: string(row.RetryDate), Attempts: row.Attempts,
		ErrorType: row.ErrorType, ProcessedAt: row.ProcessedAt, UpdatedAt: row.UpdatedAt,
	}
	for _, item := range row.Items {
		c.Titles = append(c.Titles, item.Title)
	}
	_, err = w.exec(ctx, "INSERT OR REPLACE INTO charges VALUES (?, ?, ?, ?, ?, ?)",
		store, key.customer, key.id, millis(row.UpdatedAt), r.Time.UnixMilli(), asJSON(c))
	return err
}
