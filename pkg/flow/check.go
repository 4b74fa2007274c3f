package flow

import (
	"errors"
	"slices"
	"strings"
)

// Links are the store's link templates, and what else of a store texts may use; "" is not configured.
type Links struct {
	Portal     string // sms.portal_url
	Activation string // sms.activation_url
	Payment    string // sms.payment_url
	ShopName   string // sms.shop_name
	ShopURL    string // sms.shop_url: also what {shop} in a link stands for, and where one leads whose {hash} is unknown
}

// Check judges the flows of a store, all faults at once: every text must render, with sample values and with none known,
// and a flow may be active only if this version can do all that it asks for:
//   - its quiet hours can not be kept yet, so none of the flows with quiet hours can be active
//   - a link that its text uses must be configured for the store
//
// The five flows that have quiet hours have them for good.
func Check(flows []Flow, store string, links Links) error {
	var fs faults
	for _, f := range flows {
		checkName(f, &fs)
		checkText(f, &fs)
		checkQuietHours(f, &fs)
		checkLinks(f, store, links, &fs)
	}
	return fs.err()
}

func checkName(f Flow, fs *faults) {
	if strings.TrimSpace(f.Name) == "" {
		fs.add(string(f.Key), "name", "is empty: give the flow a name, or take the field out to keep the built-in one")
	}
}

// checkText renders the text as it would be sent. A text that is empty when nothing is known is fine: it depends on a value.
func checkText(f Flow, fs *faults) {
	if strings.TrimSpace(f.Text) == "" {
		fs.add(string(f.Key), "text", "is empty: write one, or take the field out to keep the built-in one")
		return
	}
	if _, err := rendered(f.Text, Sample()); err != nil {
		fs.add(string(f.Key), "text", "%s", explained(err))
		return
	}
	if _, err := rendered(f.Text, Variables{}); err != nil && !errors.Is(err, ErrEmpty) {
		fs.add(string(f.Key), "text", "fails when a value is not known: %s", explained(err))
	}
}

// explained puts the error of a text in the words of somebody who tries it with sample values.
func explained(err error) string {
	switch {
	case errors.Is(err, ErrTooLong):
		return errTooLong.Error() + " with sample values: shorten it"
	case errors.Is(err, ErrEmpty):
		return "is empty with sample values: write what it says"
	default:
		return err.Error()
	}
}

func checkQuietHours(f Flow, fs *faults) {
	if f.Key.KeepsQuiet() && !f.QuietHours {
		fs.add(string(f.Key), "quiet_hours", "is false, but quiet hours always apply to this flow: set it to true or take the field out")
	}
	if f.Active && (f.QuietHours || f.Key.KeepsQuiet()) {
		fs.add(string(f.Key), "active", "is true, but this version can not keep quiet hours yet (it can not hold a text back), "+
			"and a flow with quiet hours can not be activated until it can: set active to false")
	}
}

func checkLinks(f Flow, store string, links Links, fs *faults) {
	if !f.Active {
		return
	}
	used := scan(f.Text).variables
	for _, link := range []struct {
		names    []string
		template string
		key      string
	}{
		{[]string{"portal_url", "customer.portal_url"}, links.Portal, "sms.portal_url"},
		{[]string{"activation_url", "customer.activation_url"}, links.Activation, "sms.activation_url"},
		{[]string{"payment_url", "charge.payment_update_url"}, links.Payment, "sms.payment_url"},
		{[]string{"shop_name", "shop.name"}, links.ShopName, "sms.shop_name"},
		{[]string{"shop.url"}, links.ShopURL, "sms.shop_url"},
	} {
		i := slices.IndexFunc(used, func(name string) bool { return slices.Contains(link.names, name) })
		switch {
		case i < 0:
		case link.template == "":
			fs.add(string(f.Key), "active", "is true and the text uses %s, but store %s has no %s: set it, or take it out of the text",
				used[i], store, link.key)
		case strings.ContainsAny(link.template, "{}") && links.ShopURL == "":
			fs.add(string(f.Key), "active", "is true and %s of store %s has places to fill, but the store has no sms.shop_url: set it",
				link.key, store)
		}
	}
}
