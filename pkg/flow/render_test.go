package flow_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

func render(text string, v flow.Variables) (string, error) {
	return flow.Render(flow.Flow{Key: flow.ChargePaid, Text: text}, v)
}

func TestRender(t *testing.T) {
	anna := flow.Variables{
		Shop:     flow.Shop{URL: "https://a.example?b&c"},
		Customer: flow.Customer{FirstName: "Anna \u2018{{ total }}\u2019"},
		Charge:   flow.Charge{Amount: "$34.50", Total: "34.50", Currency: "USD", NextRetryDate: "2026-05-04", Attempts: 2},
		Order:    flow.Order{ScheduledAt: "2026-05-04T23:30:00-07:00"},
		Items:    flow.Items{Titles: []string{"Coffee", "Tea", "Milk"}, Summary: "Coffee, Tea and 1 more"},
	}
	tests := []struct{ name, text, want string }{
		{"values are text, never templates", "{{ first_name }}", "Anna '{{ total }}'"},
		{"no HTML", "{{ shop.url }} <b>", "https://a.example?b&c <b>"},
		{"a total has its currency", "{{ total }}, {{ charge.total }}", "$34.50, 34.50"},
		{"a day", "{{ retry_date }} {{ retry_date | date: '%b %-d' }}", "2026-05-04 May 4"},
		{"a day, by default", "{{ retry_date | date }}", "May 4, 2026"},
		{"an instant keeps its zone", "{{ order.scheduled_at | date: '%b %-d %H:%M' }}", "May 4 23:30"},
		{"no date", "{{ shop.url | date: '%b' }}", "https://a.example?b&c"},
		{"now is no date", "{{ 'now' | date: '%Y' }}", "now"},
		{"unknown values", "a{{ order_number }}{{ order_number | date: '%b' }}{{ order_number | truncate: 3 }}{{ order_number | upcase }}b", "ab"},
		{"numbers compare", "{% if charge.attempts > 1 %}again{% endif %}", "again"},
		{"unknown numbers", "{% if subscription.quantity > 1 %}many{% else %}one{% endif %}", "one"},
		{"items", "{{ items | join }}; {{ items | join: ' + ' | upcase }}", "Coffee, Tea, Milk; COFFEE + TEA + MILK"},
		{"number of items", "{{ items_count }}{% if items_count > 1 %} items{% endif %}, {{ items_summary }}", "3 items, Coffee, Tea and 1 more"},
		{"one of the items", "{% if items contains 'Tea' %}tea{% endif %}{% if items contains 'Te' %}te{% endif %}", "tea"},
		{"join of a text", "{{ charge.total | join: '-' }}", "34.50"},
		{"blanks", "  a \u00a0 b\t\n \n\n\n c\u200b ", "a b\n\nc"},
		{"typography", "\u201ca\u201d \u2013 b\u2026 e\u0301", "\"a\" - b... \u00e9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := render(tt.text, anna)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestUnknownItems(t *testing.T) {
	text, err := render("a{{ items | join: ', ' }}{{ items_summary }}{% if items_count > 1 %}many{% endif %}{% if items contains 'x' %}x{% endif %}b", flow.Variables{})
	require.NoError(t, err)
	assert.Equal(t, "ab", text)
}

// Every text begins with the name of the shop, also if its template does not.
func TestBrandComesFirst(t *testing.T) {
	for _, tt := range []struct{ shop, text, want string }{
		{"Acme", "Hi!", "Acme: Hi!"},
		{"Acme", "{{ shop_name }}: Hi!", "Acme: Hi!"},
		{"Acme", "{{ shop_name }} - Hi!", "Acme - Hi!"},
		{"Acme", "ACME says hi", "ACME says hi"},
		{"Acme", "Acme", "Acme"},
		{"Acme", "Acmes are here", "Acme: Acmes are here"},
		{"Acme", "Acm", "Acme: Acm"},
		{"Acme", "Hi from Acme", "Acme: Hi from Acme"},
		{"Caf\u00e9 \u201cJo\u201d", "Cafe\u0301 'Jo': Hi", "Caf\u00e9 \"Jo\": Caf\u00e9 'Jo': Hi"},
		{"Caf\u00e9 \u201cJo\u201d", "{{ shop_name }}: Hi", "Caf\u00e9 \"Jo\": Hi"},
		{" ", "Hi!", "Hi!"},
		{"", "Hi!", "Hi!"},
	} {
		got, err := render(tt.text, flow.Variables{Shop: flow.Shop{Name: tt.shop}})
		require.NoError(t, err)
		assert.Equal(t, tt.want, got, tt.text)
	}
	_, err := render("{{ first_name }}", flow.Variables{Shop: flow.Shop{Name: "Acme"}})
	require.ErrorIs(t, err, flow.ErrEmpty, "the name alone is no text")
}

func TestOptOutWords(t *testing.T) {
	const words = "Reply STOP to opt out."
	for _, tt := range []struct{ text, want string }{
		{"Hi!", "Acme: Hi! " + words},
		{"Hi! STOP to end", "Acme: Hi! STOP to end"},
		{"Hi!{% if total %} STOP to end{% endif %}", "Acme: Hi! " + words},
		{"{{ product_title }}", "Acme: STOP Signs " + words}, // a product is no way to opt out
	} {
		v := flow.Variables{Shop: flow.Shop{Name: "Acme", OptOut: words}, Subscription: flow.Subscription{ProductTitle: "STOP Signs"}, OptOut: true}
		got, err := render(tt.text, v)
		require.NoError(t, err)
		assert.Equal(t, tt.want, got, tt.text)
	}
	got, err := render("Hi!", flow.Variables{Shop: flow.Shop{OptOut: words}})
	require.NoError(t, err)
	assert.Equal(t, "Hi!", got)
	_, err = render("{{ first_name }}", flow.Variables{Shop: flow.Shop{OptOut: words}, Customer: flow.Customer{FirstName: strings.Repeat("x", flow.MaxText)}, OptOut: true})
	require.ErrorIs(t, err, flow.ErrTooLong)
}

func TestRenderErrorsQuoteNoValues(t *testing.T) {
	v := flow.Variables{Customer: flow.Customer{FirstName: "Anna", LastName: strings.Repeat("long ", 400)}}
	tests := []struct {
		text string
		want error
	}{
		{"{{ shop_name | default: 'x' | truncate: first_name }}", flow.ErrBadTemplate},
		{"{{ nope }}", flow.ErrBadTemplate},
		{"{{ customer.last_name }}", flow.ErrTooLong},
		{"{{ customer.last_name }}{{ customer.last_name }}{{ customer.last_name }}{{ customer.last_name }}", flow.ErrTooLong},
		{"{{ order_number }}", flow.ErrEmpty},
	}
	for _, tt := range tests {
		_, err := render(tt.text, v)
		require.ErrorIs(t, err, tt.want, tt.text)
		require.ErrorContains(t, err, "render flow charge_paid")
		assert.NotContains(t, err.Error(), "Anna")
		assert.NotContains(t, err.Error(), "long long")
	}
}

// secret is the content of a file that templates try to read.
const secret = "s3cr3t-file-content"

func TestRenderReadsNoFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("secret.liquid", []byte(secret), 0o600))
	for _, text := range []string{
		"{% include 'secret.liquid' %}", "{%include \"secret.liquid\"%}", "{%- render 'secret.liquid' -%}",
		"{% render 'secret.liquid', a: 1 %}", "{% if true %}{% include 'secret.liquid' %}{% endif %}",
	} {
		out, err := render(text, flow.Sample())
		require.ErrorIs(t, err, flow.ErrBadTemplate)
		assert.Empty(t, out)
	}
}

func FuzzRender(f *testing.F) {
	flows, err := flow.Defaults()
	require.NoError(f, err)
	for _, fl := range flows {
		f.Add(fl.Text, "Anna")
	}
	for _, text := range []string{
		"{% include 'secret.liquid' %}", "{% render 'secret.liquid' %}", "{{ (1..9) }}", "{{ a[0] }}", "{% if %}", "{% case %}{% when %}{% endcase %}",
		"{{ first_name | truncate: -99999999 }}", "{{ first_name | date: '%%%' }}", "{{-}}", "{%-%}", "{{ 'a | b }}", "{% else %}", "{% if a | b %}x{% endif %}",
		"{{ 999999999 | append: 1 }}", "{% comment %}{% if %}{% endcomment %}", "{{ first_name | default: 'a', 'b', 'c' }}", "{{ true.x }}", "{% endif %}",
		"{{ customer }}", "{{ customer | url_encode }}", "{% if customer contains 'a' and 1 < 'b' %}x{% endif %}",
	} {
		f.Add(text, "{{ first_name }}")
	}
	f.Chdir(f.TempDir())
	require.NoError(f, os.WriteFile("secret.liquid", []byte(secret), 0o600))
	f.Fuzz(func(t *testing.T, text, name string) {
		v := flow.Sample()
		v.Customer.FirstName = name
		out, err := render(text, v)
		if err != nil {
			require.Empty(t, out)
			return
		}
		require.NotEmpty(t, out)
		require.LessOrEqual(t, len([]rune(out)), flow.MaxText)
		if !strings.Contains(text, secret) && !strings.Contains(name, secret) {
			require.NotContains(t, out, secret)
		}
		require.Equal(t, out, flow.Normalize(out), "normalizing is done once")
	})
}

func BenchmarkRender(b *testing.B) {
	flows, err := flow.Defaults()
	require.NoError(b, err)
	for b.Loop() {
		if _, err := flow.Render(flows[0], flow.Sample()); err != nil {
			b.Fatal(err)
		}
	}
}
