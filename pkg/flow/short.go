package flow

import (
	"unicode/utf8"

	"github.com/rechargeflow/rechargeflow/pkg/links"
)

// RenderShort is Render with a short link in the place of each link of the shop, and these short links; with none if the shop has no address
// for them, or if the text would be too long with them. code returns the next code.
func RenderShort(f Flow, v Variables, code func() links.Code) (string, []links.Short, error) {
	text, err := Render(f, v)
	if err != nil || v.Shop.LinksURL == "" {
		return text, nil, err
	}
	short, list := links.Shortener{Base: v.Shop.LinksURL, Sources: v.links(f), Code: code}.Shorten(text)
	if utf8.RuneCountInString(short) > MaxText {
		return text, nil, nil
	}
	return short, list, nil
}

// links returns the texts and links that the shop has set. What customers type is not among them.
func (v Variables) links(f Flow) []string {
	return []string{f.Text, v.Shop.URL, v.Shop.OptOut, v.Customer.PortalURL, v.Customer.ActivationURL, v.Charge.PaymentUpdateURL}
}
