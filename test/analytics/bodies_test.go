package analytics_test

import (
	"encoding/json"
	"fmt"
	"time"
)

type fields map[string]any

func encode(value any) []byte {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return raw
}

func money(cents int) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Format("2006-01-02T15:04:05+00:00")
}

func ecommerce(id int) fields { return fields{"ecommerce": fmt.Sprint(id)} }

func (s *shop) deliver(p *person, topic string, body fields, at time.Time) {
	raw := encode(body)
	s.send(p.id, topic, raw, at)
	if s.rng.IntN(10) == 0 {
		s.send(p.id, topic, raw, at)
	}
}

func (p *person) object(at time.Time, active int) fields {
	return fields{
		"id": p.id, "email": fmt.Sprintf("c%d@example.com", p.id), "subscriptions_active_count": active, "updated_at": stamp(at), "created_at": stamp(at),
	}
}

func (s *shop) customer(p *person, topic string, at time.Time, active int) {
	s.deliver(p, topic, fields{"customer": p.object(at.Add(-time.Second), active)}, at)
}

func (x *subscription) body(p *person) fields {
	next := any(dayOf(x.due))
	if x.status != "active" {
		next = nil
	}
	return fields{
		"id": x.id, "customer_id": p.id, "address_id": 7, "status": x.status, "price": money(x.price), "quantity": x.quantity, "presentment_currency": p.currency,
		"external_product_id": ecommerce(x.product), "external_variant_id": ecommerce(10 * x.product), "product_title": fmt.Sprint("Product ", x.product),
		"order_interval_unit": "day", "order_interval_frequency": interval, "charge_interval_frequency": interval, "next_charge_scheduled_at": next,
		"created_at": stamp(x.created), "updated_at": stamp(x.updated), "cancelled_at": stamp(x.canceled), "cancellation_reason": x.reason,
		"max_retries_reached": x.maxRetries,
	}
}

func (s *shop) subscription(p *person, x *subscription, topic string, at time.Time) {
	s.deliver(p, topic, fields{"subscription": x.body(p)}, at)
}

func (s *shop) sendCharge(p *person, c *charge, topic string, at time.Time) {
	lines := make([]fields, len(c.lines))
	for i, l := range c.lines {
		lines[i] = fields{
			"purchase_item_id": l.sub, "purchase_item_type": "subscription", "external_product_id": ecommerce(l.product), "quantity": l.quantity,
			"unit_price": money(l.price), "total_price": money(l.price * l.quantity),
		}
	}
	var retry any
	if c.status == "error" {
		retry = dayOf(c.due)
	}
	s.deliver(p, topic, fields{"charge": fields{
		"id": c.id, "customer": fields{"id": p.id, "email": fmt.Sprintf("c%d@example.com", p.id)}, "address_id": 7, "status": c.status, "type": c.kind,
		"currency": p.currency, "total_price": money(c.total()), "total_refunds": money(c.refunds), "scheduled_at": dayOf(c.due), "line_items": lines,
		"error_type": c.errorType, "charge_attempts": c.attempts, "retry_date": retry,
		"created_at": stamp(c.created), "updated_at": stamp(c.updated), "processed_at": stamp(c.paid),
	}}, at)
}
