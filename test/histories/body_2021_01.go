package histories

import (
	"strconv"
	"strings"
	"time"
)

// version202101 has US Eastern times without an offset, upper case, 0 and 1 for some booleans, numbers for some money, strings
// for some numbers, and the customer's fields at the top level.
type version202101 struct{ eastern *time.Location }

func (v version202101) at(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.In(v.eastern).Format("2006-01-02T15:04:05")
}

func (v version202101) customer(of Customer, c CustomerObject) fields {
	status := "ACTIVE"
	if c.Active == 0 {
		status = "INACTIVE"
	}
	return fields{
		"id": number(of.ID()), "email": c.Email, "first_name": c.FirstName, "last_name": c.LastName,
		"phone": c.Phone, "billing_phone": c.Phone, "hash": of.hash(), "shopify_customer_id": of.PlatformID(), "status": status,
		"number_active_subscriptions": c.Active, "number_subscriptions": c.Total,
		"created_at": v.at(c.Created), "updated_at": v.at(c.Updated), "first_charge_processed_at": v.at(c.Created),
		"accepts_marketing": 0, "has_valid_payment_method": true, "has_card_error_in_dunning": false,
		"reason_payment_method_not_valid": nil, "processor_type": "shopify_payments", "tax_exempt": false,
		"billing_address1": "1 Example St", "billing_address2": nil, "billing_city": "Portland", "billing_company": nil,
		"billing_country": "United States", "billing_province": "Oregon", "billing_zip": "97205",
		"analytics_data": fields{"utm_params": []any{}},
	}
}

func (v version202101) subscription(of Customer, s Subscription) fields {
	queued := 0
	if s.Status == "active" {
		queued = 1
	}
	return fields{
		"id": number(of.SubscriptionID(s.Item)), "customer_id": number(of.ID()), "address_id": number(of.address(s.Moved)),
		"email": s.Email, "status": strings.ToUpper(s.Status),
		"created_at": v.at(s.Created), "updated_at": v.at(s.Updated), "cancelled_at": v.at(s.Cancelled),
		"cancellation_reason": reason(s), "cancellation_reason_comments": nil,
		"next_charge_scheduled_at": nothing(midnight(string(s.Due))), "has_queued_charges": queued,
		"product_title": title(s.Product), "variant_title": "1 lb", "sku": sku(s.Product), "sku_override": false,
		"shopify_product_id": number(productID(s.Product)), "shopify_variant_id": number(variantID(s.Product)),
		"recharge_product_id": 4_000_000 + s.Product, "price": number(money(price(s.Item))), "quantity": 1,
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

func (v version202101) charge(of Customer, c Charge) fields {
	return v.purchase(of, c).with(attempted("number_times_tried", "last_charge_attempt_date", c, v.at), fields{
		"id": number(of.ChargeID(c.Number)), "customer_hash": of.hash(), "scheduled_at": midnight(string(c.Due)),
		"retry_date": nothing(midnight(string(c.Retry))), "error_type": nothing(c.Failure), "orders_count": min(c.Number-1, 1), "processor_name": "shopify_payments",
		"has_uncommited_changes": false, //nolint:misspell // Recharge's own spelling in this version
		"subtotal_price":         money(subtotal(c.Items)), "total_price": money(total(c.Items)),
		"total_discounts": "0.0", "total_weight": 454 * len(c.Items),
	})
}

func (v version202101) order(of Customer, c Charge) fields {
	return v.purchase(of, c).with(fields{
		"id": number(of.OrderID(c.Number)), "hash": of.hash(), "shopify_customer_id": of.PlatformID(), "is_prepaid": 0,
		"charge_id": number(of.ChargeID(c.Number)), "charge_status": strings.ToUpper(c.Status), "address_is_active": 1,
		"shopify_order_number": number(of.orderNumber(c.Number)), "scheduled_at": midnight(string(c.Due)),
		"shipped_date": v.at(c.Processed), "subtotal_price": number(money(subtotal(c.Items))),
		"total_price": number(money(total(c.Items))), "total_discounts": 0,
		"customer": fields{
			"accepts_marketing": true, "email": c.Email, "first_name": c.FirstName, "last_name": c.LastName, "phone": nil,
			"send_email_welcome": false, "verified_email": true,
		},
	})
}

// purchase returns the common fields of a charge and its order.
func (v version202101) purchase(of Customer, c Charge) fields {
	lines := make([]fields, 0, len(c.Items))
	for _, item := range c.Items {
		lines = append(lines, v.line(of, item))
	}
	var order, refunds any
	if c.Refunds > 0 {
		refunds = money(c.Refunds)
	}
	if !c.Processed.IsZero() {
		order = of.platformOrder(c.Number)
	}
	return fields{
		"address_id": number(of.AddressID()), "status": strings.ToUpper(c.Status), "type": strings.ToUpper(c.Kind),
		"customer_id": number(of.ID()), "email": c.Email, "first_name": c.FirstName, "last_name": c.LastName,
		"currency": "USD", "tags": tags(c), "shopify_order_id": order,
		"created_at": v.at(c.Created), "updated_at": v.at(c.Updated), "processed_at": v.at(c.Processed),
		"billing_address": v.address(c.Person), "shipping_address": v.address(c.Person), "line_items": lines,
		"shipping_lines": []fields{{"code": "Economy", "price": money(shipping), "source": "shopify", "title": "Economy"}},
		"discount_codes": []any{}, "error": nil, "note": nil, "note_attributes": []any{}, "tax_lines": 0,
		"total_line_items_price": money(subtotal(c.Items)), "total_refunds": refunds, "total_tax": "0.0", "total_duties": "0.0",
		"browser_ip": nil, "transaction_id": nil,
	}
}

func (v version202101) address(p Person) fields {
	return fields{
		"address1": "1 Example St", "address2": "", "city": "Portland", "company": nil, "country": "United States",
		"first_name": p.FirstName, "last_name": p.LastName, "phone": p.Phone, "province": "Oregon", "zip": "97205",
	}
}

func (v version202101) line(of Customer, item int) fields {
	return fields{
		"subscription_id": number(of.SubscriptionID(item)), "shopify_product_id": productID(item), "shopify_variant_id": variantID(item),
		"title": title(item), "product_title": title(item), "variant_title": "1 lb", "sku": sku(item), "quantity": 1, "grams": 454,
		"price": money(price(item)), "original_price": number(money(price(item))), "properties": []any{}, "tax_lines": []any{},
	}
}
