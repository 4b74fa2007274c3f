package flow

import (
	"maps"
	"slices"
)

// Variables is what a text may mention. Everything is as Recharge or the shop says it; what is empty (or 0) is not known
// and is nil in the text, so that {{ first_name | default: "there" }} and {% if total %} work.
type Variables struct {
	Shop         Shop         // {{ shop.* }}
	Customer     Customer     // {{ customer.* }}
	Subscription Subscription // {{ subscription.* }}
	Charge       Charge       // {{ charge.* }}
	Order        Order        // {{ order.* }}
}

// Shop is who speaks.
type Shop struct {
	Name string // {{ shop.name }}, {{ shop_name }}: the brand, first word of every text
	URL  string // {{ shop.url }}: front page
}

// Customer is who is spoken to.
type Customer struct {
	FirstName     string // {{ customer.first_name }}, {{ first_name }}
	LastName      string // {{ customer.last_name }}
	PortalURL     string // {{ customer.portal_url }}, {{ portal_url }}: from the store's sms.portal_url
	ActivationURL string // {{ customer.activation_url }}, {{ activation_url }}: from the store's sms.activation_url
}

// Subscription is what the text is about.
type Subscription struct {
	ID                 string // {{ subscription.id }}: Recharge's number
	ProductTitle       string // {{ subscription.product_title }}, {{ product_title }}
	VariantTitle       string // {{ subscription.variant_title }}
	Quantity           int    // {{ subscription.quantity }}
	Price              string // {{ subscription.price }}: as it is to be read, with its currency
	Interval           string // {{ subscription.interval }}: "30 day", "1 month"
	NextChargeDate     string // {{ subscription.next_charge_date }}, {{ next_charge_date }}: 2006-01-02
	CancellationReason string // {{ subscription.cancellation_reason }}
}

// Charge is the payment the text is about.
type Charge struct {
	Total            string // {{ charge.total }}: decimal, "34.50"; {{ total }} is "34.50 USD"
	Currency         string // {{ charge.currency }}: ISO 4217, "USD"
	ScheduledAt      string // {{ charge.scheduled_at }}: 2006-01-02
	Error            string // {{ charge.error }}: why it failed
	Attempts         int    // {{ charge.attempts }}: how often it was tried
	NextRetryDate    string // {{ charge.next_retry_date }}, {{ retry_date }}: 2006-01-02
	PaymentUpdateURL string // {{ charge.payment_update_url }}, {{ payment_url }}: from the store's sms.payment_url
}

// Order is the delivery the text is about.
type Order struct {
	Number       string // {{ order.number }}, {{ order_number }}: without #
	ScheduledAt  string // {{ order.scheduled_at }}: 2006-01-02
	ItemsSummary string // {{ order.items_summary }}: "Coffee, Tea and 2 more"
}

// Names returns every name a text may use, in alphabetical order: flat ones and object.property.
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

// bindings binds every known name; nil where nothing is known. Only misspelt names are left to be errors.
func (v Variables) bindings() map[string]any {
	return map[string]any{
		"shop": map[string]any{
			"name": known(v.Shop.Name), "url": known(v.Shop.URL),
		},
		"customer": map[string]any{
			"first_name": known(v.Customer.FirstName), "last_name": known(v.Customer.LastName),
			"portal_url": known(v.Customer.PortalURL), "activation_url": known(v.Customer.ActivationURL),
		},
		"subscription":     v.Subscription.bindings(),
		"charge":           v.Charge.bindings(),
		"order":            v.Order.bindings(),
		"first_name":       known(v.Customer.FirstName),
		"shop_name":        known(v.Shop.Name),
		"product_title":    known(v.Subscription.ProductTitle),
		"next_charge_date": known(v.Subscription.NextChargeDate),
		"portal_url":       known(v.Customer.PortalURL),
		"total":            v.Charge.amount(),
		"retry_date":       known(v.Charge.NextRetryDate),
		"payment_url":      known(v.Charge.PaymentUpdateURL),
		"order_number":     known(v.Order.Number),
		"activation_url":   known(v.Customer.ActivationURL),
	}
}

func (s Subscription) bindings() map[string]any {
	return map[string]any{
		"id": known(s.ID), "product_title": known(s.ProductTitle), "variant_title": known(s.VariantTitle),
		"quantity": known(s.Quantity), "price": known(s.Price), "interval": known(s.Interval),
		"next_charge_date": known(s.NextChargeDate), "cancellation_reason": known(s.CancellationReason),
	}
}

func (c Charge) bindings() map[string]any {
	return map[string]any{
		"total": known(c.Total), "currency": known(c.Currency), "scheduled_at": known(c.ScheduledAt),
		"error": known(c.Error), "attempts": known(c.Attempts), "next_retry_date": known(c.NextRetryDate),
		"payment_update_url": known(c.PaymentUpdateURL),
	}
}

// amount is the total as it is to be read: never without its currency, where that is known.
func (c Charge) amount() any {
	if c.Total == "" || c.Currency == "" {
		return known(c.Total)
	}
	return c.Total + " " + c.Currency
}

func (o Order) bindings() map[string]any {
	return map[string]any{
		"number": known(o.Number), "scheduled_at": known(o.ScheduledAt), "items_summary": known(o.ItemsSummary),
	}
}

// known turns a zero value into nil, since Liquid takes "" and 0 for true.
func known[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}
