package flow

import (
	"net/url"
	"strings"
)

// Shop is the shop's data for the texts of a store; "" means not configured. In the three link templates {shop} is replaced by
// the host of URL, {hash} by the secret part of a customer's links.
type Shop struct {
	Name          string // sms.shop_name, {{ shop.name }}, {{ shop_name }}: the brand, with which every text begins
	URL           string // sms.shop_url, {{ shop.url }}: front page
	PortalURL     string // sms.portal_url
	ActivationURL string // sms.activation_url
	PaymentURL    string // sms.payment_url
	OptOut        string // sms.opt_out_text: how to opt out, at the end of some texts
	LinksURL      string // sms.links.url: the address of short links, for RenderShort

	// OwnTexts means that the destination has texts of its own: those of the flows, and the links that they use, don't matter.
	OwnTexts bool
}

// Link fills in a link template for a customer. If the template needs the customer's hash and it is unknown, Link returns the
// shop's front page.
func (s Shop) Link(template, hash string) string {
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
