package subscriber

import (
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/seal"
)

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
