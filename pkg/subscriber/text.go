package subscriber

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/wording"
)

// Variables returns the values that the text of triggers of one flow and one action can use, oldest first. Where they are about several
// products it names them all; everything else is that of the last.
func Variables(triggers []Trigger, shop flow.Shop) flow.Variables {
	last := triggers[len(triggers)-1]
	v := last.Variables(shop)
	var products []string
	for _, t := range triggers {
		for _, product := range t.products() {
			if !slices.Contains(products, product) {
				products = append(products, product)
			}
		}
	}
	if len(triggers) > 1 && len(products) > 1 {
		v.Subscription.ProductTitle = wording.Products(products)
	}
	return v
}

// products returns the titles of what the trigger is about.
func (t Trigger) products() []string {
	switch {
	case t.Subscription != nil:
		return []string{t.Subscription.ProductTitle}
	case t.Charge != nil:
		return titles(t.Charge.Items)
	case t.Order != nil:
		return titles(t.Order.Items)
	}
	return nil
}

// Variables returns the values that the trigger's text can use.
func (t Trigger) Variables(shop flow.Shop) flow.Variables {
	v := flow.Variables{
		Shop: shop,
		Customer: flow.Customer{
			FirstName: wording.Greeting(t.Recipient.FirstName), LastName: wording.Greeting(t.Recipient.LastName),
			PortalURL:     shop.Link(shop.PortalURL, t.Recipient.PortalHash),
			ActivationURL: shop.Link(shop.ActivationURL, t.Recipient.PortalHash),
		},
		Charge: flow.Charge{PaymentUpdateURL: shop.Link(shop.PaymentURL, t.Recipient.PortalHash)},
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

func aboutSubscription(v *flow.Variables, s *Subscription) {
	v.Subscription = flow.Subscription{
		ID: s.ID, ProductTitle: wording.Plain(s.ProductTitle), VariantTitle: wording.Plain(s.VariantTitle), Quantity: s.Quantity,
		Price:              strings.TrimSpace(wording.Amount(s.Price, s.Currency) + " " + s.Currency),
		NextChargeDate:     string(s.NextChargeDate),
		CancellationReason: wording.Plain(s.CancellationReason),
	}
	if s.OrderInterval > 0 {
		v.Subscription.Interval = fmt.Sprintf("%d %s", s.OrderInterval, s.IntervalUnit)
	}
}

func aboutCharge(v *flow.Variables, c *Charge) {
	v.Charge.Total, v.Charge.Currency = wording.Amount(c.TotalPrice, c.Currency), c.Currency
	v.Charge.ScheduledAt = string(c.ScheduledDate)
	v.Charge.Error, v.Charge.Attempts = wording.ChargeError(c.ErrorType), c.Attempts
	v.Charge.NextRetryDate = string(recharge.DayOf(c.RetryAt))
	v.Subscription.ProductTitle, v.Subscription.NextChargeDate = wording.Products(titles(c.Items)), string(c.ScheduledDate)
}

func aboutOrder(v *flow.Variables, o *Order) {
	v.Order = flow.Order{Number: o.Number, ScheduledAt: string(o.ScheduledDate), ItemsSummary: wording.Summary(titles(o.Items))}
	v.Charge.Total, v.Charge.Currency = wording.Amount(o.TotalPrice, o.Currency), o.Currency
	v.Subscription.ProductTitle, v.Subscription.NextChargeDate = wording.Products(titles(o.Items)), string(o.ScheduledDate)
}

func titles(items []Item) []string {
	list := make([]string, 0, len(items))
	for _, item := range items {
		list = append(list, item.Title)
	}
	return list
}
