package flow_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// with returns the default flows with one changed.
func with(t *testing.T, key flow.Key, change func(*flow.Flow)) []flow.Flow {
	t.Helper()
	flows := defaults(t)
	i := slices.IndexFunc(flows, func(f flow.Flow) bool { return f.Key == key })
	require.GreaterOrEqual(t, i, 0)
	change(&flows[i])
	return flows
}

var wholeShop = flow.Shop{Name: "Acme", URL: "https://acme.example", PortalURL: "https://p", ActivationURL: "https://a", PaymentURL: "https://c"}

func TestCheckTexts(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"unknown variable":         {"{{ frist_name }}", `unknown variable "frist_name"`},
		"unknown property":         {"{{ customer.phone }}", `unknown variable "customer.phone"`},
		"unknown, in no branch":    {"x{% if false %}{{ nope }}{% endif %}", `unknown variable "nope"`},
		"unknown, in a condition":  {"x{% if nope %}y{% endif %}", `unknown variable "nope"`},
		"unknown filter":           {"{{ first_name | shout }}", `unknown filter "shout"`},
		"unknown, after a default": {"{{ first_name | default: 'x' | shout }}", `unknown filter "shout"`},
		"HTML":                     {"{{ first_name | escape }}", `filter "escape" writes HTML`},
		"growing filter":           {"{{ 'a' | replace: '', 'aaaa' }}", `unknown filter "replace"`},
		"no filter":                {"{{ first_name | }}", "text: "},
		"bar, then text":           {"{{ first_name | 'x' }}", "instead of the name of a filter"},
		"one brace":                {"Hi {{ first_name }, hi", "is never closed with }}"},
		"one brace, then a name":   {"Hi {{ first_name } {{ total }}", "the closing }} is missing"},
		"no opening":               {"Hi first_name }}", "}} has no opening"},
		"open tag":                 {"Hi {% if total", "is never closed with %}"},
		"no endif":                 {"Hi {% if total %}", "unterminated"},
		"include":                  {"{% include 'go.mod' %}", `tag "include" is not allowed`},
		"render":                   {"{% render 'go.mod' %}", `tag "render" is not allowed`},
		"loop":                     {"{% for i in (1..9) %}x{% endfor %}", `tag "for" is not allowed`},
		"assign":                   {"{% assign a = 'x' %}a", `tag "assign" is not allowed`},
		"raw":                      {"{% raw %}{{ x }}{% endraw %}", `tag "raw" is not allowed`},
		"range":                    {"{{ (1..999999999) }}", "is not valid"},
		"index":                    {"{{ customer['first_name'] }}", "is not valid"},
		"empty output":             {"a {{ }}", "{{ }} is empty"},
		"two lines":                {"{{ first_name\n}}", "is on another line"},
		"padded date":              {"{{ retry_date | date: '%1000000Y' }}", "use directives without a width"},
		"empty":                    {" \n ", "text: is empty"},
		"empty output only":        {"{% if false %}x{% endif %}", "is empty with sample values"},
		"long source":              {strings.Repeat("x", 2049), "template has 2049 bytes, at most 2048 are allowed"},
		"long output":              {strings.Repeat("{{ portal_url }}", 40), "longer than 1600 characters"},
		"not UTF-8":                {"a\xffb", "not UTF-8"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := flow.Check(with(t, flow.ChargePaid, func(f *flow.Flow) { f.Text = tt.text }), "acme", wholeShop)
			require.ErrorContains(t, err, tt.want)
			assert.ErrorContains(t, err, "flow charge_paid: text: ")
		})
	}
}

// TestCheckNames: a text may use what one of its flow's triggers can have, and nothing that is never known.
func TestCheckNames(t *testing.T) {
	for _, key := range flow.Keys() {
		can := key.Names()
		for _, name := range flow.Names() {
			err := flow.Check(with(t, key, func(f *flow.Flow) { f.Text = "x {{ " + name + " }}" }), "acme", wholeShop)
			if slices.Contains(can, name) {
				require.NoError(t, err, "%s in %s", name, key)
			} else {
				require.ErrorContains(t, err, "flow "+string(key)+": text: uses "+name+", which the webhooks of this flow do not have: it may use ")
			}
		}
	}
	err := flow.Check(with(t, flow.UpcomingOrder, func(f *flow.Flow) { f.Text = "{% if order_number %}Order {{ order_number }}{% endif %}" }), "acme", wholeShop)
	require.ErrorContains(t, err, "is empty with sample values of a webhook about charges: write a text that is not")
	assert.Contains(t, flow.UpcomingOrder.Names(), "order_number", "of a prepaid order")
	assert.Contains(t, flow.UpcomingOrder.Names(), "charge.scheduled_at")
	assert.NotContains(t, flow.SubscriptionStarted.Names(), "order_number")
	for _, name := range []string{"items", "items_count", "items_summary"} {
		assert.Contains(t, flow.SubscriptionCanceled.Names(), name)
		assert.Contains(t, flow.ChargePaid.Names(), name)
		assert.NotContains(t, flow.CustomerAccountActivation.Names(), name)
	}
	assert.NotContains(t, flow.CustomerAccountActivation.Names(), "product_title")
}

func TestCheckAcceptsTheWholeLanguage(t *testing.T) {
	text := `{%- comment -%} why {%- endcomment -%}{% unless total %}z{% endunless %}{% if total == nil or charge.attempts >= 3 and first_name contains "x" %}a
{% elsif charge.scheduled_at != '1' %}b{% else %}c{% endif %}{% case charge.currency %}{% when "USD", "CAD" %}$ {% else %}? {% endcase %}
{{- first_name | default: 'you' | upcase | append: "!" | prepend: '@' | strip | truncate: 10, "" | remove: "x" | truncatewords: 3 -}}
{{ product_title | downcase | capitalize | url_encode }} {{ items | join: ", " }} {{ -1.5 }} {{ true }}`
	assert.NoError(t, flow.Check(with(t, flow.ChargePaid, func(f *flow.Flow) { f.Text = text }), "acme", wholeShop))
}

// Quiet hours can be changed for every flow. For those that have them in the table this is a warning.
func TestCheckQuietHours(t *testing.T) {
	for _, f := range defaults(t) {
		changed := with(t, f.Key, func(g *flow.Flow) { g.QuietHours = !f.QuietHours })
		require.NoError(t, flow.Check(changed, "acme", wholeShop))
		if warnings := flow.Warnings(changed); f.QuietHours {
			require.Len(t, warnings, 1)
			assert.Equal(t, "quiet_hours", warnings[0].Field)
		} else {
			assert.Empty(t, warnings)
		}
	}
}

func TestCheckLimits(t *testing.T) {
	for want, change := range map[string]func(*flow.Flow){
		"window: is 10m1s: set 0s to 10m0s": func(f *flow.Flow) { f.Window = 10*time.Minute + time.Second },
		"window: is -1s: set 0s to 10m0s":   func(f *flow.Flow) { f.Window = -time.Second },
		"per_charge: is 101: set 1 to 100":  func(f *flow.Flow) { f.PerCharge = 101 },
		"per_charge: is -1: set 1 to 100":   func(f *flow.Flow) { f.PerCharge = -1 },
	} {
		require.ErrorContains(t, flow.Check(with(t, flow.ChargePaid, change), "acme", wholeShop), "flow charge_paid: "+want)
	}
	limited := func(f *flow.Flow) { f.PerCharge, f.Window, f.DailyCap = 1, 0, false }
	require.NoError(t, flow.Check(with(t, flow.ChargePaid, limited), "acme", wholeShop))
	require.ErrorContains(t, flow.Check(with(t, flow.OrderSkipped, limited), "acme", wholeShop), "are not about a charge")
}

func TestCheckLinks(t *testing.T) {
	tests := []struct {
		key  flow.Key
		text string
		want string
	}{
		{flow.ChargeFailed, "", "flow charge_failed: active: is true and the text uses payment_url, but store acme has no sms.payment_url"},
		{flow.ChargePaid, "", "the text uses portal_url, but store acme has no sms.portal_url"},
		{flow.CustomerAccountActivation, "", "the text uses activation_url, but store acme has no sms.activation_url"},
		{flow.ChargeFailed, "{% if false %}{{ customer.portal_url }}{% endif %}x", "uses customer.portal_url, but store acme has no sms.portal_url"},
		{flow.ChargeFailed, "x {{ charge.payment_update_url }}", "uses charge.payment_update_url"},
		{flow.ChargeFailed, "x", "flow charge_failed: active: is true, but store acme has no sms.shop_name, with which every text begins"},
		{flow.ChargeFailed, "x {{ shop.url }}", "uses shop.url, but store acme has no sms.shop_url"},
	}
	for _, tt := range tests {
		activate := func(f *flow.Flow) {
			f.Active = true
			if tt.text != "" {
				f.Text = tt.text
			}
		}
		require.ErrorContains(t, flow.Check(with(t, tt.key, activate), "acme", flow.Shop{}), tt.want)
		assert.NoError(t, flow.Check(with(t, tt.key, activate), "acme", wholeShop))
	}
}

func TestCheckPlaceholdersInLinks(t *testing.T) {
	activate := func(f *flow.Flow) { f.Active, f.Text = true, "x {{ portal_url }}" }
	err := flow.Check(with(t, flow.ChargePaid, activate), "acme", flow.Shop{Name: "Acme", PortalURL: "https://{shop}/portal/{hash}"})
	require.ErrorContains(t, err, "sms.portal_url of store acme has placeholders, but the store has no sms.shop_url")
	require.NoError(t, flow.Check(with(t, flow.ChargePaid, activate), "acme", flow.Shop{Name: "Acme", PortalURL: "https://acme.example/account"}))
}

func TestCheckName(t *testing.T) {
	err := flow.Check(with(t, flow.ChargePaid, func(f *flow.Flow) { f.Name = " " }), "acme", wholeShop)
	assert.ErrorContains(t, err, "flow charge_paid: name: is empty")
}

// The texts of a store whose destination has its own are not looked at.
func TestCheckOwnTexts(t *testing.T) {
	faulty := with(t, flow.ChargeFailed, func(f *flow.Flow) { f.Text, f.Active = "{{ nope }}", true })
	require.Error(t, flow.Check(faulty, "acme", flow.Shop{}))
	require.NoError(t, flow.Check(faulty, "acme", flow.Shop{OwnTexts: true}))
	slow := with(t, flow.ChargeFailed, func(f *flow.Flow) { f.Window = time.Hour })
	require.ErrorContains(t, flow.Check(slow, "acme", flow.Shop{OwnTexts: true}), "window")
}
