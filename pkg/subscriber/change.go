package subscriber

import (
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// customerChange drafts a customer_change if the record is the first to show another e-mail, name, phone or Shopify id. If no older
// customer data is known, a customer/updated is a change whose changed fields are not named. It applies to Shopify shops only: the
// event is about the Shopify account.
func (d *draft) customerChange() {
	c := d.webhook.Customer
	was, is := d.before.Customer, d.state.Customer
	if c == nil || d.gone || d.state.gone() {
		return
	}
	at := firstTime(c.UpdatedAt, d.receivedAt)
	updated := d.webhook.Topic == "customer/updated"
	unspecific := updated && was.unmet(at)
	var changed []string
	if !at.Before(was.UpdatedAt) {
		changed = was.differences(is)
	}
	why := reason.Unchanged
	if is.PlatformID == "" {
		why, changed, unspecific = reason.NotConnectedToShopify, nil, false
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

// unmet reports whether the state has no customer data older than at, not even an e-mail that another object mentioned.
func (k CustomerState) unmet(at time.Time) bool {
	if k.Seen {
		return !at.After(k.FirstAt)
	}
	return k.Email == "" || !at.After(k.MentionedAt)
}

// changeOf returns the customer of the object; missing fields are taken from the state.
func changeOf(c *recharge.Customer, was, is CustomerState, changed []string) *Customer {
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

// differences returns the names of the changed fields. If the customer was only mentioned, only the e-mail is compared.
func (k CustomerState) differences(other CustomerState) []string {
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
