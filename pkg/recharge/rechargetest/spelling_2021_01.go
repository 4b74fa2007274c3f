package rechargetest

import (
	"strconv"
	"strings"
	"time"
)

// spelled202101 has US Eastern times without an offset, upper case, 0 and 1 for some booleans, numbers for some money and
// strings for some numbers, and the customer's fields at the top.
type spelled202101 struct{ eastern *time.Location }

func (v spelled202101) at(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.In(v.eastern).Format("2006-01-02T15:04:05")
}

func (v spelled202101) customer(l Life, active int, updated time.Time) fields {
	status := "ACTIVE"
	if active == 0 {
		status = "INACTIVE"
	}
	return fields{
		"id": number(l.CustomerID()), "email": l.Email(), "first_name": l.firstName(), "last_name": l.lastName(),
		"phone": l.Phone(), "billing_phone": l.Phone(), "hash": l.hash(), "shopify_customer_id": l.platformID(), "status": status,
		"number_active_subscriptions": active, "number_subscriptions": l.items(),
		"created_at": v.at(l.Past.Started), "updated_at": v.at(updated), "first_charge_processed_at": v.at(l.Past.Started),
		"accepts_marketing": 0, "has_valid_payment_method": true, "has_card_error_in_dunning": false,
		"reason_payment_method_not_valid": nil, "processor_type": "shopify_payments", "tax_exempt": false,
		"billing_address1": "1 Example St", "billing_address2": nil, "billing_city": "Portland", "billing_company": nil,
		"billing_country": "United States", "billing_province": "Oregon", "billing_zip": "97205",
		"analytics_data": fields{"utm_params": []any{}},
	}
}

func (v spelled202101) subscription(l Life, s subscription) fields {
	queued := 0
	if s.status == "active" {
		queued = 1
	}
	return fields{
		"id": number(l.SubscriptionID(s.item)), "customer_id": number(l.CustomerID()), "address_id": number(l.AddressID()),
		"email": l.Email(), "status": strings.ToUpper(s.status),
		"created_at": v.at(s.created), "updated_at": v.at(s.updated), "cancelled_at": v.at(s.cancelled),
		"cancellation_reason": reason(s), "cancellation_reason_comments": nil,
		"next_charge_scheduled_at": nothing(midnight(string(s.due))), "has_queued_charges": queued,
		"product_title": title(s.item), "variant_title": "1 lb", "sku": sku(s.item), "sku_override": false,
		"shopify_product_id": number(productID(s.item)), "shopify_variant_id": number(variantID(s.item)),
		"recharge_product_id": 4_000_000 + s.item, "price": number(money(price(s.item))), "quantity": 1,
		"presentment_currency": "USD", "properties": []any{}, "order_interval_unit": "day",
		"order_interval_frequency": strconv.Itoa(intervalDays), "charge_interval_frequency": strconv.Itoa(intervalDays),
		"order_day_of_month": nil, "order_day_of_week": nil, "expire_after_specific_number_of_charges": nil,
		"is_prepaid": false, "is_skippable": true, "is_swappable": false, "max_retries_reached": 0,
		"analytics_data": fields{"utm_params": []any{}},
	}
}

func midnight(day string) string {
	if day == "" {
		return ""
	}
	return day + "T00:00:00"
}

func (v spelled202101) charge(l Life, c charge) fields {
	return v.purchase(l, c).with(fields{
		"id": number(l.ChargeID(c.number)), "customer_hash": l.hash(), "scheduled_at": midnight(string(c.due)),
		"retry_date": nil, "error_type": nil, "orders_count": min(c.number-1, 1), "processor_name": "shopify_payments",
		"has_uncommited_changes": false, //nolint:misspell // Recharge's own spelling in this version
		"subtotal_price":         money(subtotal(c.items)), "total_price": money(total(c.items)),
		"total_discounts": "0.0", "total_weight": 454 * len(c.items),
	})
}

func (v spelled202101) order(l Life, c charge) fields {
	return v.purchase(l, c).with(fields{
		"id": number(l.OrderID(c.number)), "hash": l.hash(), "shopify_customer_id": l.platformID(), "is_prepaid": 0,
		"charge_id": number(l.ChargeID(c.number)), "charge_status": strings.ToUpper(c.status), "address_is_active": 1,
		"shopify_order_number": number(l.orderNumber(c.number)), "scheduled_at": midnight(string(c.due)),
		"shipped_date": v.at(c.processed), "subtotal_price": number(money(subtotal(c.items))),
		"total_price": number(money(total(c.items))), "total_discounts": 0,
		"customer": fields{
			"accepts_marketing": true, "email": l.Email(), "first_name": l.firstName(), "last_name": l.lastName(), "phone": nil,
			"send_email_welcome": false, "verified_email": true,
		},
	})
}

// purchase is what a charge and its order have in common.
func (v spelled202101) purchase(l Life, c charge) fields {
	lines := make([]fields, 0, len(c.items))
	for _, item := range c.items {
		lines = append(lines, v.line(l, item))
	}
	var order any
	if c.status == "success" {
		order = l.platformOrder(c.number)
	}
	return fields{
		"address_id": number(l.AddressID()), "status": strings.ToUpper(c.status), "type": strings.ToUpper(c.kind),
		"customer_id": number(l.CustomerID()), "email": l.Email(), "first_name": l.firstName(), "last_name": l.lastName(),
		"currency": "USD", "tags": tags(c), "shopify_order_id": order,
		"created_at": v.at(c.created), "updated_at": v.at(c.updated), "processed_at": v.at(c.processed),
		"billing_address": v.address(l), "shipping_address": v.address(l), "line_items": lines,
		"shipping_lines": []fields{{"code": "Economy", "price": money(shipping), "source": "shopify", "title": "Economy"}},
		"discount_codes": []any{}, "error": nil, "note": nil, "note_attributes": []any{}, "tax_lines": 0,
		"total_line_items_price": money(subtotal(c.items)), "total_refunds": nil, "total_tax": "0.0", "total_duties": "0.0",
		"browser_ip": nil, "transaction_id": nil,
	}
}

func (v spelled202101) address(l Life) fields {
	return fields{
		"address1": "1 Example St", "address2": "", "city": "Portland", "company": nil, "country": "United States",
		"first_name": l.firstName(), "last_name": l.lastName(), "phone": l.Phone(), "province": "Oregon", "zip": "97205",
	}
}

func (v spelled202101) line(l Life, item int) fields {
	return fields{
		"subscription_id": number(l.SubscriptionID(item)), "shopify_product_id": productID(item), "shopify_variant_id": variantID(item),
		"title": title(item), "product_title": title(item), "variant_title": "1 lb", "sku": sku(item), "quantity": 1, "grams": 454,
		"price": money(price(item)), "original_price": number(money(price(item))), "properties": []any{}, "tax_lines": []any{},
	}
}
