package rechargetest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// spelling writes resources as one API version does; the differences are those of the recordings, see
// https://docs.rechargepayments.com/changelog/2021-11-api-release-notes and the two versions of one order in
// https://github.com/airbytehq/airbyte, source-recharge/integration_tests.
type spelling interface {
	customer(l Life, active int, updated time.Time) fields
	subscription(l Life, s subscription) fields
	charge(l Life, c charge) fields
	order(l Life, c charge) fields
}

func (l Life) spelling() spelling {
	if l.Version == recharge.Version202101 {
		return spelled202101{eastern: eastern()}
	}
	return spelled202111{}
}

// eastern is the zone of times in 2021-01. The package recharge brings the zone's table along.
func eastern() *time.Location {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		return time.UTC
	}
	return zone
}

// fields is a JSON object.
type fields map[string]any

func encode(body fields) []byte {
	text, err := json.Marshal(body)
	if err != nil {
		return []byte(err.Error()) // not JSON, so a test sees it at once
	}
	return text
}

// with adds the fields of others.
func (f fields) with(others ...fields) fields {
	for _, other := range others {
		for name, value := range other {
			f[name] = value
		}
	}
	return f
}

func number(id string) json.Number { return json.Number(id) }

// ecommerce is how 2021-11 writes an id of the shop's platform.
func ecommerce(id string) fields { return fields{"ecommerce": id} }

// The ids at the shop's platform, and what customers and products are called.
func (l Life) platformID() string { return decimal(5_200_000_000_000 + int64(l.Customer)) }

func (l Life) platformOrder(c int) string {
	return decimal(5_000_000_000_000 + int64(l.Customer)*(MaxCharges+1) + int64(c))
}
func (l Life) orderNumber(c int) string { return decimal(1000 + int64(l.Customer)*10 + int64(c)) }
func (l Life) hash() string             { return fmt.Sprintf("%030x", l.Customer) }
func productID(item int) string         { return decimal(6_640_000_000_000 + int64(item)) }
func variantID(item int) string         { return decimal(39_680_000_000_000 + int64(item)) }
func sku(item int) string               { return fmt.Sprintf("BEAN-%02d", item) }
func title(item int) string             { return fmt.Sprintf("House Blend No. %d", item) }

func (l Life) firstName() string {
	names := [...]string{"Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gwen", "Hugo", "Ida", "Jo"}
	return names[l.Customer%len(names)]
}

func (l Life) lastName() string { return fmt.Sprintf("Example%d", l.Customer) }

// Prices in cents: a pound of coffee, and its delivery.
const shipping = 490

func price(item int) int { return 1200 + 50*item }

func subtotal(items []int) int {
	sum := 0
	for _, item := range items {
		sum += price(item)
	}
	return sum
}

func total(items []int) int {
	if len(items) == 0 {
		return 0
	}
	return subtotal(items) + shipping
}

func money(cents int) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

// tags and orders_count are those of a first or a later order.
func tags(c charge) string {
	if c.kind == "checkout" {
		return "Subscription, Subscription First Order"
	}
	return "Subscription, Subscription Recurring Order"
}

// nothing is null for an empty text.
func nothing(text string) any {
	if text == "" {
		return nil
	}
	return text
}
