package histories

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// version writes resources as one API version does; the differences are those of the recordings, see
// https://docs.rechargepayments.com/changelog/2021-11-api-release-notes and the two versions of one order in
// https://github.com/airbytehq/airbyte, source-recharge/integration_tests.
type version interface {
	customer(of Customer, c CustomerObject) fields
	subscription(of Customer, s Subscription) fields
	charge(of Customer, c Charge) fields
	order(of Customer, c Charge) fields
}

func newVersion(v recharge.Version) version {
	if v == recharge.Version202101 {
		return version202101{eastern: eastern()}
	}
	return version202111{}
}

// eastern returns the time zone of 2021-01. The package recharge embeds the time zone data.
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

// ecommerce returns the 2021-11 form of an id of the shop platform.
func ecommerce(id string) fields { return fields{"ecommerce": id} }

// The ids and names of products.
func productID(product int) string { return decimal(6_640_000_000_000 + int64(product)) }
func variantID(product int) string { return decimal(39_680_000_000_000 + int64(product)) }
func sku(product int) string       { return fmt.Sprintf("BEAN-%02d", product) }
func title(product int) string     { return fmt.Sprintf("House Blend No. %d", product) }

// Prices in cents: a pound of coffee, and its shipping.
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

// tags and orders_count depend on whether it is a first or a later order.
func tags(c Charge) string {
	if c.Kind == "checkout" {
		return "Subscription, Subscription First Order"
	}
	return "Subscription, Subscription Recurring Order"
}

// attempted are the number of a charge's failed attempts and the time of the last one, which only charges have that failed.
func attempted(number, last string, c Charge, at func(time.Time) any) fields {
	if c.Attempts == 0 {
		return nil
	}
	return fields{number: c.Attempts, last: at(c.Attempted)}
}

// nothing returns null for an empty text.
func nothing(text string) any {
	if text == "" {
		return nil
	}
	return text
}
