package subscriber

import (
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// customerChange tells of a customer whose e-mail, name, phone or Shopify id is another than was known, whichever record
// shows it first. Where nothing older was known to compare it with, customer/updated alone says that something changed,
// though not what. Only shops on Shopify get it: the change is one of the Shopify account.
func (d *draft) customerChange() {
	c := d.webhook.Customer
	was, is := d.before.Customer, d.memory.Customer
	if c == nil || d.gone || d.memory.gone() {
		return
	}
	at := firstTime(c.UpdatedAt, d.receivedAt)
	updated := d.webhook.Topic == "customer/updated"
	unspecific := updated && was.unmet(at)
	var changed []string
	if !at.Before(was.UpdatedAt) {
		changed = was.differences(is)
	}
	why := SkipNothingChanged
	if is.PlatformID == "" {
		why, changed, unspecific = SkipNoShopify, nil, false
	}
	if len(changed) == 0 && !unspecific {
		if updated {
			d.skip(why)
		}
		return
	}
	d.out.Events = append(d.out.Events, Event{
		ID:   factID(d.settings.Store, string(EventCustomerChange), "", c.ID, d.changed(c.UpdatedAt)),
		Type: EventCustomerChange, OccurredAt: at, Customer: changeOf(c, was, is, changed),
	})
}

// unmet says that nothing older than an object of that time was known of the customer when they were met.
func (k KnownCustomer) unmet(at time.Time) bool { return !k.Seen || !at.After(k.FirstAt) }

// changeOf shows the customer as the object does, and as is known where it lacks something.
func changeOf(c *recharge.Customer, was, is KnownCustomer, changed []string) *Customer {
	change := customerOf(c)
	change.Changed = changed
	if slices.Contains(changed, "email") {
		change.OldEmail = was.Email
	}
	change.Email, change.PlatformID = orElse(normal(c.Email), is.Email), orElse(c.PlatformID, is.PlatformID)
	if c.FirstName+c.LastName == "" {
		change.FirstName, change.LastName = is.FirstName, is.LastName
	}
	if !c.PhoneKnown {
		change.Phone = is.Phone
	}
	return change
}

// differences names what is another than it was. Of a customer who was only mentioned nothing but the e-mail was known.
func (k KnownCustomer) differences(other KnownCustomer) []string {
	var changed []string
	for _, each := range []struct {
		name, was, is string
		known         bool
	}{
		{"email", k.Email, other.Email, k.Email != ""},
		{"first_name", k.FirstName, other.FirstName, k.Seen},
		{"last_name", k.LastName, other.LastName, k.Seen},
		{"phone", k.Phone, other.Phone, k.PhoneKnown},
		{"platform_id", k.PlatformID, other.PlatformID, k.Seen},
	} {
		if each.known && each.was != each.is {
			changed = append(changed, each.name)
		}
	}
	return changed
}
