package lives

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Body is the webhook's body, as API version 2021-11 spells it.
func (l Life) Body(d Delivery) []byte {
	var out bytes.Buffer
	switch {
	case d.subscription != nil:
		fmt.Fprintf(&out, `{"subscription":%s`, l.subscription(*d.subscription))
	case d.charge != nil:
		fmt.Fprintf(&out, `{"charge":%s`, l.charge(*d.charge))
	}
	if d.customer != nil {
		begin := `,"customer":`
		if out.Len() == 0 {
			begin = `{"customer":`
		}
		out.WriteString(begin + l.customer(*d.customer))
	}
	if d.noise > 0 {
		fmt.Fprintf(&out, `,"metafields":[{"key":"n","value":%d}]`, d.noise)
	}
	out.WriteString("}")
	return out.Bytes()
}

func (l Life) subscription(s subscription) string {
	cancelled, reason := "null", "null"
	if !s.cancelled.IsZero() {
		cancelled, reason = quoted(s.cancelled), `"This is too expensive"`
	}
	return fmt.Sprintf(`{"id":%d,"customer_id":%d,"address_id":%d,"status":%q,"created_at":%s,"updated_at":%s,"cancelled_at":%s,`+
		`"cancellation_reason":%s,"cancellation_reason_comments":null,"next_charge_scheduled_at":null,"product_title":%q,"variant_title":"1 lb",`+
		`"sku":%q,"external_product_id":{"ecommerce":"%d"},"external_variant_id":{"ecommerce":"%d"},"price":"12.50","quantity":1,`+
		`"presentment_currency":"USD","properties":[],"order_interval_unit":"day","order_interval_frequency":30,`+
		`"charge_interval_frequency":30,"is_prepaid":false,"max_retries_reached":false}`,
		s.id, CustomerID(l.n), addressID(l.n), s.status, quoted(s.created), quoted(s.updated), cancelled,
		reason, title(s.product), sku(s.product), productID(s.product), variantID(s.product))
}

func (l Life) charge(c charge) string {
	lines := make([]string, len(c.items))
	for i, id := range c.items {
		lines[i] = fmt.Sprintf(`{"purchase_item_id":%d,"purchase_item_type":"subscription","quantity":1,"title":"Coffee","unit_price":"12.50"}`, id)
	}
	processed, failure := "null", "null"
	if !c.processed.IsZero() {
		processed = quoted(c.processed)
	}
	if c.failure != "" {
		failure = strconv.Quote(c.failure)
	}
	return fmt.Sprintf(`{"id":%d,"address_id":%d,"customer":{"id":%d,"email":%q,"hash":"h%d"},"status":%q,"type":"recurring",`+
		`"currency":"USD","total_price":"17.40","created_at":%s,"updated_at":%s,"processed_at":%s,"scheduled_at":%q,"error_type":%s,`+
		`"shipping_address":{"country_code":"US","province":"Oregon","zip":"97205","phone":"+1503555%04d"},"line_items":[%s]}`,
		c.id, addressID(l.n), CustomerID(l.n), c.email, l.n, c.status,
		quoted(c.created), quoted(c.updated), processed, c.created.Format(time.DateOnly), failure, l.n%10_000, strings.Join(lines, ","))
}

func (l Life) customer(c customer) string {
	if c.bare {
		return fmt.Sprintf(`{"id":%d}`, CustomerID(l.n))
	}
	return fmt.Sprintf(`{"id":%d,"email":%q,"first_name":%q,"last_name":"Example","phone":%q,"hash":"h%d",`+
		`"external_customer_id":{"ecommerce":"%d"},"subscriptions_active_count":%d,"subscriptions_total_count":%d,"created_at":%s,"updated_at":%s}`,
		CustomerID(l.n), c.email, c.first, c.phone, l.n, platformID(l.n), c.active, c.total, quoted(c.created), quoted(c.updated))
}

func quoted(t time.Time) string { return t.Format(`"2006-01-02T15:04:05+00:00"`) }

func addressID(n int) int64  { return 300_000_000 + int64(n) }
func platformID(n int) int64 { return 5_200_000_000_000 + int64(n) }

// What a product is called.
func title(product int) string    { return fmt.Sprintf("House Blend No. %d", product) }
func sku(product int) string      { return fmt.Sprintf("BEAN-%d", product) }
func productID(product int) int   { return 6_640_000_000 + product }
func variantID(product int) int64 { return 39_680_000_000 + int64(product) }
