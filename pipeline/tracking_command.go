package pipeline

import (
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Bloomreach publishes no attributes for its own Recharge events, so names are
// ours, after its conventions: snake_case, dates in UNIX seconds, amounts as
// numbers, real arrays, nothing for what is absent.

// command is what Bloomreach is told about an event. The same event always gives
// the same bytes but for the command's id: deduplication compares timestamp and
// attributes, https://documentation.bloomreach.com/engagement/docs/imports-technical-reference.
func command(id string, e subscriber.Event) (bloomreach.Command, error) {
	if e.Type == subscriber.EventProperty {
		return bloomreach.NewCustomerUpdate(id, bloomreach.CustomerUpdate{
			CustomerIDs:     e.CustomerIDs,
			Properties:      map[string]any{e.Property.Name: e.Property.Value},
			UpdateTimestamp: bloomreach.Seconds(e.OccurredAt),
		})
	}
	properties := attributes{
		"recharge_customer_id": e.RechargeCustomerID,
		"integration_type":     "recharge",
		"integration_id":       e.Store,
	}
	switch e.Type {
	case subscriber.EventSubscription:
		properties.subscription(e)
	case subscriber.EventCharge:
		properties.charge(e)
	case subscriber.EventCustomerChange:
		properties.customer(e)
	default:
		return bloomreach.Command{}, fmt.Errorf("event type %q is not one that is tracked", e.Type)
	}
	return bloomreach.NewEvent(id, bloomreach.Event{
		CustomerIDs: e.CustomerIDs,
		Type:        string(e.Type),
		Timestamp:   bloomreach.Seconds(e.OccurredAt),
		Properties:  properties,
	})
}

func (a attributes) subscription(e subscriber.Event) {
	s := e.Subscription
	a.text("status", e.Status)
	a.text("subscription_id", s.ID)
	a.text("address_id", s.AddressID)
	a.text("product_id", s.ProductID)
	a.text("variant_id", s.VariantID)
	a.text("sku", s.SKU)
	a.text("title", s.ProductTitle)
	a.text("variant_title", s.VariantTitle)
	a.amount("price", s.Price)
	a.number("quantity", s.Quantity)
	a.amount("total_price", times(s.Price, s.Quantity))
	a.text("local_currency", s.Currency)
	a.text("order_interval_unit", s.IntervalUnit)
	a.number("order_interval_frequency", s.OrderInterval)
	a.number("charge_interval_frequency", s.ChargeInterval)
	a.day("next_charge_scheduled_at", s.NextChargeDate)
	a.time("created_at", s.CreatedAt)
	a.time("cancelled_at", s.CancelledAt)
	a.text("cancellation_reason", s.CancellationReason)
	a.text("cancellation_reason_comments", s.CancellationReasonComments)
	a.text("source_status", s.SourceStatus)
	a["is_prepaid"] = s.IsPrepaid
}

func (a attributes) charge(e subscriber.Event) {
	c := e.Charge
	a.text("status", e.Status)
	a.text("charge_id", c.ID)
	a.text("address_id", c.AddressID)
	a.text("order_id", c.OrderID)
	a.text("charge_type", c.Type)
	a.text("source_status", c.SourceStatus)
	a.amount("total_price", c.TotalPrice)
	a.amount("subtotal_price", c.SubtotalPrice)
	a.amount("total_discounts", c.TotalDiscounts)
	a.amount("total_tax", c.TotalTax)
	a.text("local_currency", c.Currency)
	a.day("scheduled_at", c.ScheduledDate)
	a.time("processed_at", c.ProcessedAt)
	a.time("created_at", c.CreatedAt)
	a.items(c.Items)
}

// items are told twice: as lists that a filter reaches, and as a list of objects.
func (a attributes) items(items []subscriber.Item) {
	var products, variants, subscriptions []string
	list := make([]map[string]any, 0, len(items))
	quantity := 0
	for _, item := range items {
		one := attributes{}
		one.text("product_id", item.ProductID)
		one.text("variant_id", item.VariantID)
		one.text("sku", item.SKU)
		one.text("title", item.Title)
		one.amount("price", item.Price)
		one.number("quantity", item.Quantity)
		one.text("subscription_id", item.SubscriptionID)
		list = append(list, one)
		quantity += item.Quantity
		products = add(products, item.ProductID)
		variants = add(variants, item.VariantID)
		subscriptions = add(subscriptions, item.SubscriptionID)
	}
	a.number("total_quantity", quantity)
	a.list("product_ids", products)
	a.list("variant_ids", variants)
	a.list("subscription_ids", subscriptions)
	if len(list) > 0 {
		a["product_list"] = list
	}
}

func (a attributes) customer(e subscriber.Event) {
	c := e.Customer
	a.text("external_customer_id", c.PlatformID)
	a.text("email", c.Email)
	a.text("first_name", c.FirstName)
	a.text("last_name", c.LastName)
	a.text("phone", c.Phone)
	a.count("subscriptions_active_count", c.ActiveSubscriptions)
	a.count("subscriptions_total_count", c.TotalSubscriptions)
	a.time("created_at", c.CreatedAt)
	a.time("updated_at", e.OccurredAt)
}

// attributes are an event's; each setter leaves out what is absent.
type attributes map[string]any

func (a attributes) text(name, value string) {
	if value != "" {
		a[name] = value
	}
}

// amount sets a JSON number with exactly the digits of a decimal string.
func (a attributes) amount(name, digits string) {
	if digits != "" {
		a[name] = json.Number(canonical(digits))
	}
}

func (a attributes) number(name string, n int) {
	if n != 0 {
		a[name] = n
	}
}

func (a attributes) count(name string, n *int) {
	if n != nil {
		a[name] = *n
	}
}

func (a attributes) time(name string, t time.Time) {
	if !t.IsZero() {
		a[name] = bloomreach.Seconds(t)
	}
}

func (a attributes) day(name string, d recharge.Date) { a.time(name, d.Start()) }

func (a attributes) list(name string, values []string) {
	if len(values) > 0 {
		a[name] = values
	}
}

func add(list []string, value string) []string {
	if value == "" {
		return list
	}
	return append(list, value)
}

// times multiplies a decimal string, keeping its number of decimals; "" when
// there is nothing to multiply.
func times(digits string, n int) string {
	price, ok := new(big.Rat).SetString(digits)
	if !ok || n == 0 {
		return ""
	}
	return price.Mul(price, big.NewRat(int64(n), 1)).FloatString(decimals(digits))
}
