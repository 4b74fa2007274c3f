package rechargetest

import "time"

// spelled202111 has UTC times with an offset, lower case, strings for money, nested platform ids, and no e-mail in a
// subscription.
type spelled202111 struct{}

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

func (spelled202111) customer(l Life, active int, updated time.Time) fields {
	return fields{
		"id": number(l.CustomerID()), "email": l.Email(), "first_name": l.firstName(), "last_name": l.lastName(),
		"phone": l.Phone(), "hash": l.hash(), "external_customer_id": ecommerce(l.platformID()),
		"subscriptions_active_count": active, "subscriptions_total_count": l.items(),
		"created_at": utc(whole(l.Past.Started)), "updated_at": utc(updated), "first_charge_processed_at": utc(whole(l.Past.Started)),
		"has_valid_payment_method": true, "has_payment_method_in_dunning": false, "tax_exempt": false,
		"apply_credit_to_next_checkout_charge": false, "apply_credit_to_next_recurring_charge": false,
		"analytics_data": fields{"utm_params": []any{}},
	}
}

func (spelled202111) subscription(l Life, s subscription) fields {
	return fields{
		"id": number(l.SubscriptionID(s.item)), "customer_id": number(l.CustomerID()), "address_id": number(l.AddressID()),
		"status": s.status, "created_at": utc(s.created), "updated_at": utc(s.updated), "cancelled_at": utc(s.cancelled),
		"cancellation_reason": reason(s), "cancellation_reason_comments": nil,
		"next_charge_scheduled_at": nothing(string(s.due)), "has_queued_charges": s.status == "active",
		"product_title": title(s.item), "variant_title": "1 lb", "sku": sku(s.item), "sku_override": false,
		"external_product_id": ecommerce(productID(s.item)), "external_variant_id": ecommerce(variantID(s.item)),
		"price": money(price(s.item)), "quantity": 1, "presentment_currency": "USD", "properties": []any{},
		"order_interval_unit": "day", "order_interval_frequency": intervalDays, "charge_interval_frequency": intervalDays,
		"order_day_of_month": nil, "order_day_of_week": nil, "expire_after_specific_number_of_charges": nil,
		"is_prepaid": false, "is_skippable": true, "is_swappable": false, "max_retries_reached": false,
		"analytics_data": fields{"utm_params": []any{}},
	}
}

func reason(s subscription) any {
	if s.status != "cancelled" {
		return nil
	}
	return "This is too expensive"
}

func (v spelled202111) charge(l Life, c charge) fields {
	return v.purchase(l, c).with(fields{
		"id": number(l.ChargeID(c.number)), "external_transaction_id": fields{"payment_processor": nil},
		"scheduled_at": string(c.due), "retry_date": nil, "error_type": nil, "merged_at": nil,
		"orders_count": min(c.number-1, 1), "payment_processor": "shopify_payments", "has_uncommitted_changes": false,
		"taxes_included": false, "total_weight_grams": 454 * len(c.items), "subtotal_price": money(subtotal(c.items)),
		"total_price": money(total(c.items)), "total_discounts": "0.00",
	})
}

// order: its subtotal and total were recorded as numbers.
func (v spelled202111) order(l Life, c charge) fields {
	return v.purchase(l, c).with(fields{
		"id": number(l.OrderID(c.number)), "is_prepaid": false, "scheduled_at": utc(c.due.Start()),
		"charge": fields{
			"id": number(l.ChargeID(c.number)), "status": c.status, "payment_processor_name": "shopify_payments",
			"external_transaction_id": fields{"payment_processor": decimal(43_000_000_000 + int64(c.number))},
		},
		"external_order_name":   ecommerce("#" + l.orderNumber(c.number)),
		"external_order_number": ecommerce(l.orderNumber(c.number)), "external_cart_token": nil,
		"subtotal_price": number(money(subtotal(c.items))), "total_price": number(money(total(c.items))), "total_discounts": 0,
	})
}

// purchase is what a charge and its order have in common.
func (v spelled202111) purchase(l Life, c charge) fields {
	lines := make([]fields, 0, len(c.items))
	for _, item := range c.items {
		lines = append(lines, v.line(l, item))
	}
	order := fields{"ecommerce": nil}
	if c.status == "success" {
		order = ecommerce(l.platformOrder(c.number))
	}
	return fields{
		"address_id": number(l.AddressID()), "status": c.status, "type": c.kind, "currency": "USD", "tags": tags(c),
		"created_at": utc(c.created), "updated_at": utc(c.updated), "processed_at": utc(c.processed),
		"customer": fields{
			"id": number(l.CustomerID()), "email": l.Email(), "external_customer_id": ecommerce(l.platformID()), "hash": l.hash(),
		},
		"billing_address": v.address(l), "shipping_address": v.address(l), "line_items": lines, "external_order_id": order,
		"shipping_lines": []fields{{"code": "Economy", "price": money(shipping), "title": "Economy"}},
		"discounts":      []any{}, "error": nil, "note": nil, "order_attributes": []any{}, "tax_lines": []any{}, "taxable": false,
		"total_line_items_price": money(subtotal(c.items)), "total_refunds": "0.00", "total_tax": "0.00", "total_duties": "0.00",
		"client_details": fields{"browser_ip": nil, "user_agent": nil},
	}
}

func (spelled202111) address(l Life) fields {
	return fields{
		"address1": "1 Example St", "address2": nil, "city": "Portland", "company": nil, "country_code": "US",
		"first_name": l.firstName(), "last_name": l.lastName(), "phone": l.Phone(), "province": "Oregon", "zip": "97205",
	}
}

func (spelled202111) line(l Life, item int) fields {
	return fields{
		"purchase_item_id": number(l.SubscriptionID(item)), "purchase_item_type": "subscription",
		"external_product_id": ecommerce(productID(item)), "external_variant_id": ecommerce(variantID(item)),
		"title": title(item), "variant_title": "1 lb", "sku": sku(item), "quantity": 1, "grams": 454,
		"original_price": money(price(item)), "unit_price": money(price(item)), "total_price": money(price(item)),
		"tax_due": "0.00", "tax_lines": []any{}, "taxable": false, "properties": []any{},
	}
}
