package flow

import (
	"maps"
	"slices"
	"strings"
)

// Variables are the values that a text can use, spelled as by Recharge or the shop. An empty value (or 0) is unknown and is nil
// in the text, so that {{ first_name | default: "there" }} and {% if total %} work.
type Variables struct {
	Shop         Shop         // {{ shop.name }}, {{ shop.url }}
	Customer     Customer     // {{ customer.* }}
	Subscription Subscription // {{ subscription.* }}
	Charge       Charge       // {{ charge.* }}
	Order        Order        // {{ order.* }}
	Items        Items        // {{ items }}, {{ items_count }}, {{ items_summary }}

	OptOut bool // the text says at its end how to opt out, in the words of Shop.OptOut
}

// Items are the different products that the text is about: of all subscriptions of one action, of a charge, or of an order.
type Items struct {
	Titles  []string // {{ items }}: for the filter join; {{ items_count }} is their number
	Summary string   // {{ items_summary }}: "Coffee, Tea and 2 more"
}

// Customer is the recipient.
type Customer struct {
	FirstName     string // {{ customer.first_name }}, {{ first_name }}
	LastName      string // {{ customer.last_name }}
	PortalURL     string // {{ customer.portal_url }}, {{ portal_url }}: from the store's sms.portal_url
	ActivationURL string // {{ customer.activation_url }}, {{ activation_url }}: from the store's sms.activation_url
}

// Subscription is the subscription that the text is about.
type Subscription struct {
	ID                 string // {{ subscription.id }}: Recharge's number
	ProductTitle       string // {{ subscription.product_title }}, {{ product_title }}
	VariantTitle       string // {{ subscription.variant_title }}
	Quantity           int    // {{ subscription.quantity }}
	Price              string // {{ subscription.price }}: with its currency, "$24.90"
	Interval           string // {{ subscription.interval }}: "30 days", "1 month"
	NextChargeDate     string // {{ subscription.next_charge_date }}, {{ next_charge_date }}: 2006-01-02
	CancellationReason string // {{ subscription.cancellation_reason }}
}

// Charge is the payment the text is about.
type Charge struct {
	Amount           string // {{ total }}: with its currency, "$34.50"
	Total            string // {{ charge.total }}: without it, "34.50"
	Currency         string // {{ charge.currency }}: ISO 4217, "USD"
	ScheduledAt      string // {{ charge.scheduled_at }}: 2006-01-02
	Error            string // {{ charge.error }}: why it failed, "your card has expired"
	Attempts         int    // {{ charge.attempts }}: number of attempts
	NextRetryDate    string // {{ charge.next_retry_date }}, {{ retry_date }}: 2006-01-02
	PaymentUpdateURL string // {{ charge.payment_update_url }}, {{ payment_url }}: from the store's sms.payment_url
}

// Order is the delivery the text is about.
type Order struct {
	Number       string // {{ order.number }}, {{ order_number }}: without #
	ScheduledAt  string // {{ order.scheduled_at }}: 2006-01-02
	ItemsSummary string // {{ order.items_summary }}: same as {{ items_summary }}
}

// Masked returns the variables with the customer's names masked, and without what they have written.
func (v Variables) Masked() Variables {
	v.Customer.FirstName, v.Customer.LastName = initial(v.Customer.FirstName), initial(v.Customer.LastName)
	if v.Subscription.CancellationReason != "" {
		v.Subscription.CancellationReason = hidden
	}
	return v
}

// hidden stands for what is not shown.
const hidden = "***"

// initial returns the first letter of a name.
func initial(name string) string {
	if name == "" {
		return ""
	}
	return string([]rune(name)[:1]) + hidden
}

// Names returns the names that a text can use, in alphabetical order: short names and object.property.
func Names() []string {
	var names []string
	for name, value := range (Variables{}).bindings() {
		object, ok := value.(map[string]any)
		if !ok {
			names = append(names, name)
			continue
		}
		for property := range maps.Keys(object) {
			names = append(names, name+"."+property)
		}
	}
	slices.Sort(names)
	return names
}

// lookup returns the value of a name, nil if it is unknown.
func lookup(bound map[string]any, name string) any {
	object, property, nested := strings.Cut(name, ".")
	if !nested {
		return bound[name]
	}
	properties, _ := bound[object].(map[string]any)
	return properties[property]
}

// bindings binds all names, unknown values to nil. So only misspelled names are errors.
func (v Variables) bindings() map[string]any {
	return map[string]any{
		"shop": map[string]any{
			"name": orNil(v.Shop.Name), "url": orNil(v.Shop.URL),
		},
		"customer": map[string]any{
			"first_name": orNil(v.Customer.FirstName), "last_name": orNil(v.Customer.LastName),
			"portal_url": orNil(v.Customer.PortalURL), "activation_url": orNil(v.Customer.ActivationURL),
		},
		"subscription":     v.Subscription.bindings(),
		"charge":           v.Charge.bindings(),
		"order":            v.Order.bindings(),
		"first_name":       orNil(v.Customer.FirstName),
		"shop_name":        orNil(v.Shop.Name),
		"product_title":    orNil(v.Subscription.ProductTitle),
		"next_charge_date": orNil(v.Subscription.NextChargeDate),
		"portal_url":       orNil(v.Customer.PortalURL),
		"total":            orNil(v.Charge.Amount),
		"retry_date":       orNil(v.Charge.NextRetryDate),
		"payment_url":      orNil(v.Charge.PaymentUpdateURL),
		"order_number":     orNil(v.Order.Number),
		"activation_url":   orNil(v.Customer.ActivationURL),
		"items":            v.Items.list(),
		"items_count":      orNil(len(v.Items.Titles)),
		"items_summary":    orNil(v.Items.Summary),
	}
}

func (s Subscription) bindings() map[string]any {
	return map[string]any{
		"id": orNil(s.ID), "product_title": orNil(s.ProductTitle), "variant_title": orNil(s.VariantTitle),
		"quantity": orNil(s.Quantity), "price": orNil(s.Price), "interval": orNil(s.Interval),
		"next_charge_date": orNil(s.NextChargeDate), "cancellation_reason": orNil(s.CancellationReason),
	}
}

func (c Charge) bindings() map[string]any {
	return map[string]any{
		"total": orNil(c.Total), "currency": orNil(c.Currency), "scheduled_at": orNil(c.ScheduledAt),
		"error": orNil(c.Error), "attempts": orNil(c.Attempts), "next_retry_date": orNil(c.NextRetryDate),
		"payment_update_url": orNil(c.PaymentUpdateURL),
	}
}

func (o Order) bindings() map[string]any {
	return map[string]any{
		"number": orNil(o.Number), "scheduled_at": orNil(o.ScheduledAt), "items_summary": orNil(o.ItemsSummary),
	}
}

// list returns the titles, nil if there are none.
func (i Items) list() any {
	if len(i.Titles) == 0 {
		return nil
	}
	return i.Titles
}

// orNil turns a zero value into nil, because "" and 0 are true in Liquid.
func orNil[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}
