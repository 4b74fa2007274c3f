package histories

import "time"

// version202111 has UTC times with an offset, lower case, strings for money, nested platform ids, and no e-mail in a
// subscription.
type version202111 struct{}

func utc(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	layout := "2006-01-02T15:04:05+00:00"
	if t.Nanosecond() != 0 {
		layout = "2006-01-02T15:04:05.000000+00:00"
	}
	return t.UTC().Format(layout)
}

func (version202111) customer(of Customer, c CustomerObject) fields {
	return fields{
		"id": number(of.ID()), "email": c.Email, "first_name": c.FirstName, "last_name": c.LastName,
		"phone": c.Phone, "hash": of.hash(), "external_customer_id": ecommerce(of.PlatformID()),
		"subscriptions_active_count": c.Active, "subscriptions_total_count": c.Total,
		"created_at": utc(c.Created), "updated_at": utc(c.Updated), "first_charge_processed_at": utc(c.Created),
		"has_valid_payment_method": true, "has_payment_method_in_dunning": false, "tax_exempt": false,
		"apply_credit_to_next_checkout_charge": false, "apply_credit_to_next_recurring_charge": false,
		"analytics_data": fields{"utm_params": []any{}},
	}
}

func (version202111) subscription(of Customer, s Subscription) fields {
	return fields{
		"id": number(of.SubscriptionID(s.Item)), "customer_id": number(of.ID()), "address_id": number(of.address(s.Moved)),
		"status": s.Status, "created_at": utc(s.Created), "updated_at": utc(s.Updated), "cancelled_at": utc(s.Cancelled),
		"cancellation_reason": reason(s), "cancellation_reason_comments": nil,
		"next_charge_scheduled_at": nothing(string(s.Due)), "has_queued_charges": s.Status == "active",
		"product_title": title(s.Product), "variant_title": "1 lb", "sku": sku(s.Product), "sku_override": false,
		"external_product_id": ecommerce(productID(s.Product)), "external_variant_id": ecommerce(variantID(s.Product)),
		"price": money(price(s.Item)), "quantity": 1, "presentment_currency": "USD", "properties": []any{},
		"order_interval_unit": "day", "order_interval_frequency": intervalDays, "charge_interval_frequency": intervalDays,
		"order_day_of_month": nil, "order_day_of_week": nil, "expire_after_specific_number_of_charges": nil,
		"is_prepaid": false, "is_skippable": true, "is_swappable": false, "max_retries_reached": false,
		"analytics_data": fields{"utm_params": []any{}},
	}
}

func reason(s Subscription) any {
	if s.Status != "cancelled" {
		return nil
	}
	return "This is too expensive"
}

func (v version202111) charge(of Customer, c Charge) fields {
	return v.purchase(of, c).with(attempted("charge_attempts", "last_charge_attempt", c, utc), fields{
		"id": number(of.ChargeID(c.Number)), "external_transaction_id": fields{"payment_processor": nil},
		"scheduled_at": string(c.Due), "retry_date": nothing(string(c.Retry)), "error_type": nothing(c.Failure), "merged_at": nil,
		"orders_count": min(c.Number-1, 1), "payment_processor": "shopify_payments", "has_uncommitted_changes": false,
		"taxes_included": false, "total_weight_grams": 454 * len(c.Items), "subtotal_price": money(subtotal(c.Items)),
		"total_price": money(total(c.Items)), "total_discounts": "0.00",
	})
}

// order returns an order; its subtotal and total were recorded as numbers.
func (v version202111) order(of Customer, c Charge) fields {
	return v.purchase(of, c).with(fields{
		"id": number(of.OrderID(c.Number)), "is_prepaid": false, "scheduled_at": utc(c.Due.Start()),
		"charge": fields{
			"id": number(of.ChargeID(c.Number)), "status": c.Status, "payment_processor_name": "shopify_payments",
			"external_transaction_id": fields{"payment_processor": decimal(43_000_000_000 + int64(c.Number))},
		},
		"external_order_name":   ecommerce("#" + of.orderNumber(c.Number)),
		"external_order_number": ecommerce(of.orderNumber(c.Number)), "external_cart_token": nil,
		"subtotal_price": number(money(subtotal(c.Items))), "total_price": number(money(total(c.Items))), "total_discounts": 0,
	})
}

// purchase returns the common fields of a charge and its order.
func (v version202111) purchase(of Customer, c Charge) fields {
	lines := make([]fields, 0, len(c.Items))
	for _, item := range c.Items {
		lines = append(lines, v.line(of, item))
	}
	order := fields{"ecommerce": nil}
	if !c.Processed.IsZero() {
		order = ecommerce(of.platformOrder(c.Number))
	}
	return fields{
		"address_id": number(of.AddressID()), "status": c.Status, "type": c.Kind, "currency": "USD", "tags": tags(c),
		"created_at": utc(c.Created), "updated_at": utc(c.Updated), "processed_at": utc(c.Processed),
		"customer": fields{
			"id": number(of.ID()), "email": c.Email, "external_customer_id": ecommerce(of.PlatformID()), "hash": of.hash(),
		},
		"billing_address": v.address(c.Person), "shipping_address": v.address(c.Person), "line_items": lines, "external_order_id": order,
		"shipping_lines": []fields{{"code": "Economy", "price": money(shipping), "title": "Economy"}},
		"discounts":      []any{}, "error": nil, "note": nil, "order_attributes": []any{}, "tax_lines": []any{}, "taxable": false,
		"total_line_items_price": money(subtotal(c.Items)), "total_refunds": money(c.Refunds), "total_tax": "0.00", "total_duties": "0.00",
		"client_details": fields{"browser_ip": nil, "user_agent": nil},
	}
}

func (version202111) address(p Person) fields {
	return fields{
		"address1": "1 Example St", "address2": nil, "city": "Portland", "company": nil, "country_code": "US",
		"first_name": p.FirstName, "last_name": p.LastName, "phone": p.Phone, "province": "Oregon", "zip": "97205",
	}
}

func (version202111) line(of Customer, item int) fields {
	return fields{
		"purchase_item_id": number(of.SubscriptionID(item)), "purchase_item_type": "subscription",
		"external_product_id": ecommerce(productID(item)), "external_variant_id": ecommerce(variantID(item)),
		"title": title(item), "variant_title": "1 lb", "sku": sku(item), "quantity": 1, "grams": 454,
		"original_price": money(price(item)), "unit_price": money(price(item)), "total_price": money(price(item)),
		"tax_due": "0.00", "tax_lines": []any{}, "taxable": false, "properties": []any{},
	}
}
