package links_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/links"
)

// numbered returns codes that begin with a letter.
func numbered() func() links.Code {
	letter := byte('a' - 1)
	return func() links.Code {
		letter++
		return links.Code(strings.Repeat(string(letter), links.CodeLength))
	}
}

// shorten shortens a text; short links are https://go.example/r/aaaaaaaaaaa, then with b, and so on.
func shorten(text string, sources ...string) (string, []links.Short) {
	return links.Shortener{Base: "https://go.example/", Sources: sources, Code: numbered()}.Shorten(text)
}

// Each line of testdata/texts.txtar is a text, "->" and what becomes of it: <target> for a short link.
func TestTexts(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/texts.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, archive.Files)
	for _, file := range archive.Files {
		for line := range strings.Lines(string(file.Data)) {
			text, want, found := strings.Cut(strings.TrimSuffix(line, "\n"), " -> ")
			require.True(t, found, line)
			short, list := shorten(text, "https://shop.example http://shop.example:8080 https://läden.example https://[2001:db8::1]")
			for _, each := range list {
				short = strings.ReplaceAll(short, "https://go.example/r/"+string(each.Code), "<"+each.Target+">")
			}
			assert.Equal(t, want, short, file.Name)
		}
	}
}

// The same link has one code, wherever it is in a text.
func TestOneCodePerLink(t *testing.T) {
	text, list := shorten("https://shop.example/a https://shop.example/b https://shop.example/a", "https://shop.example")
	assert.Equal(t, "https://go.example/r/aaaaaaaaaaa https://go.example/r/bbbbbbbbbbb https://go.example/r/aaaaaaaaaaa", text)
	assert.Len(t, list, 2)
}

// A name can't get the shop's domain.
func TestOnlyHostsOfTheShop(t *testing.T) {
	const text = "Hi https://evil.example/x, see https://SHOP.example/a"
	short, list := shorten(text, "Hi {{ first_name }}, see {{ portal_url }}", "https://shop.example/portal")
	assert.Equal(t, "Hi https://evil.example/x, see https://go.example/r/aaaaaaaaaaa", short)
	require.Len(t, list, 1)
	assert.Equal(t, "https://SHOP.example/a", list[0].Target)
	short, list = shorten(text)
	assert.Equal(t, text, short)
	assert.Empty(t, list)
}

// A short link is not shortened again.
func TestShortLinksStay(t *testing.T) {
	short, list := shorten("https://go.example/r/4kZ0qN7sXb2", "https://go.example/r/4kZ0qN7sXb2")
	assert.Equal(t, "https://go.example/r/4kZ0qN7sXb2", short)
	assert.Empty(t, list)
}

// What is not a link stays as it is, and the links come back when the short links are replaced by their targets.
func TestTheRestStays(t *testing.T) {
	pieces := rapid.SliceOf(rapid.OneOf(
		rapid.SampledFrom([]string{
			"https://shop.example", "http://shop.example/a?b=c&d=e#f", "https://evil.example", "HTTPS://shop.example/A", "https://", "http://shop.example:80",
			" ", "\n", "(", ")", ".", ",", "…", "javascript:alert(1)", "https://u@shop.example", "/r/", "https://go.example/r/aaaaaaaaaaa",
		}),
		rapid.StringN(0, 5, -1),
	))
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(pieces.Draw(t, "pieces"), "")
		short, list := shorten(text, "https://shop.example")
		for _, each := range list {
			require.True(t, links.IsTarget(each.Target))
			require.Contains(t, strings.ToLower(each.Target), "shop.example")
		}
		if !strings.Contains(text, "go.example") {
			for _, each := range list {
				short = strings.ReplaceAll(short, "https://go.example/r/"+string(each.Code), each.Target)
			}
			require.Equal(t, text, short)
		}
	})
}

func FuzzShorten(f *testing.F) {
	archive, err := txtar.ParseFile("testdata/texts.txtar")
	require.NoError(f, err)
	for _, file := range archive.Files {
		for line := range strings.Lines(string(file.Data)) {
			f.Add(line)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		short, list := shorten(text, text)
		for _, each := range list {
			require.True(t, links.IsTarget(each.Target), each.Target)
			require.Contains(t, text, each.Target)
		}
		if len(list) == 0 {
			require.Equal(t, text, short)
		}
	})
}

func TestTargets(t *testing.T) {
	for target, want := range map[string]bool{
		"https://shop.example/portal/1": true, "http://127.0.0.1:8080": true, "https://[2001:db8::1]/a": true,
		"javascript:alert(1)": false, "data:text/html,hi": false, "//evil.example": false, "/path": false, "": false, "ftp://shop.example": false,
		"https:shop.example": false, "https:///path": false, "https://user:password@shop.example": false, "https://shop.example/\r\nSet-Cookie: a=b": false,
		"https://shop.example/a b": false, `https:\\shop.example`: false, `https://shop.example\@evil.example`: false, "https://shop.example/\x00": false,
	} {
		assert.Equal(t, want, links.IsTarget(target), target)
	}
}

func TestCodes(t *testing.T) {
	seen, characters := map[links.Code]bool{}, map[rune]int{}
	for range 10_000 {
		code := links.NewCode()
		parsed, ok := links.ParseCode("/r/" + string(code))
		require.True(t, ok, code)
		require.Equal(t, code, parsed)
		require.False(t, seen[code])
		require.Len(t, code.ID(), 32)
		require.NotEqual(t, code.ID(), links.NewCode().ID())
		seen[code] = true
		for _, r := range code {
			characters[r]++
		}
	}
	require.Len(t, characters, 62)
	for r, n := range characters {
		assert.InDelta(t, 10_000*links.CodeLength/62, n, 250, string(r))
	}
	for _, path := range []string{"", "/", "/r/", "/r/short", "/r/aaaaaaaaaaaa", "/r/aaaaaaaaaa/", "/r/aaaaaaaaaa.", "/x/aaaaaaaaaaa", "r/aaaaaaaaaaa", "/r/aaaaaaaaaaé"} {
		_, ok := links.ParseCode(path)
		assert.False(t, ok, path)
	}
}

func TestSigns(t *testing.T) {
	claimed := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
	const android = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"
	for agent, want := range map[string]links.Sign{
		iphone: "", android: "",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/490.0]": "",
		"Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36":                "",
		"": links.SignNoAgent, " ": links.SignNoAgent,
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/56.0.2924.87 Safari/537.36 Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)": links.SignPreview,
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)":                                                                                                            links.SignCrawler,
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0":                 links.SignPreview,
		"WhatsApp/2.23.20.0": links.SignPreview, "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)": links.SignPreview,
		"curl/8.5.0": links.SignLibrary, "Go-http-client/1.1": links.SignLibrary, "python-requests/2.31.0": links.SignLibrary,
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0 Safari/537.36": links.SignLibrary,
		"SomeScanner/1.0": links.SignCrawler,
	} {
		header := http.Header{"User-Agent": {agent}}
		assert.Equal(t, want, links.SignOf(header, claimed, claimed.Add(time.Minute)), agent)
	}
	person := http.Header{"User-Agent": {iphone}}
	assert.Equal(t, links.SignInstant, links.SignOf(person, claimed, claimed.Add(links.Instant-1)))
	assert.Empty(t, links.SignOf(person, claimed, claimed.Add(links.Instant)))
	for name, value := range map[string]string{"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch", "X-Purpose": "preview", "X-Moz": "Prefetch"} {
		header := person.Clone()
		header.Set(name, value)
		assert.Equal(t, links.SignPrefetch, links.SignOf(header, claimed, claimed.Add(time.Minute)), name)
	}
	assert.Equal(t, []string{"ios", "android", "other"}, []string{links.Family(iphone), links.Family(android), links.Family("curl/8")})
}
