// Package command names an event as Bloomreach does: event types, attributes, customer properties.
//
// Bloomreach publishes no attributes for its own Recharge events. These names follow its conventions: snake_case, dates in UNIX
// seconds, amounts as numbers, real arrays. Absent values are left out. docs/bloomreach.md describes them for marketers.
package command

import (
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Of returns the Bloomreach command of an event of a customer. The same event always gives the same bytes, except for the command id:
// deduplication compares timestamp and attributes,
// https://documentation.bloomreach.com/engagement/docs/imports-technical-reference.
func Of(id string, customer map[string]string, e subscriber.Event) (bloomreach.Command, error) {
	var properties bloomreach.Properties
	if e.Type == subscriber.EventProperty {
		properties.Flag(e.Property.Name, e.Property.Value)
		return bloomreach.NewCustomerUpdate(id, bloomreach.CustomerUpdate{
			CustomerIDs: customer, Properties: properties, UpdateTimestamp: bloomreach.UnixSeconds(e.OccurredAt),
		})
	}
	properties.Text("recharge_customer_id", e.RechargeCustomerID)
	properties.Text("integration_type", "recharge")
	properties.Text("integration_id", e.Store)
	switch e.Type {
	case subscriber.EventSubscription:
		subscriptionProperties(&properties, e)
	case subscriber.EventCharge:
		chargeProperties(&properties, e)
	case subscriber.EventCustomerChange:
		customerProperties(&properties, e)
	default:
		return bloomreach.Command{}, fmt.Errorf("event type %q is unknown", e.Type)
	}
	return bloomreach.NewEvent(id, bloomreach.Event{
		CustomerIDs: customer,
		Type:        string(e.Type),
		Timestamp:   bloomreach.UnixSeconds(e.OccurredAt),
		Properties:  properties,
	})
}

func subscriptionProperties(a *bloomreach.Properties, e subscriber.Event) {
	s := e.Subscription
	a.Text("status", e.Status)
	a.Text("subscription_id", s.ID)
	a.Text("address_id", s.AddressID)
	a.Text("product_id", s.ProductID)
	a.Text("variant_id", s.VariantID)
	a.Text("sku", s.SKU)
	a.Text("title", s.ProductTitle)
	a.Text("variant_title", s.VariantTitle)
	a.Amount("price", s.Price)
	a.Number("quantity", s.Quantity)
	a.Amount("total_price", bloomreach.Multiply(s.Price, s.Quantity))
	a.Text("local_currency", s.Currency)
	a.Text("order_interval_unit", s.IntervalUnit)
	a.Number("order_interval_frequency", s.OrderInterval)
	a.Number("charge_interval_frequency", s.ChargeInterval)
	a.Time("next_charge_scheduled_at", s.NextChargeDate.Start())
	a.Time("created_at", s.CreatedAt)
	a.Time("cancelled_at", s.CancelledAt)
	a.Text("cancellation_reason", s.CancellationReason)
	a.Text("cancellation_reason_comments", s.CancellationReasonComments)
	a.Text("source_status", s.SourceStatus)
	a.Flag("is_prepaid", s.IsPrepaid)
}

func chargeProperties(a *bloomreach.Properties, e subscriber.Event) {
	c := e.Charge
	a.Text("status", e.Status)
	a.Text("charge_id", c.ID)
	a.Text("address_id", c.AddressID)
	a.Text("order_id", c.OrderID)
	a.Text("charge_type", c.Type)
	a.Text("source_status", c.SourceStatus)
	a.Amount("total_price", c.TotalPrice)
	a.Amount("subtotal_price", c.SubtotalPrice)
	a.Amount("total_discounts", c.TotalDiscounts)
	a.Amount("total_tax", c.TotalTax)
	a.Text("local_currency", c.Currency)
	a.Time("scheduled_at", c.ScheduledDate.Start())
	a.Time("processed_at", c.ProcessedAt)
	a.Time("created_at", c.CreatedAt)
	itemProperties(a, c.Items)
}

// itemProperties sends items twice: as lists for filters, and as a list of objects.
func itemProperties(a *bloomreach.Properties, items []subscriber.Item) {
	var products, variants, subscriptions []string
	quantity := 0
	for _, item := range items {
		quantity += item.Quantity
		products = add(products, item.ProductID)
		variants = add(variants, item.VariantID)
		subscriptions = add(subscriptions, item.SubscriptionID)
	}
	a.Number("total_quantity", quantity)
	a.List("product_ids", products)
	a.List("variant_ids", variants)
	a.List("subscription_ids", subscriptions)
	a.Objects("product_list", len(items), func(i int, one *bloomreach.Properties) {
		item := items[i]
		one.Amount("price", item.Price) // sorted by name already, which is quick
		one.Text("product_id", item.ProductID)
		one.Number("quantity", item.Quantity)
		one.Text("sku", item.SKU)
		one.Text("subscription_id", item.SubscriptionID)
		one.Text("title", item.Title)
		one.Text("variant_id", item.VariantID)
	})
}

func customerProperties(a *bloomreach.Properties, e subscriber.Event) {
	c := e.Customer
	a.Text("external_customer_id", c.PlatformID)
	a.List("changed_fields", c.Changed)
	a.Text("email", c.Email)
	a.Text("old_email", c.OldEmail)
	a.Text("first_name", c.FirstName)
	a.Text("last_name", c.LastName)
	a.Text("phone", c.Phone)
	a.Count("subscriptions_active_count", c.ActiveSubscriptions)
	a.Count("subscriptions_total_count", c.TotalSubscriptions)
	a.Time("created_at", c.CreatedAt)
	a.Time("updated_at", e.OccurredAt)
}

func add(list []string, value string) []string {
	if value == "" {
		return list
	}
	return append(list, value)
}
