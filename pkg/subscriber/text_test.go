package subscriber_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/currency"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

func TestNameInAText(t *testing.T) {
	names := []string{
		"Jo", "jo", "O'Neil", "O\u2019Neil", "Jean-Luc", "J. R.", "J.R.", "J.R.R.", "Nguyễn", "Nguye\u0302\u0303n", "李", "이수", "Мария", "محمد", "अनुज",
		"Mary Ann", "María de los Ángeles", "St. John", "D'Arcy", "Renée", "Þór", "Jr.", "Jo & Max", "Jo, Max", "Louis 14", "J2", "Ana\u00a0Maria", "Jo\u2011Ann",
		"Wolfeschlegelsteinhausenbergerdorff", "Dr. Jo", "\u200bJo", "Net", "Com", "Mac", "n\u00b7a", "マリア・ホセ",
	}
	for _, name := range names {
		assert.Equal(t, name, greets(name), name)
	}
	for _, name := range []string{
		"bit.ly/x", "win.example", "WIN.EXAMPLE", "Jo win.example", "t.co", "x.y.example", "www.win.example", "https://win.example", "http:win", "win.example.", "(win.example)",
		"win\u200b.example", "win.\u200dexample", "win。example", "win．example", "win\u2024example", ".com", "a.b.com", "jo@example.com", "@jo", "Jo @ win", "<b>Jo</b>", "<script>", "Jo&amp;Max", "&#74;o",
		"{{ first_name }}", "{% if %}", "${name}", "%name%", "[Jo](x)", "*Jo*", "_Jo_", "Win $500", "Jo\nwin", "Jo\tWin", "12345", "Call 5551234", "555-0100", "١٢٣٤", "100%", "#1", "Jo!", "Jo?",
		"", " ", "-", "...", "'", "🎁", "Jo 🎁", strings.Repeat("Jo ", 20), strings.Repeat("x", 51), "Jo|Max", `Jo\Max`, "Jo/Max", "Jo=Max", "Jo~", "\xff", "Jo\x00",
	} {
		assert.Empty(t, greets(name), "%q", name)
	}
}

// TestVariables: a trigger about a resource has the values that texts of its flows may use, and no others.
func TestVariables(t *testing.T) {
	items := []subscriber.Item{{Title: "Coffee"}}
	shop := flow.Shop{Name: "Acme", URL: "https://acme.example", PortalURL: "https://p", ActivationURL: "https://a", PaymentURL: "https://c"}
	for resource, trigger := range map[flow.Resource]subscriber.Trigger{
		flow.AboutSubscription: {Subscription: &subscriber.Subscription{
			ID: "1", ProductTitle: "Coffee", VariantTitle: "Bag", Quantity: 1, Price: "1", Currency: "USD", OrderInterval: 1, IntervalUnit: "month",
			NextChargeDate: "2026-09-24", CancellationReason: "Too much",
		}},
		flow.AboutCharge: {Charge: &subscriber.Charge{
			TotalPrice: "1", Currency: "USD", ScheduledDate: "2026-09-24", ErrorType: "CARD_DECLINED", Attempts: 1, RetryAt: time.Unix(1_790_000_000, 0), Items: items,
		}},
		flow.AboutOrder:    {Order: &subscriber.Order{Number: "7", Currency: "USD", TotalPrice: "1", ScheduledDate: "2026-09-24", Items: items}},
		flow.AboutCustomer: {},
	} {
		trigger.Recipient = subscriber.Recipient{FirstName: "Jo", LastName: "Doe", PortalHash: "hash"}
		assert.Equal(t, flow.SampleOf(resource).Known(), trigger.Variables(shop).Known(), resource)
	}
}

// greets returns what the text calls a customer of this name.
func greets(name string) string {
	v := subscriber.Trigger{Recipient: subscriber.Recipient{FirstName: name, LastName: name}}.Variables(flow.Shop{})
	if v.Customer.FirstName != v.Customer.LastName {
		return "first and last name differ"
	}
	return v.Customer.FirstName
}

// No name in a text has a link, however it is typed.
func FuzzNameInAText(f *testing.F) {
	for _, name := range []string{"Jo", "bit.ly/x", "J.R.", "win\u200d.example", "ⓦⓘⓝ.example", "ﷺ", "\xff.com", "a.b", "ß.de"} {
		f.Add(name)
	}
	link := regexp.MustCompile(`\pL\pL+\.\pL|\pL\.\pL\pL|[/@<>{}:]`)
	f.Fuzz(func(t *testing.T, name string) {
		if got := greets(name); got != "" {
			require.Equal(t, name, got)
			require.NotRegexp(t, link, flow.Normalize(got))
		}
	})
}

func TestAmountInAText(t *testing.T) {
	for _, test := range []struct{ digits, currency, bare, want string }{
		{"41.9", "USD", "41.90", "$41.90"},
		{"41.90", "USD", "41.90", "$41.90"},
		{"41", "EUR", "41.00", "€41.00"},
		{"62.989999999999995", "EUR", "62.99", "€62.99"},
		{"1.005", "USD", "1.01", "$1.01"},
		{"2.675", "EUR", "2.68", "€2.68"},
		{"0.1", "GBP", "0.10", "£0.10"},
		{"1249.9", "USD", "1249.90", "$1,249.90"},
		{"1200", "JPY", "1200", "¥1,200"},
		{"1200.00", "JPY", "1200", "¥1,200"},
		{"1199.9999999999998", "JPY", "1200", "¥1,200"},
		{"34.5", "CAD", "34.50", "CA$34.50"},
		{"34.5", "AUD", "34.50", "A$34.50"},
		{"34.5", "NZD", "34.50", "NZ$34.50"},
		{"34.5", "BRL", "34.50", "R$34.50"},
		{"399", "SEK", "399.00", "SEK 399.00"},
		{"1399", "NOK", "1399.00", "NOK 1,399.00"},
		{"49", "CHF", "49.00", "CHF 49.00"},
		{"1200", "KRW", "1200", "KRW 1,200"}, // GSM-7 lacks ₩, ₫, ₹, ₪ and ₱
		{"25000", "VND", "25000", "VND 25,000"},
		{"499", "INR", "499.00", "INR 499.00"},
		{"99.9", "ILS", "99.90", "ILS 99.90"},
		{"1200.0", "CLP", "1200", "CLP 1,200"},
		{"1.5", "BHD", "1.500", "BHD 1.500"},
		{"12", "KWD", "12.000", "KWD 12.000"},
		{"1.2345", "JOD", "1.235", "JOD 1.235"},
		{"7.5", "TND", "7.500", "TND 7.500"},
		{"7.1239", "OMR", "7.124", "OMR 7.124"},
		{"1499.50", "RSD", "1499.50", "RSD 1,499.50"},
		{"1500.00", "RSD", "1500", "RSD 1,500"},
		{"990.00", "HUF", "990.00", "HUF 990.00"},
		{"19.9", "usd", "19.90", "$19.90"},
		{"7.5", "", "7.50", "7.50"},
		{"7.129", "XXQ", "7.13", "XXQ 7.13"},
		{"7", "no currency", "7.00", "no currency 7.00"},
		{"-3.5", "USD", "-3.50", "-$3.50"},
		{"-1003.5", "SEK", "-1003.50", "-SEK 1,003.50"},
		{"0", "USD", "0.00", "$0.00"},
		{"", "USD", "", ""},
		{"free", "USD", "free", "free"},
		{"1/3", "USD", "1/3", "1/3"},
		{"1e9", "USD", "1e9", "1e9"},
		{"$41.90", "USD", "$41.90", "$41.90"},
		{"1.2.3", "USD", "1.2.3", "1.2.3"},
		{strings.Repeat("9", 61), "USD", strings.Repeat("9", 61), strings.Repeat("9", 61)},
		{"9999999999999999.99", "USD", "9999999999999999.99", "$9,999,999,999,999,999.99"},
		{"0.000", "JPY", "0", "¥0"},
		{"999", "JPY", "999", "¥999"},
		{"1000000", "JPY", "1000000", "¥1,000,000"},
	} {
		v := subscriber.Trigger{Charge: &subscriber.Charge{TotalPrice: test.digits, Currency: test.currency}}.Variables(flow.Shop{})
		assert.Equal(t, test.bare, v.Charge.Total, "%s %s", test.digits, test.currency)
		assert.Equal(t, test.want, v.Charge.Amount, "%s %s", test.digits, test.currency)
		v = subscriber.Trigger{Order: &subscriber.Order{TotalPrice: test.digits, Currency: test.currency}}.Variables(flow.Shop{})
		assert.Equal(t, test.bare, v.Charge.Total, "%s %s", test.digits, test.currency)
		assert.Equal(t, test.want, v.Charge.Amount, "%s %s", test.digits, test.currency)
		v = subscriber.Trigger{Subscription: &subscriber.Subscription{Price: test.digits, Currency: test.currency}}.Variables(flow.Shop{})
		assert.Equal(t, test.want, v.Subscription.Price, "%s %s", test.digits, test.currency)
	}
}

// No amount makes a text more expensive: GSM-7 has each of its characters, whatever the currency.
func TestAmountIsCheap(t *testing.T) {
	codes := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				code := string([]rune{a, b, c})
				if _, err := currency.ParseISO(code); err != nil {
					continue
				}
				codes++
				v := subscriber.Trigger{Charge: &subscriber.Charge{TotalPrice: "1234.5", Currency: code}}.Variables(flow.Shop{})
				encoding, _ := flow.Segments(v.Charge.Amount)
				assert.Equal(t, flow.GSM7, encoding, v.Charge.Amount)
				assert.Regexp(t, `^([A-Z]{1,2}[$¥]|[$£¥€]|[A-Z]+ )1,23[45](\.\d+)?$`, v.Charge.Amount)
			}
		}
	}
	assert.Greater(t, codes, 150)
}

// An amount in a text differs from the charged one by less than half a cent.
func TestAmountIsTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cents := rapid.StringMatching(`[1-9][0-9]{0,12}\.[0-9]{2}`).Draw(t, "amount")
		code := rapid.SampledFrom([]string{"USD", "JPY", "BHD", "RSD", "IQD", "HUF", "XXQ", ""}).Draw(t, "currency")
		v := subscriber.Trigger{Charge: &subscriber.Charge{TotalPrice: cents, Currency: code}}.Variables(flow.Shop{})
		whole, fraction, _ := strings.Cut(v.Charge.Total, ".")
		require.Equal(t, cents, whole+"."+(fraction + "00")[:2])
	})
}

func TestTitleInAText(t *testing.T) {
	for source, want := range map[string]string{
		"House Blend": "House Blend", "Salt & Pepper": "Salt & Pepper", "AT&T": "AT&T", "Salt &amp; Pepper&#39;s Mix": "Salt & Pepper's Mix", "Caf&eacute; &#x2615;": "Café ☕",
		"&amp;amp;": "&amp;", "&quot;A&quot;": `"A"`, "1&nbsp;kg": "1 kg", "Fish&notes": "Fish&notes", "Fish &notebook; &copy": "Fish &notebook; &copy", "A&semi; B": "A; B",
		"<b>Bold</b> Beans": "Bold Beans", "&lt;b&gt;Bold&lt;/b&gt; Beans": "Bold Beans", "H<sub>2</sub>O": "H2O", "Coffee<br>Beans": "Coffee Beans", "Coffee<BR/>Beans": "Coffee Beans",
		"<p class=\"x\">A</p><p>B</p>": "A B", "A <!-- secret --> B": "A B", "I <3 Coffee": "I <3 Coffee", "I &lt;3 Coffee": "I <3 Coffee", "5 < 6 > 4": "5 < 6 > 4",
		"<img src=x>": "", "&#55357;": "\ufffd", "&#0;x": "\ufffdx", "a&b;c": "a&b;c", "&#99999999;": "&#99999999;", "&;": "&;", "  <i></i> x": "x",
	} {
		assert.Equal(t, want, inText(source), source)
	}
}

// inText returns a product title as a text has it, after requiring the same of all other titles and reasons.
func inText(source string) string {
	s := subscriber.Trigger{Subscription: &subscriber.Subscription{ProductTitle: source, VariantTitle: source, CancellationReason: source}}.Variables(flow.Shop{}).Subscription
	item := []subscriber.Item{{Title: source}}
	charge := subscriber.Trigger{Charge: &subscriber.Charge{Items: item}}.Variables(flow.Shop{}).Subscription
	order := subscriber.Trigger{Order: &subscriber.Order{Items: item}}.Variables(flow.Shop{})
	for _, other := range []string{s.VariantTitle, s.CancellationReason, charge.ProductTitle, order.Subscription.ProductTitle, order.Order.ItemsSummary} {
		if other != s.ProductTitle {
			return "not the same everywhere: " + other
		}
	}
	return s.ProductTitle
}

func TestProductsInAText(t *testing.T) {
	for _, test := range []struct {
		titles           []string
		product, summary string
	}{
		{nil, "", ""},
		{[]string{""}, "", ""},
		{[]string{"Organic Ethiopia Yirgacheffe Whole Bean"}, "Organic Ethiopia Yirgacheffe Whole Bean", "Organic Ethiopia Yirgacheffe Whole Bean"},
		{[]string{"Coffee", "Tea"}, "Coffee, Tea", "Coffee, Tea"},
		{[]string{"Coffee", "", "Tea"}, "Coffee, Tea", "Coffee, Tea"},
		{[]string{"Coffee", "Coffee"}, "Coffee", "Coffee"},
		{[]string{"Coffee", "Tea", "Cocoa", "Milk"}, "Coffee, Tea and 2 more", "Coffee, Tea and 2 more"},
		{[]string{"House Blend", "House Decaf", "Milk"}, "House Blend and 2 more", "House Blend, House Decaf and 1 more"},
		{[]string{"Organic Ethiopia Yirgacheffe", "Milk"}, "Organic Et... and 1 more", "Organic Ethiopia Yirgacheffe, Milk"},
		{[]string{"Organic Tea & Ethiopia", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J"}, "Organic T... and 10 more", "Organic Tea & Ethiopia, A and 9 more"},
	} {
		var items []subscriber.Item
		for _, title := range test.titles {
			items = append(items, subscriber.Item{Title: title})
		}
		charge := subscriber.Trigger{Charge: &subscriber.Charge{Items: items}}.Variables(flow.Shop{})
		order := subscriber.Trigger{Order: &subscriber.Order{Items: items}}.Variables(flow.Shop{})
		assert.Equal(t, test.product, charge.Subscription.ProductTitle, test.titles)
		assert.Equal(t, test.product, order.Subscription.ProductTitle, test.titles)
		assert.Equal(t, test.summary, order.Order.ItemsSummary, test.titles)
	}
}

// A text of several triggers names the products of all, each once; a product that was revoked is left out.
func TestItemsInAText(t *testing.T) {
	subscription := func(title string) subscriber.Trigger {
		return subscriber.Trigger{Subscription: &subscriber.Subscription{ProductTitle: title, Price: "5", Currency: "USD"}}
	}
	v := subscriber.Variables([]subscriber.Trigger{subscription("Coffee"), subscription("Salt &amp; Pepper"), subscription(""), subscription("Coffee"), subscription("Milk")}, flow.Shop{})
	assert.Equal(t, flow.Items{Titles: []string{"Coffee", "Salt & Pepper", "Milk"}, Summary: "Coffee, Salt & Pepper and 1 more"}, v.Items)
	assert.Equal(t, "Coffee and 2 more", v.Subscription.ProductTitle)
	assert.Equal(t, "$5.00", v.Subscription.Price)
	assert.Empty(t, v.Order.ItemsSummary)

	box := []subscriber.Item{{SubscriptionID: "1", Title: "Coffee"}, {SubscriptionID: "2", Title: "Tea"}, {Title: "Gift"}}
	charge := subscriber.Trigger{Items: []string{"charge/7", "subscription/2"}, Charge: &subscriber.Charge{Items: box, TotalPrice: "41.90", Currency: "USD"}}
	assert.Equal(t, flow.Items{Titles: []string{"Tea", "Gift"}, Summary: "Tea, Gift"}, charge.Variables(flow.Shop{}).Items)
	assert.Empty(t, charge.Variables(flow.Shop{}).Charge.Amount, "the total is of all three")
	assert.Empty(t, charge.Variables(flow.Shop{}).Charge.Total)
	order := subscriber.Trigger{Items: []string{"order/7", "subscription/1", "subscription/2"}, Order: &subscriber.Order{Items: box, TotalPrice: "41.90", Currency: "USD"}}
	assert.Equal(t, "Coffee, Tea and 1 more", order.Variables(flow.Shop{}).Order.ItemsSummary)
	assert.Equal(t, "$41.90", order.Variables(flow.Shop{}).Charge.Amount)
	assert.Equal(t, flow.Items{}, subscriber.Trigger{}.Variables(flow.Shop{}).Items)
}

// The default text about an order of several products does not cut their number.
func TestDefaultTextNamesAllProducts(t *testing.T) {
	flows, err := flow.Defaults()
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		titles := rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Z][a-z]{1,40}`), 2, 30, rapid.ID[string]).Draw(t, "titles")
		var items []subscriber.Item
		for _, title := range titles {
			items = append(items, subscriber.Item{Title: title})
		}
		v := subscriber.Trigger{Charge: &subscriber.Charge{Items: items, TotalPrice: "41.90", Currency: "USD"}}.Variables(flow.Shop{Name: "Acme"})
		for _, f := range flows {
			if f.Key != flow.UpcomingOrder {
				continue
			}
			text, err := flow.Render(f, v)
			require.NoError(t, err)
			require.Contains(t, text, v.Subscription.ProductTitle+", $41.90")
			require.Regexp(t, ` and \d+ more|, [A-Z][a-z]+, \$41`, text)
		}
	})
}

// Every published error type that a customer can fix has words, unless it says only that the payment failed. All others have none, so that
// a text can use the filter default.
func TestChargeErrorInAText(t *testing.T) {
	source, err := os.ReadFile("../recharge/charge_error.go")
	require.NoError(t, err)
	_, published, found := strings.Cut(string(source), "func ChargeErrorOf")
	require.True(t, found)
	types := regexp.MustCompile(`"([A-Z_]+)"`).FindAllStringSubmatch(published, -1)
	require.Greater(t, len(types), 100)
	unspecific := []string{"COULD_NOT_PROCESS", "GENERIC_ERROR", "PAYMENT_INTENT_PAYMENT_ATTEMPT_FAILED"}
	for _, match := range types {
		words := errorWords(match[1])
		assert.Regexp(t, `^((your|the) [A-Za-z ]+)?$`, words, match[1])
		assert.Equal(t, strings.ToLower(words), strings.ReplaceAll(words, "PayPal", "paypal"), match[1])
		assert.LessOrEqual(t, utf8.RuneCountInString(words), 40, match[1])
		assert.Equal(t, isFixable(t, match[1]) && !slices.Contains(unspecific, match[1]), words != "", "%s: %s", match[1], words)
	}
	for errorType, want := range map[string]string{
		"CARD_DECLINED": "your card was declined", "INSUFFICIENT_FUNDS": "your account has insufficient funds", "CARD_EXPIRED": "your card has expired",
		"DO_NOT_HONOR": "your bank declined the payment", "SHIPPING_RATE_ERROR": "", "CLOSED_MAX_RETRIES_REACHED": "", "GENERIC_ERROR": "", "NEVER_HEARD_OF": "", "": "",
	} {
		assert.Equal(t, want, errorWords(errorType), errorType)
	}
}

func errorWords(errorType string) string {
	return subscriber.Trigger{Charge: &subscriber.Charge{ErrorType: errorType}}.Variables(flow.Shop{}).Charge.Error
}

// isFixable reports whether a charge that failed with an error triggers a text.
func isFixable(t *testing.T, errorType string) bool {
	c := plain("charge/failed", start())
	c.settings.SMS, c.webhook.Charge.ErrorType, c.webhook.Charge.RetryAt = true, errorType, start().AddDate(0, 0, 1)
	decision, err := c.decide()
	require.NoError(t, err)
	return len(decision.Triggers) > 0
}

func TestIntervalInAText(t *testing.T) {
	for want, s := range map[string]subscriber.Subscription{
		"30 days": {OrderInterval: 30, IntervalUnit: "day"}, "1 month": {OrderInterval: 1, IntervalUnit: "month"}, "2 weeks": {OrderInterval: 2, IntervalUnit: "week"}, "": {IntervalUnit: "day"},
	} {
		assert.Equal(t, want, subscriber.Trigger{Subscription: &s}.Variables(flow.Shop{}).Subscription.Interval)
	}
}

// The day of the next attempt is one of the shop's calendar.
func TestNextRetryDateInAText(t *testing.T) {
	for at, want := range map[time.Time]string{
		time.Date(2026, 4, 1, 20, 0, 0, 0, time.UTC): "2026-04-01", time.Date(2026, 4, 2, 2, 0, 0, 0, time.UTC): "2026-04-01", {}: "",
	} {
		v := subscriber.Trigger{Charge: &subscriber.Charge{RetryAt: at}}.Variables(flow.Shop{})
		assert.Equal(t, want, v.Charge.NextRetryDate)
	}
}
