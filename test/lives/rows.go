package lives

import (
	"fmt"
	"slices"
	"strings"
)

// rowsOf are the rows of the public tables, each written as `name=value` of all that it has, by key behind the store.
func (k *known) rowsOf(n int) map[string]string {
	rows := map[string]string{}
	if k.gone {
		return rows
	}
	customer := fmt.Sprint(CustomerID(n))
	if c := k.met; c != nil {
		active := ""
		if value, _, certain := k.active(); certain {
			active = fmt.Sprint(value)
		}
		rows[customer] = written(
			"recharge_customer_id", customer, "email", c.email, "first_name", c.first, "last_name", "Example", "phone", c.phone,
			"platform_id", fmt.Sprint(platformID(n)), "subscription_active", active, "created_at", stamp(c.created), "updated_at", stamp(c.updated))
	}
	for id, s := range k.subs {
		if s.deleted.IsZero() {
			rows[fmt.Sprintf("%s/%d", customer, id)] = s.row(n)
		}
	}
	return rows
}

func (s *snapshot) row(n int) string {
	cancelled, reason := "", ""
	if !s.cancelled.IsZero() {
		cancelled, reason = stamp(s.cancelled), "This is too expensive"
	}
	return written(
		"recharge_customer_id", fmt.Sprint(CustomerID(n)), "id", fmt.Sprint(s.id), "address_id", fmt.Sprint(addressID(n)),
		"source_status", s.status, "product_id", fmt.Sprint(productID(s.product)), "variant_id", fmt.Sprint(variantID(s.product)),
		"sku", sku(s.product), "product_title", title(s.product), "variant_title", "1 lb", "price", "12.50", "currency", "USD",
		"quantity", "1", "interval_unit", "day", "order_interval", "30", "charge_interval", "30", "is_prepaid", "false",
		"created_at", stamp(s.created), "cancelled_at", cancelled, "cancellation_reason", reason, "status", s.status, "updated_at", stamp(s.updated))
}

// written puts names and values in the order of names, and leaves out what has no value.
func written(pairs ...string) string {
	var list []string
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			list = append(list, pairs[i]+"="+pairs[i+1])
		}
	}
	slices.Sort(list)
	return strings.Join(list, "; ")
}
