// Package command names an event as Bloomreach does: event types, attributes, customer properties.
//
// Bloomreach publishes no attributes for its own Recharge events. These names follow its conventions: snake_case, dates in UNIX
// seconds, amounts as numbers, real arrays. Absent values are left out. docs/tracking.md describes them for marketers.
//
//	command.go   Of: the command of an event
//	values.go    titles and amounts as a campaign needs them
//	page.go      docs/tracking.md, generated
//	meanings.go  what each attribute means
//	samples.go   an event of each kind with all attributes
package command

import (
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Sample returns the command of an event that is marked as a sample, by an attribute of its own.
func Sample(id string, customer map[string]string, e subscriber.Event) (bloomreach.Command, error) {
	return of(id, customer, e, func(properties *bloomreach.Properties) { properties.Flag("is_sample", true) })
}

// Of returns the Bloomreach command of an event of a customer. The same event always gives the same bytes, except for the command id:
// deduplication compares timestamp and attributes,
// https://documentation.bloomreach.com/engagement/docs/imports-technical-reference.
func Of(id string, customer map[string]string, e subscriber.Event) (bloomreach.Command, error) {
	return of(id, customer, e, func(*bloomreach.Properties) {})
}

func of(id string, customer map[string]string, e subscriber.Event, mark func(*bloomreach.Properties)) (bloomreach.Command, error) {
	var properties bloomreach.Properties
	if e.Type == subscriber.EventProperty || e.Type == subscriber.EventProfile {
		profileProperties(&properties, e)
		return bloomreach.NewCustomerUpdate(id, bloomreach.CustomerUpdate{
			CustomerIDs: customer, Properties: properties, UpdateTimestamp: bloomreach.UnixSeconds(e.OccurredAt),
		})
	}
	mark(&properties)
	properties.Text("recharge_customer_id", e.RechargeCustomerID)
	properties.Text("integration_type", "recharge")
	properties.Text("integration_id", e.Store)
	switch e.Type {
	case subscriber.EventSubscription:
		subscriptionProperties(&properties, e)
	case subscriber.EventCharge:
		if e.Order != nil {
			orderProperties(&properties, e)
			break
		}
		chargeProperties(&properties, e)
	case subscriber.EventCustomerChange:
		customerProperties(&properties, e)
	default:
		return bloomreach.Command{}, fmt.Errorf("event type %q is unknown", e.Type)
	}
	properties.Text("portal_url", e.PortalLink)
	previousProperties(&properties, e.Previous, currencyOf(e))
	return bloomreach.NewEvent(id, bloomreach.Event{
		CustomerIDs: customer,
		Type:        string(e.Type),
		Timestamp:   bloomreach.UnixSeconds(e.OccurredAt),
		Properties:  properties,
	})
}

func profileProperties(a *bloomreach.Properties, e subscriber.Event) {
	if e.Property != nil {
		a.Flag(e.Property.Name, e.Property.Value)
		return
	}
	p := e.Profile
	a.Text(subscriber.ProfileEmail, p.Email)
	a.Text(subscriber.ProfileFirstName, p.FirstName)
	a.Text(subscriber.ProfileLastName, p.LastName)
	a.Text(subscriber.ProfilePhone, p.Phone)
	a.Text(subscriber.ProfileRechargeID, p.RechargeID)
	a.Time(subscriber.ProfileNextCharge, p.NextChargeDate.Start())
	a.Count(subscriber.ProfileSubscriptionsActive, p.SubscriptionsActive)
}

func subscriptionProperties(a *bloomreach.Properties, e subscriber.Event) {
	s := e.Subscription
	a.Text("status", e.Status)
	a.Text("subscription_id", s.ID)
	a.Text("address_id", s.AddressID)
	a.Text("product_id", s.ProductID)
	a.Text("variant_id", s.VariantID)
	a.Text("sku", s.SKU)
	price := amount(s.Price, s.Currency)
	a.Text("title", plain(s.ProductTitle))
	a.Text("variant_title", plain(s.VariantTitle))
	a.Amount("price", price)
	a.Number("quantity", s.Quantity)
	a.Amount("total_price", bloomreach.Multiply(price, s.Quantity))
	a.Text("local_currency", s.Currency)
	a.Text("order_interval_unit", s.IntervalUnit)
	a.Number("order_interval_frequency", s.OrderInterval)
	a.Number("charge_interval_frequency", s.ChargeInterval)
	a.Time("next_charge_scheduled_at", s.NextChargeDate.Start())
	a.Text("next_charge_date", string(s.NextChargeDate))
	a.Time("created_at", s.CreatedAt)
	a.Time("updated_at", s.UpdatedAt)
	a.Time("canceled_at", s.CanceledAt)
	a.Text("cancellation", string(s.Cancellation))
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
	a.Text("platform_order_id", c.PlatformOrderID)
	a.Text("order_number", c.OrderNumber)
	a.Number("nth_order", c.NthOrder)
	a.Text("charge_type", c.Type)
	isFirstOrder(a, c.Type, c.NthOrder)
	a.Text("source_status", c.SourceStatus)
	a.Amount("total_price", amount(c.TotalPrice, c.Currency))
	a.Amount("subtotal_price", amount(c.SubtotalPrice, c.Currency))
	a.Amount("total_discounts", amount(c.TotalDiscounts, c.Currency))
	a.Amount("total_tax", amount(c.TotalTax, c.Currency))
	a.Amount("shipping_price", amount(c.ShippingPrice, c.Currency))
	a.Amount("total_refunds", amount(c.TotalRefunds, c.Currency))
	a.List("discount_codes", discountCodes(c.Discounts))
	a.Text("local_currency", c.Currency)
	a.Number("attempts", c.Attempts)
	a.Text("error_type", c.ErrorType)
	a.Text("error_kind", string(c.ErrorKind))
	a.Time("retry_at", c.RetryAt)
	a.Text("retry_date", string(c.RetryDate))
	a.Time("scheduled_at", c.ScheduledDate.Start())
	a.Text("scheduled_date", string(c.ScheduledDate))
	a.Time("processed_at", c.ProcessedAt)
	a.Time("created_at", c.CreatedAt)
	a.Time("updated_at", c.UpdatedAt)
	itemProperties(a, c.Items, c.Currency)
}

// orderProperties are those of an order: it has no charge object.
func orderProperties(a *bloomreach.Properties, e subscriber.Event) {
	o := e.Order
	a.Text("status", e.Status)
	a.Text("order_id", o.ID)
	a.Text("charge_id", o.ChargeID)
	a.Text("address_id", o.AddressID)
	a.Text("platform_order_id", o.PlatformOrderID)
	a.Text("order_number", o.Number)
	a.Text("charge_type", o.Type)
	isFirstOrder(a, o.Type, 0)
	a.Flag("is_prepaid", o.IsPrepaid)
	a.Amount("total_price", amount(o.TotalPrice, o.Currency))
	a.Text("local_currency", o.Currency)
	a.Time("scheduled_at", o.ScheduledDate.Start())
	a.Text("scheduled_date", string(o.ScheduledDate))
	a.Time("processed_at", o.ProcessedAt)
	a.Time("created_at", o.CreatedAt)
	a.Time("updated_at", o.UpdatedAt)
	itemProperties(a, o.Items, o.Currency)
}

// isFirstOrder tells the first order from later ones. That of a checkout has no value unless the customer's orders were counted: who has
// subscribed before may buy at a checkout, too.
func isFirstOrder(a *bloomreach.Properties, chargeType string, nth int) {
	switch {
	case nth > 0:
		a.Flag("is_first_order", nth == 1)
	case chargeType == "recurring":
		a.Flag("is_first_order", false)
	}
}

func discountCodes(discounts []subscriber.Discount) (codes []string) {
	for _, d := range discounts {
		codes = add(codes, d.Code)
	}
	return codes
}

// previousProperties are the values before a change.
func previousProperties(a *bloomreach.Properties, p *subscriber.Previous, currency string) {
	if p == nil {
		return
	}
	a.Amount("previous_price", amount(p.Price, currency))
	a.Number("previous_quantity", p.Quantity)
	a.Text("previous_order_interval_unit", p.IntervalUnit)
	a.Number("previous_order_interval_frequency", p.OrderInterval)
	a.Number("previous_charge_interval_frequency", p.ChargeInterval)
	a.Text("previous_next_charge_date", string(p.NextChargeDate))
	a.Text("previous_address_id", p.AddressID)
	a.Text("previous_product_id", p.ProductID)
	a.Text("previous_variant_id", p.VariantID)
	a.Text("previous_sku", p.SKU)
	a.Text("previous_title", plain(p.ProductTitle))
	a.Text("previous_variant_title", plain(p.VariantTitle))
	a.Text("previous_scheduled_date", string(p.ScheduledDate))
	a.Amount("previous_total_refunds", amount(p.TotalRefunds, currency))
}

// itemProperties sends items twice: as lists for filters, and as a list of objects.
func itemProperties(a *bloomreach.Properties, items []subscriber.Item, currency string) {
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
		one.Amount("price", amount(item.Price, currency)) // sorted by name already, which is quick
		one.Text("product_id", item.ProductID)
		one.Number("quantity", item.Quantity)
		one.Text("sku", item.SKU)
		one.Text("subscription_id", item.SubscriptionID)
		one.Text("title", plain(item.Title))
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
