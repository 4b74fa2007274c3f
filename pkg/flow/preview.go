package flow

import (
	"cmp"
	"unicode/utf8"

	"github.com/rechargeflow/rechargeflow/pkg/links"
)

// Preview is a flow's text with sample values.
type Preview struct {
	About      Resource `json:"about"` // what the trigger is about: it decides which values are known
	Text       string   `json:"text"`
	Encoding   Encoding `json:"encoding"`
	Characters int      `json:"characters"`
	Parts      int      `json:"parts"` // messages that are billed
	// OptOutParts are billed for a text that says how to opt out; 0 if the shop has no words for it.
	OptOutParts int `json:"opt_out_parts,omitempty"`
}

// sampleHash is the secret part of a customer's links in previews.
const sampleHash = "6f5902ac237024bd"

// sampleCode is the code of the short links in previews.
func sampleCode() links.Code { return "4kZ0qN7sXb2" }

// Previews renders the text of a flow with the sample values of each resource that its triggers can be about, for a shop. Values that the
// shop lacks are those of the sample.
func Previews(f Flow, shop Shop) ([]Preview, error) {
	var previews []Preview
	for _, about := range f.Key.Resources() {
		values := SampleOf(about)
		shop.fill(&values)
		text, _, err := RenderShort(f, values, sampleCode)
		if err != nil {
			return nil, err
		}
		encoding, parts := Segments(text)
		p := Preview{About: about, Text: text, Encoding: encoding, Characters: utf8.RuneCountInString(text), Parts: parts}
		if shop.OptOut != "" {
			values.Shop.OptOut, values.OptOut = shop.OptOut, true
			if text, _, err = RenderShort(f, values, sampleCode); err != nil {
				return nil, err
			}
			_, p.OptOutParts = Segments(text)
		}
		previews = append(previews, p)
	}
	return previews, nil
}

// fill replaces the values of a sample by those that the shop has.
func (s Shop) fill(v *Variables) {
	for _, each := range []struct {
		value *string
		shops string
	}{
		{&v.Shop.Name, s.Name},
		{&v.Shop.URL, s.URL},
		{&v.Shop.LinksURL, s.LinksURL},
		{&v.Customer.PortalURL, s.Link(s.PortalURL, sampleHash)},
		{&v.Customer.ActivationURL, s.Link(s.ActivationURL, sampleHash)},
		{&v.Charge.PaymentUpdateURL, s.Link(s.PaymentURL, sampleHash)},
	} {
		*each.value = cmp.Or(each.shops, *each.value)
	}
}
