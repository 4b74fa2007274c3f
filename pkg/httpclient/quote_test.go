package httpclient_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
)

func TestQuote(t *testing.T) {
	private := []string{"+14155552671", "14155552671", "Acme: hi Jo", "k3y", "k3y-longer"}
	for given, want := range map[string]string{
		"": "",
		"<html><head><title>403 Forbidden</title><style>p {color: red}</style></head>\r\n<body><h1>Blocked</h1><!-- x --><script>a<b</script></body></html>": "403 Forbidden Blocked",
		"Salt &amp; Pepper &lt;5\x00\x1b[31m\u202e\u200bend\xff":      "Salt & Pepper <5 [31m end?",
		"value < 16 KB and > 2":                                       "value < 16 KB and > 2",
		`{"code":21610,"message":"to +14155552671"}`:                  `{"code":21610,"message":"to ***"}`,
		"14155552671 got Acme:\nhi  Jo":                               "*** got ***",
		"key k3y-longer, then k3y":                                    "key ***, then ***",
		"write to jo@example.com or (503) 555-0100":                   "write to *** or (***",
		"see https://acme.example/portal/f99bd4a6?x=1 now":            "see https://acme.example/*** now",
		"see https://acme.example":                                    "see https://acme.example",
		"Authorization: Bearer abc.def, token=s3cr3t, api_key: \"x\"": "Authorization: Bearer ***, token=***, api_key: \"***\"",
		"token expired, secret unknown":                               "token expired, secret unknown",
		"id 0123456789abcdef0123456789abcdef":                         "id ***",
		"Ray 8a1b2c3d4e5f6789, incident 18446744073709551615":         "Ray 8a1b2c3d4e5f6789, incident 18446744073709551615",
		"request 1b9d6bcd-1234-4567-8901-234567890123":                "request 1b9d6bcd-1234-4567-8901-234567890123",
		"exceeds 1048576 bytes":                                       "exceeds 1048576 bytes",
	} {
		assert.Equal(t, want, httpclient.NewQuoter().Quote(given, private...), given)
	}
}

// A quote is one line of valid text within its limit, whatever the response is, and holds no private text.
func TestQuoteOfAnything(t *testing.T) {
	quoter := httpclient.NewQuoter()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`\+[1-9][0-9]{7,14}`).Draw(t, "number")
		before, after := rapid.String().Draw(t, "before"), string(rapid.SliceOf(rapid.Byte()).Draw(t, "after"))
		quote := quoter.Quote(before+" "+number+" "+after+strings.Repeat("ä", rapid.IntRange(0, 400).Draw(t, "more")), number)
		assert.LessOrEqual(t, len(quote), httpclient.MaxQuote)
		assert.True(t, utf8.ValidString(quote))
		assert.NotContains(t, quote, number)
		assert.False(t, strings.ContainsFunc(quote, unicode.IsControl), "%q", quote)
	})
}

func TestCut(t *testing.T) {
	for size, want := range []string{"", "a", "a", "aä", "aäb"} {
		assert.Equal(t, want, httpclient.Cut("aäb", size))
	}
	assert.Equal(t, "aäb", httpclient.Cut("aäb", 99))
}
