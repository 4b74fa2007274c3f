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

// SampleHash is the secret part of a customer's links in samples.
const SampleHash = "6f5902ac237024bd"

// sampleCode is the code of the short links in previews.
func sampleCode() links.Code { return "4kZ0qN7sXb2" }

// Previews renders the text of a flow with the sample values of each resource that its triggers can be about, for a shop. Values that the
// shop lacks are those of the sample.
func Previews(f Flow, shop Shop) ([]Preview, error) {
	var previews []Preview
	for _, about := range f.Key.Resources() {
		p, err := PreviewOf(f, about, shop.Sample(about))
		if err != nil {
			return nil, err
		}
		previews = append(previews, p)
	}
	return previews, nil
}

// Sample returns the sample values of a trigger about a resource, with those of the shop.
func (s Shop) Sample(about Resource) Variables {
	v := SampleOf(about)
	s.fill(&v)
	return v
}

// PreviewOf renders the text of a flow with values, whose shop has the words of an opt-out.
func PreviewOf(f Flow, about Resource, v Variables) (Preview, error) {
	v.OptOut = false
	text, _, err := RenderShort(f, v, sampleCode)
	if err != nil {
		return Preview{}, err
	}
	encoding, parts := Segments(text)
	p := Preview{About: about, Text: text, Encoding: encoding, Characters: utf8.RuneCountInString(text), Parts: parts}
	if v.Shop.OptOut == "" {
		return p, nil
	}
	v.OptOut = true
	if text, _, err = RenderShort(f, v, sampleCode); err != nil {
		return Preview{}, err
	}
	_, p.OptOutParts = Segments(text)
	return p, nil
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
		{&v.Shop.OptOut, s.OptOut},
		{&v.Customer.PortalURL, s.Link(s.PortalURL, SampleHash)},
		{&v.Customer.ActivationURL, s.Link(s.ActivationURL, SampleHash)},
		{&v.Charge.PaymentUpdateURL, s.Link(s.PaymentURL, SampleHash)},
	} {
		*each.value = cmp.Or(each.shops, *each.value)
	}
}
