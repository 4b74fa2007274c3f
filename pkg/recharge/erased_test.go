package recharge_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

func TestErased(t *testing.T) {
	const nulls = `"first_name": null, "last_name": null, "phone": null`
	tests := []struct {
		name, fields string
		erased       bool
	}{
		{"placeholders", `"email": "removed+246936001", "first_name": "Removed", "last_name": "Removed", "phone": "Removed"`, true},
		{"placeholders with a domain", `"email": "Removed+246936001@example.com", "first_name": "Removed", "last_name": "Removed"`, true},
		{"e-mail only", `"email": "removed+1@example.com", "first_name": "Jo", "last_name": "Bean"`, true},
		{"nulls", `"email": null, ` + nulls, true},
		{"the placeholder alone", `"email": "removed", "first_name": "Jo", "last_name": "Bean"`, true},
		{"no e-mail, placeholders for the names", `"email": null, "first_name": "Removed", "last_name": "removed"`, true},
		{"empty texts", `"email": "", "first_name": "", "last_name": "", "phone": ""`, true},
		{"nulls, without a phone field", `"email": null, "first_name": null, "last_name": null`, true},
		{"2021-01 nulls", `"email": null, "first_name": null, "last_name": null, "phone": null, "billing_phone": null, "status": "INACTIVE"`, true},
		{"no e-mail, names", `"email": null, "first_name": "Jo", "last_name": null, "phone": null`, false},
		{"no e-mail, a last name", `"email": null, "first_name": null, "last_name": "Bean", "phone": null`, false},
		{"no e-mail, a billing phone", `"email": null, "first_name": null, "last_name": null, "phone": null, "billing_phone": "+15035550100"`, false},
		{"no e-mail, a phone", `"email": null, "first_name": null, "last_name": null, "phone": "+15035550100"`, false},
		{"an e-mail without names", `"email": "jo.bean@example.com", ` + nulls, false},
		{"somebody called Removed", `"email": "jo@example.com", "first_name": "Removed", "last_name": "Removed", "phone": null`, false},
		{"an e-mail that begins alike", `"email": "removed+jo@example.com", ` + nulls, false},
		{"somebody at a domain", `"email": "removed@example.com", ` + nulls, false},
		{"another that begins alike", `"email": "removedfurniture@example.com", ` + nulls, false},
		{"another placeholder", `"email": "redacted", "first_name": "Deleted", "last_name": "Customer"`, true},
		{"an e-mail without a domain", `"email": "jo.bean", "first_name": "Jo", "last_name": "Bean", "phone": "+15035550100"`, true},
		{"with an underscore", `"email": "removed_246936001"`, true},
		{"with a hyphen and a domain", `"email": "removed-1@example.com"`, true},
		{"with an underscore and a domain", `"email": "REMOVED_1@example.com"`, true},
		{"with a dot and a domain", `"email": "removed.1@example.com"`, true},
		{"a word after a dot", `"email": "removed.files@example.com", ` + nulls, false},
		{"a word after a hyphen", `"email": "removed-1a@example.com", ` + nulls, false},
		{"a longer word", `"email": "removedbyjo@example.com", ` + nulls, false},
		{"a number without a separator", `"email": "removed1@example.com", ` + nulls, false},
		{"the word alone", `"email": "removed@example.com", ` + nulls, false},
		{"a separator alone", `"email": "removed+@example.com", ` + nulls, false},
		{"e-mail field missing", nulls, false},
		{"first name missing", `"email": null, "last_name": null, "phone": null`, false},
		{"last name missing", `"email": null, "first_name": null, "phone": null`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w, err := newDecoder(t).Decode("customer/updated", []byte(`{"customer": {"id": 1, "hash": "f99b", "billing_country": "United States", "billing_zip": "97201", `+test.fields+`}}`), time.Now())
			require.NoError(t, err)
			assert.Equal(t, test.erased, w.Customer.Erased)
			if test.erased {
				assert.Equal(t, &recharge.Customer{ID: "1", PhoneKnown: true, Erased: true}, w.Customer, "no placeholder is left")
			}
		})
	}
}

// No resource passes a placeholder on as an e-mail, and each shows that the customer was erased.
func TestPlaceholderIsNoEmail(t *testing.T) {
	for _, email := range []string{"removed+2", "removed+2@example.com", "Removed_2", "removed-2@example.com", "removed"} {
		for name, body := range map[string]string{
			"e-mail":            `{"id": 1, "customer_id": 2, "email": %q}`,
			"customer's e-mail": `{"id": 1, "customer": {"id": 2, "email": %q}}`,
			"one of two":        `{"id": 1, "email": "jo.bean@example.com", "customer": {"id": 2, "email": %q}}`,
			"the other of two":  `{"id": 1, "email": %q, "customer": {"id": 2, "email": "jo.bean@example.com"}}`,
		} {
			for resource, w := range resourceOf(t, body, email) {
				assert.True(t, w.Erased(), "%s, %s of %s", email, name, resource)
				assert.Empty(t, emailOf(w), "%s, %s of %s", email, name, resource)
			}
		}
	}
}

// A text without a domain is no e-mail of a charge, an order or a subscription, and proves no erasure.
func TestTextWithoutADomainIsNoEmail(t *testing.T) {
	for _, text := range []string{"redacted", "jo.bean", "n/a"} {
		for resource, w := range resourceOf(t, `{"id": 1, "customer_id": 2, "email": %q}`, text) {
			assert.False(t, w.Erased(), "%s of %s", text, resource)
			assert.Empty(t, emailOf(w), resource)
		}
		for resource, w := range resourceOf(t, `{"id": 1, "email": %q, "customer": {"id": 2, "email": "jo.bean@example.com"}}`, text) {
			assert.False(t, w.Erased(), "%s of %s", text, resource)
			assert.NotEqual(t, text, emailOf(w), resource)
		}
	}
}

func TestEmailIsNoPlaceholder(t *testing.T) {
	for _, email := range []string{"jo.bean@example.com", "removedbyjo@example.com", "removed.files@example.com"} {
		for resource, w := range resourceOf(t, `{"id": 1, "customer_id": 2, "email": %q}`, email) {
			assert.False(t, w.Erased(), "%s of %s", email, resource)
			assert.Equal(t, email, emailOf(w), resource)
		}
	}
	for resource, w := range resourceOf(t, `{"id": 1, "customer_id": 2, "customer": {"id": 2, "email": null}, "email": %q}`, "") {
		assert.False(t, w.Erased(), "no e-mail of %s", resource)
	}
}

// resourceOf decodes the same object as each resource that names a customer.
func resourceOf(t *testing.T, format, email string) map[string]recharge.Webhook {
	decoded := make(map[string]recharge.Webhook)
	for _, resource := range []string{"subscription", "charge", "order"} {
		body := fmt.Appendf(nil, `{%q: `+format+`}`, resource, email)
		w, err := newDecoder(t).Decode(recharge.Topic(resource+"/created"), body, time.Now())
		require.NoError(t, err)
		decoded[resource] = w
	}
	return decoded
}

func emailOf(w recharge.Webhook) string {
	switch {
	case w.Subscription != nil:
		return w.Subscription.Email
	case w.Charge != nil:
		return w.Charge.Email
	}
	return w.Order.Email
}
