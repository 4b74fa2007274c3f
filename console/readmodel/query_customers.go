package readmodel

import (
	"context"
	"encoding/json"
	"fmt"
)

const selectCustomers = `SELECT s.name, c.id, c.email, c.first_name, c.last_name, c.phone, c.platform_id, c.active, c.created_at, c.updated_at
	FROM customers c JOIN stores s ON s.id = c.store`

// scanCustomer reads a row of selectCustomers.
func scanCustomer(scan scanner) (c Customer, err error) {
	var created, updated int64
	err = scan(&c.Store, &c.ID, &c.Email, &c.FirstName, &c.LastName, &c.Phone, &c.PlatformID, &c.SubscriptionActive, &created, &updated)
	c.CreatedAt, c.UpdatedAt = timeOf(created), timeOf(updated)
	return c, err
}

// Customer returns what there is of a customer, of each list at most the limit, 50 by default; ErrNotFound if there is nothing.
func (m *Model) Customer(ctx context.Context, store, id string, limit int) (CustomerPage, error) {
	p := CustomerPage{Customer: Customer{Store: store, ID: id}}
	limit = limitOf(limit)
	found, err := list(ctx, m, scanCustomer, selectCustomers+" WHERE s.name = ? AND c.id = ?", store, id)
	if err != nil {
		return p, err
	}
	if len(found) > 0 {
		p.Customer, p.Known = found[0], true
	}
	const ofCustomer = " WHERE store = (SELECT id FROM stores WHERE name = ?) AND customer = ? ORDER BY updated_at DESC, id DESC LIMIT ?"
	if p.Subscriptions, err = list(ctx, m, scanJSON[Subscription], "SELECT data FROM subscriptions"+ofCustomer, store, id, limit); err != nil {
		return p, err
	}
	if p.Charges, err = list(ctx, m, scanJSON[Charge], "SELECT data FROM charges"+ofCustomer, store, id, limit); err != nil {
		return p, err
	}
	if err := m.happenings(ctx, &p, limit); err != nil {
		return p, err
	}
	if !p.Known && len(p.Subscriptions)+len(p.Charges)+len(p.Texts)+len(p.Events)+len(p.Facts)+len(p.DeadLetters) == 0 {
		return p, fmt.Errorf("customer %s/%s: %w", store, id, ErrNotFound)
	}
	return p, nil
}

// happenings adds texts, events, facts and dead letters.
func (m *Model) happenings(ctx context.Context, p *CustomerPage, limit int) (err error) {
	store, id := p.Customer.Store, p.Customer.ID
	p.Texts, err = list(ctx, m, m.scanText, selectTexts+" WHERE t.store = (SELECT id FROM stores WHERE name = ?) AND t.customer = ? ORDER BY t.status_at DESC, t.key DESC LIMIT ?", store, id, limit)
	if err != nil {
		return err
	}
	for fact, into := range map[bool]*[]Event{false: &p.Events, true: &p.Facts} {
		*into, err = list(ctx, m, func(scan scanner) (Event, error) {
			n, err := m.scanEvent(scan)
			return n.row, err
		}, selectEvents+" WHERE e.customer = ? AND k.fact = ? AND s.name = ? ORDER BY e.at DESC, e.id DESC LIMIT ?", id, fact, store, limit)
		if err != nil {
			return err
		}
	}
	// A webhook whose body names no customer has the key of its resource.
	p.DeadLetters, err = list(ctx, m, m.scanLetter, selectLetters+` WHERE l.store = ?1 AND (l.customer = ?2 OR l.about IN (
			SELECT 'subscription/' || id FROM subscriptions WHERE store = (SELECT id FROM stores WHERE name = ?1) AND customer = ?2
			UNION ALL SELECT 'charge/' || id FROM charges WHERE store = (SELECT id FROM stores WHERE name = ?1) AND customer = ?2))
		ORDER BY l.at DESC, l.role, l.partition, l.offset LIMIT ?3`, store, id, limit)
	return err
}

// scanJSON reads a column of JSON.
func scanJSON[T any](scan scanner) (row T, err error) {
	var text string
	if err := scan(&text); err != nil {
		return row, err
	}
	return row, json.Unmarshal([]byte(text), &row)
}
