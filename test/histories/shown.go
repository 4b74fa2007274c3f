package histories

import (
	"maps"
	"slices"
)

// Shown are the documents of an account at the API, in API version 2021-11, by resource and id as in its paths: what it shows after the last
// burst, whichever webhooks arrived. An erased customer has none.
func (a *Account) Shown() map[string][]byte {
	documents := map[string][]byte{}
	if a.erased {
		return documents
	}
	show := func(path string, d Delivery) {
		d.of, d.version = a.Customer, version202111{}
		documents[path] = d.Body()
	}
	show("customers/"+a.ID(), Delivery{Customer: a.object(a.active(), a.objectAt)})
	for _, s := range a.subscriptions {
		show("subscriptions/"+a.SubscriptionID(s.Item), Delivery{Subscription: &s})
	}
	for _, id := range slices.Sorted(maps.Keys(a.shown)) {
		charge := a.shown[id]
		show("charges/"+id, Delivery{Charge: &charge})
	}
	return documents
}

// show keeps what a webhook shows of a charge, unless it is older than what is known.
func (a *Account) show(d Delivery) {
	if a.shown == nil {
		a.shown = map[string]Charge{}
	}
	switch {
	case d.Topic == "charge/deleted":
		delete(a.shown, d.ID)
	case d.Charge != nil && !d.Charge.Updated.Before(a.shown[d.ID].Updated):
		a.shown[d.ID] = *d.Charge
	}
}
