package subscriber

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// Shop is what a store's texts say of the shop. The links are templates: {shop}
// stands for the shop's host, {hash} for the secret part of a customer's links.
type Shop struct {
	Name, URL                            string
	PortalURL, ActivationURL, PaymentURL string
}

// Variables are all that the trigger's text may mention.
func (t Trigger) Variables(shop Shop) flow.Variables {
	v := flow.Variables{
		Shop: flow.Shop{Name: shop.Name, URL: shop.URL},
		Customer: flow.Customer{
			FirstName: t.Recipient.FirstName, LastName: t.Recipient.LastName,
			PortalURL:     shop.link(shop.PortalURL, t.Recipient.PortalHash),
			ActivationURL: shop.link(shop.ActivationURL, t.Recipient.PortalHash),
		},
		Charge: flow.Charge{PaymentUpdateURL: shop.link(shop.PaymentURL, t.Recipient.PortalHash)},
	}
	switch {
	case t.Subscription != nil:
		aboutSubscription(&v, t.Subscription)
	case t.Charge != nil:
		aboutCharge(&v, t.Charge)
	case t.Order != nil:
		aboutOrder(&v, t.Order)
	}
	return v
}

// link fills in a template. Without the customer's hash a link that needs it
// leads nowhere, so the shop itself stands in.
func (s Shop) link(template, hash string) string {
	if strings.Contains(template, "{hash}") && hash == "" {
		return s.URL
	}
	return strings.NewReplacer("{shop}", s.host(), "{hash}", url.PathEscape(hash)).Replace(template)
}

func (s Shop) host() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

func aboutSubscription(v *flow.Variables, s *Subscription) {
	v.Subscription = flow.Subscription{
		ID: s.ID, ProductTitle: s.ProductTitle, VariantTitle: s.VariantTitle, Quantity: s.Quantity,
		Price:              strings.TrimSpace(money(s.Price) + " " + s.Currency),
		NextChargeDate:     string(s.NextChargeDate),
		CancellationReason: s.CancellationReason,
	}
	if s.OrderInterval > 0 {
		v.Subscription.Interval = fmt.Sprintf("%d %s", s.OrderInterval, s.IntervalUnit)
	}
}

func aboutCharge(v *flow.Variables, c *Charge) {
	v.Charge.Total, v.Charge.Currency = money(c.TotalPrice), c.Currency
	v.Charge.ScheduledAt = string(c.ScheduledDate)
	v.Charge.Error, v.Charge.Attempts = c.ErrorType, c.Attempts
	if !c.RetryAt.IsZero() {
		v.Charge.NextRetryDate = c.RetryAt.Format("2006-01-02")
	}
	v.Subscription.ProductTitle, v.Subscription.NextChargeDate = firstTitle(c.Items), string(c.ScheduledDate)
}

func aboutOrder(v *flow.Variables, o *Order) {
	v.Order = flow.Order{Number: o.Number, ScheduledAt: string(o.ScheduledDate), ItemsSummary: summary(o.Items)}
	v.Charge.Total, v.Charge.Currency = money(o.TotalPrice), o.Currency
	v.Subscription.ProductTitle, v.Subscription.NextChargeDate = firstTitle(o.Items), string(o.ScheduledDate)
}

// money gives an amount two decimals at least, as people write it: API version
// 2021-01 says 41.9 where 2021-11 says 41.90.
func money(digits string) string {
	whole, fraction, _ := strings.Cut(digits, ".")
	if digits == "" || len(fraction) >= 2 {
		return digits
	}
	return whole + "." + (fraction + "00")[:2]
}

func firstTitle(items []Item) string {
	if len(items) == 0 {
		return ""
	}
	return items[0].Title
}

// summary names two products and counts the rest.
func summary(items []Item) string {
	const named = 2
	var titles []string
	for _, item := range items[:min(named, len(items))] {
		titles = append(titles, item.Title)
	}
	text := strings.Join(titles, ", ")
	if more := len(items) - named; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
