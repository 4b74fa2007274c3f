package subscriber

import (
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/seal"
	"github.com/rechargeflow/rechargeflow/pkg/wording"
)

// Variables returns the values that the text of triggers of one flow and one action can use, oldest first. The products are those of all
// triggers; everything else is that of the last.
func Variables(triggers []Trigger, shop flow.Shop) flow.Variables {
	last := triggers[len(triggers)-1]
	v := last.values(shop)
	var titles []string
	for _, t := range triggers {
		titles = append(titles, t.titles()...)
	}
	v.Subscription.ProductTitle = wording.Products(titles)
	v.Items = flow.Items{Titles: wording.Titles(titles), Summary: wording.Summary(titles)}
	if last.Order != nil {
		v.Order.ItemsSummary = v.Items.Summary
	}
	return v
}

// titles returns the titles of the products that the trigger is about. A product of a charge or an order whose subscription is no longer
// among the trigger's items is left out.
func (t Trigger) titles() []string {
	switch {
	case t.Subscription != nil:
		return []string{t.Subscription.ProductTitle}
	case t.Charge != nil:
		return titles(t.Charge.Items, t.Items)
	case t.Order != nil:
		return titles(t.Order.Items, t.Items)
	}
	return nil
}

func titles(items []Item, about []string) []string {
	list := make([]string, 0, len(items))
	for _, item := range items {
		if item.SubscriptionID == "" || slices.Contains(about, "subscription/"+item.SubscriptionID) {
			list = append(list, item.Title)
		}
	}
	return list
}

// Variables returns the values that the trigger's text can use.
func (t Trigger) Variables(shop flow.Shop) flow.Variables { return Variables([]Trigger{t}, shop) }

// values returns the values that are not about products.
func (t Trigger) values(shop flow.Shop) flow.Variables {
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
	if t.leavesOut() { // the total is of all products
		v.Charge.Amount, v.Charge.Total = "", ""
	}
	return v
}

// leavesOut reports whether a product of the charge or order is not in the text.
func (t Trigger) leavesOut() bool {
	switch {
	case t.Charge != nil:
		return len(t.titles()) < len(t.Charge.Items)
	case t.Order != nil:
		return len(t.titles()) < len(t.Order.Items)
	}
	return false
}

func aboutSubscription(v *flow.Variables, s *Subscription) {
	v.Subscription = flow.Subscription{
		ID: s.ID, VariantTitle: wording.Plain(s.VariantTitle), Quantity: s.Quantity,
		Price:              wording.Money(s.Price, s.Currency),
		NextChargeDate:     string(s.NextChargeDate),
		CancellationReason: wording.Plain(s.CancellationReason),
	}
	if s.OrderInterval > 0 {
		v.Subscription.Interval = wording.Interval(s.OrderInterval, s.IntervalUnit)
	}
}

func aboutCharge(v *flow.Variables, c *Charge) {
	costs(&v.Charge, c.TotalPrice, c.Currency)
	v.Charge.ScheduledAt = string(c.ScheduledDate)
	v.Charge.Error, v.Charge.Attempts = wording.ChargeError(c.ErrorType), c.Attempts
	v.Charge.NextRetryDate = string(recharge.DayOf(c.RetryAt))
	v.Subscription.NextChargeDate = string(c.ScheduledDate)
}

func aboutOrder(v *flow.Variables, o *Order) {
	v.Order = flow.Order{Number: o.Number, ScheduledAt: string(o.ScheduledDate)}
	costs(&v.Charge, o.TotalPrice, o.Currency)
	v.Subscription.NextChargeDate = string(o.ScheduledDate)
}

func costs(c *flow.Charge, total, currency string) {
	c.Amount, c.Total, c.Currency = wording.Money(total, currency), wording.Amount(total, currency), currency
}

// Portal makes links to the customer portal. Who has such a link needs no password, so it is sealed in topics: only the tracking sink opens
// it.
type Portal struct {
	// Template is bloomreach.portal_url, with {hash} and {shop}; "" makes no links.
	Template string
	// ShopURL is the shop's address, whose host replaces {shop}.
	ShopURL string
	// Key seals and opens links. The zero Key makes none.
	Key seal.Key
}

// link returns the sealed link of a customer, "" for none.
func (p Portal) link(hash string) string {
	if p.Template == "" || p.Key.IsZero() || hash == "" {
		return ""
	}
	return p.Key.Seal(flow.Shop{URL: p.ShopURL}.Link(p.Template, hash))
}

// Open opens the link of an event. One that was sealed with another key is removed.
func (p Portal) Open(e *Event) {
	if e.PortalLink != "" {
		e.PortalLink, _ = p.Key.Open(e.PortalLink) // the key was changed: the event is worth more than its link
	}
}

// linkPortal adds the sealed link to an event about a subscription, a charge or an order.
func (d *draft) linkPortal(e *Event) {
	if e.Subscription != nil || e.Charge != nil || e.Order != nil {
		e.PortalLink = d.settings.Portal.link(d.state.Customer.Hash)
	}
}
