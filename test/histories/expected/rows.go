package expected

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/test/histories"
)

// rows are the rows of the public tables, each formatted as `name=value` of its fields, by key without the store.
func (s *state) rows(of histories.Customer) map[string]string {
	rows := map[string]string{}
	for id, each := range s.charges {
		if !each.deleted {
			rows[of.ID()+"/"+id] = each.row(of, id)
		}
	}
	if s.erased {
		return rows
	}
	if c := s.customer; c != nil {
		active := ""
		if value, _, certain := s.active(); certain {
			active = fmt.Sprint(value)
		}
		rows[of.ID()] = written(
			"recharge_customer_id", of.ID(), "email", c.Email, "first_name", c.FirstName, "last_name", c.LastName, "phone", c.Phone,
			"platform_id", of.PlatformID(), "subscription_active", active, "created_at", Stamp(c.Created))
	}
	for id, each := range s.snapshots {
		if each.deleted.IsZero() {
			rows[of.ID()+"/"+id] = each.row(of, id)
		}
	}
	return rows
}

func (s *snapshot) row(of histories.Customer, id string) string {
	canceled, kind, reason, status := "", "", "", s.Status
	if !s.Cancelled.IsZero() {
		canceled, kind, reason, status = Stamp(s.Cancelled), "voluntary", "This is too expensive", "canceled"
		if s.silent {
			kind = "involuntary"
		}
	}
	return written(
		"recharge_customer_id", of.ID(), "id", id, "address_id", of.AddressID(), "source_status", s.Status, "status", status,
		"product_id", fmt.Sprint(6_640_000_000_000+s.Product), "variant_id", fmt.Sprint(39_680_000_000_000+s.Product),
		"sku", fmt.Sprintf("BEAN-%02d", s.Product), "product_title", fmt.Sprintf("House Blend No. %d", s.Product), "variant_title", "1 lb",
		"price", fmt.Sprintf("%.2f", 12+0.5*float64(s.Item)), "currency", "USD", "quantity", "1",
		"interval_unit", "day", "order_interval", "30", "charge_interval", "30", "next_charge_date", string(s.Due), "is_prepaid", "false",
		"created_at", Stamp(s.Created), "canceled_at", canceled, "cancellation", kind, "cancellation_reason", reason)
}

// written formats names and values in the order of names, without empty values.
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
