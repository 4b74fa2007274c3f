package flow

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// Check validates the flows of a store and reports all faults at once. Every text must use only values that a trigger of
// its flow can have, and render with sample values and with no value known. For an active flow the store must have a name, and every link
// that its text uses. The texts of a store whose destination has its own are not checked.
func Check(flows []Flow, store string, shop Shop) error {
	var fs faults
	for _, f := range flows {
		checkName(f, &fs)
		checkLimits(f, &fs)
		if !shop.OwnTexts {
			checkText(f, shop, &fs)
			checkLinks(f, store, shop, &fs)
		}
	}
	return fs.err()
}

func checkName(f Flow, fs *faults) {
	if strings.TrimSpace(f.Name) == "" {
		fs.add(string(f.Key), "name", "is empty: give the flow a name, or remove the field to keep the built-in one")
	}
}

// checkText renders the text as it would be sent. Without any values it may be empty: then it depends on a value.
func checkText(f Flow, shop Shop, fs *faults) {
	if strings.TrimSpace(f.Text) == "" {
		fs.add(string(f.Key), "text", "is empty: write one, or remove the field to keep the built-in one")
		return
	}
	if name, can := f.never(); name != "" {
		fs.add(string(f.Key), "text", "uses %s, which the webhooks of this flow do not have: it may use %s", name, joined(can))
		return
	}
	for _, r := range f.Key.Resources() {
		values := SampleOf(r)
		values.Shop.Name, values.Shop.OptOut, values.OptOut = cmp.Or(shop.Name, values.Shop.Name), shop.OptOut, true
		if _, err := rendered(f.Text, values); err != nil {
			fs.add(string(f.Key), "text", "%s", explained(err, f.Key, r))
			return
		}
	}
	if _, err := rendered(f.Text, Variables{}); err != nil && !errors.Is(err, ErrEmpty) {
		fs.add(string(f.Key), "text", "does not render when no value is known: %s", explained(err, f.Key, ""))
	}
}

// never returns the first variable of the text that no trigger of the flow has, and those that one may have.
func (f Flow) never() (name string, can []string) {
	can = f.Key.Names()
	for _, used := range scan(f.Text).variables {
		if slices.Contains(Names(), used) && !slices.Contains(can, used) {
			return used, can
		}
	}
	return "", can
}

// explained explains the error of a text that was rendered with sample values.
func explained(err error, key Key, r Resource) string {
	about := ""
	if len(key.Resources()) > 1 && r != "" {
		about = " of a webhook about " + string(r) + "s"
	}
	switch {
	case errors.Is(err, ErrTooLong):
		return errTooLong.Error() + " with sample values" + about + ": shorten the text"
	case errors.Is(err, ErrEmpty):
		return "is empty with sample values" + about + ": write a text that is not"
	default:
		return err.Error()
	}
}

func checkLimits(f Flow, fs *faults) {
	if f.Window < 0 || f.Window > MaxWindow {
		fs.add(string(f.Key), "window", "is %s: set 0s to %s", f.Window, MaxWindow)
	}
	switch {
	case f.PerCharge < 0 || f.PerCharge > maxPerCharge:
		fs.add(string(f.Key), "per_charge", "is %d: set 1 to %d, or 0 for any number", f.PerCharge, maxPerCharge)
	case f.PerCharge > 0 && !slices.Contains(f.Key.Resources(), AboutCharge):
		fs.add(string(f.Key), "per_charge", "is %d, but the webhooks of this flow are not about a charge: remove it", f.PerCharge)
	}
}

// maxPerCharge is the largest limit of texts about one charge.
const maxPerCharge = 100

func checkLinks(f Flow, store string, shop Shop, fs *faults) {
	if !f.Active {
		return
	}
	if strings.TrimSpace(shop.Name) == "" {
		fs.add(string(f.Key), "active", "is true, but store %s has no sms.shop_name, with which every text begins: set it", store)
	}
	used := scan(f.Text).variables
	for _, link := range []struct {
		names    []string
		template string
		key      string
	}{
		{[]string{"portal_url", "customer.portal_url"}, shop.PortalURL, "sms.portal_url"},
		{[]string{"activation_url", "customer.activation_url"}, shop.ActivationURL, "sms.activation_url"},
		{[]string{"payment_url", "charge.payment_update_url"}, shop.PaymentURL, "sms.payment_url"},
		{[]string{"shop.url"}, shop.URL, "sms.shop_url"},
	} {
		i := slices.IndexFunc(used, func(name string) bool { return slices.Contains(link.names, name) })
		switch {
		case i < 0:
		case link.template == "":
			fs.add(string(f.Key), "active", "is true and the text uses %s, but store %s has no %s: set it, or remove it from the text",
				used[i], store, link.key)
		case strings.ContainsAny(link.template, "{}") && shop.URL == "":
			fs.add(string(f.Key), "active", "is true and %s of store %s has placeholders, but the store has no sms.shop_url: set it",
				link.key, store)
		}
	}
}
