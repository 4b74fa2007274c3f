package access_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/access"
)

func loopbackProxies() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

// nobody makes a console that nobody logs in to.
func nobody(cfg *access.Config) { cfg.People = nil }

func (c *console) writePeople(content string) {
	require.NoError(c.t, os.WriteFile(c.people, []byte(content), 0o600))
}

func TestHeaders(t *testing.T) {
	c := newConsole(t, nil)
	b := c.browser()
	b.logIn("ann", annPassword)
	for _, path := range []string{"/", "/login", "/api/v1/stores", "/assets/style.css", "/nothing/here/at/all", "/api/v1/nothing"} {
		for who, sent := range map[string]response{"ann": b.get(path), "nobody": c.browser().get(path)} {
			h := sent.Header
			csp := h.Get("Content-Security-Policy")
			assert.True(t, strings.HasPrefix(csp, "default-src 'none';"), "%s %s", who, path)
			assert.NotContains(t, csp, "unsafe")
			for _, directive := range []string{"script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
				assert.Contains(t, csp, directive)
			}
			assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
			assert.Equal(t, "DENY", h.Get("X-Frame-Options"))
			assert.Equal(t, "same-origin", h.Get("Referrer-Policy"))
			assert.Equal(t, "no-store", h.Get("Cache-Control"))
			assert.NotEmpty(t, h.Get("Permissions-Policy"))
			assert.Empty(t, h.Get("Strict-Transport-Security"), "without TLS")
			assert.Empty(t, h.Get("Access-Control-Allow-Origin"))
		}
	}
}

func TestCookies(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(*access.Config)
		headers []string
		prefix  string
	}{
		"plain":                       {nil, nil, ""},
		"proxy that is not trusted":   {nil, []string{"X-Forwarded-Proto", "https"}, ""},
		"trusted proxy with TLS":      {func(cfg *access.Config) { cfg.TrustedProxies = loopbackProxies() }, []string{"X-Forwarded-Proto", "https"}, "__Host-"},
		"trusted proxy without TLS":   {func(cfg *access.Config) { cfg.TrustedProxies = loopbackProxies() }, []string{"X-Forwarded-Proto", "http"}, ""},
		"TLS before two proxies only": {func(cfg *access.Config) { cfg.TrustedProxies = loopbackProxies() }, []string{"X-Forwarded-Proto", "https, http"}, ""},
		"https in console.url":        {func(cfg *access.Config) { cfg.URL = "https://console.example.com" }, nil, "__Host-"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, test.change)
			b := c.browser()
			first := b.get("/login", test.headers...)
			csrf := first.Cookies()[0]
			assert.Equal(t, test.prefix+"rechargeflow-csrf", csrf.Name)
			assert.Equal(t, http.SameSiteStrictMode, csrf.SameSite)
			// The jar keeps no cookie for TLS from a server without it, so it is sent by hand.
			sent := b.post("/login", url.Values{"name": {"ann"}, "password": {annPassword}, "csrf": {c.form.CSRF}},
				append([]string{"Cookie", csrf.Name + "=" + csrf.Value}, test.headers...)...)
			require.Equal(t, http.StatusSeeOther, sent.StatusCode)
			session := sent.Cookies()[0]
			assert.Equal(t, test.prefix+"rechargeflow-session", session.Name)
			assert.Equal(t, http.SameSiteLaxMode, session.SameSite)
			assert.Equal(t, test.prefix != "", sent.Header.Get("Strict-Transport-Security") != "")
			for _, each := range sent.Cookies() {
				assert.True(t, each.HttpOnly, each.Name)
				assert.Equal(t, test.prefix != "", each.Secure, each.Name)
				assert.Equal(t, "/", each.Path)
				assert.Empty(t, each.Domain)
			}
		})
	}
}

// A page of another site whose name was made to resolve to the console's address gets nothing.
func TestDNSRebinding(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*access.Config)
		hosts  map[string]int
	}{
		"people": {nil, map[string]int{
			"evil.example": 421, "evil.example:8090": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "localhost.": 421,
			"localhost:8090": 303, "LOCALHOST": 303, "127.0.0.1": 303, "[::1]:8090": 303, "10.0.0.5:8090": 303, "[2001:db8::1]": 303,
		}},
		"console.url": {func(cfg *access.Config) { cfg.URL = "https://console.example.com" }, map[string]int{
			"console.example.com": 303, "Console.Example.Com:443": 303, "evil.example": 421, "example.com": 421, "localhost": 303,
		}},
		"nobody": {nobody, map[string]int{
			"evil.example": 421, "localhost:8090": 200, "127.0.0.1": 200, "[::1]:8090": 200, "10.0.0.5:8090": 421, "[::ffff:127.0.0.1]": 200,
		}},
	} {
		c := newConsole(t, test.change)
		for host, status := range test.hosts {
			assert.Equal(t, status, c.browser().get("/", "Host", host).StatusCode, "%s: %s", name, host)
		}
	}
}

func TestLocal(t *testing.T) {
	c := newConsole(t, nobody)
	b := c.browser()
	token := b.get("/").body
	assert.Equal(t, access.Person{Name: "local", Role: access.Operator}, c.person)
	assert.Equal(t, "changed by local", b.post("/change", url.Values{"csrf": {token}}).body)
	assert.Equal(t, "/", b.get("/login").Header.Get("Location"), "nobody needs to log in")

	program := c.browser()
	program.Jar, program.headers = nil, nil
	assert.Equal(t, "changed by local", program.send(http.MethodPost, "/api/v1/change", `{}`, "Content-Type", "application/json").body)
	for name, sent := range map[string]func() response{
		"form of another site": func() response { return b.post("/change", url.Values{"csrf": {token}}, "Sec-Fetch-Site", "cross-site") },
		"form without token":   func() response { return b.post("/change", url.Values{}) },
		"form without cookie":  func() response { return program.post("/change", url.Values{"csrf": {token}}) },
		"text without cookie": func() response {
			return program.send(http.MethodPost, "/api/v1/change", `{}`, "Content-Type", "text/plain")
		},
		"nothing without cookie": func() response { return program.send(http.MethodPost, "/api/v1/change", "") },
		"JSON of another site": func() response {
			return program.send(http.MethodPost, "/api/v1/change", `{}`, "Content-Type", "application/json", "Origin", "https://evil.example")
		},
		"through a proxy": func() response { return b.get("/", "X-Forwarded-For", "203.0.113.5") },
	} {
		assert.Equal(t, http.StatusForbidden, sent().StatusCode, name)
	}
	assert.Equal(t, 2, c.changes)
	assert.Equal(t, http.StatusUnauthorized, program.get("/", "Authorization", "Bearer rft_x").StatusCode, "a token that is none does not become local")
}

func TestWhoIsSentToLogIn(t *testing.T) {
	c := newConsole(t, nil)
	b := c.browser()
	assert.Equal(t, "/login?next=%2Facme%2Fflows", b.get("/acme/flows").Header.Get("Location"))
	assert.Equal(t, "/login", b.get("/").Header.Get("Location"))
	for name, sent := range map[string]response{
		"API": b.get("/api/v1/stores"), "events": b.get("/acme/flows", "Accept", "text/event-stream"), "not a page": b.send(http.MethodPut, "/change", ""),
	} {
		assert.Equal(t, http.StatusUnauthorized, sent.StatusCode, name)
		assert.Contains(t, sent.Header.Get("WWW-Authenticate"), "Bearer", name)
		assert.Equal(t, http.StatusUnauthorized, c.refused.Status, name)
	}
	assert.Equal(t, http.StatusOK, b.get("/assets/style.css").StatusCode)
	assert.Equal(t, http.StatusSeeOther, b.get("/%61ssets/flows").StatusCode, "the route counts, which is that of a store")
	assert.Equal(t, http.StatusSeeOther, b.get("/login/flows").StatusCode)
	assert.Equal(t, http.StatusSeeOther, b.get("/nothing/here/at/all").StatusCode, "an unknown address looks like any other to somebody who is not logged in")
}

func TestSessionsEnd(t *testing.T) {
	ended := func(b *browser) bool { return b.get("/").StatusCode == http.StatusSeeOther }
	for name, test := range map[string]struct {
		do   func(*console, *browser)
		ends bool
	}{
		"used in time": {func(c *console, b *browser) {
			for range 9 {
				c.clock.advance(50 * time.Minute)
				b.get("/")
			}
		}, false},
		"idle": {func(c *console, _ *browser) { c.clock.advance(time.Hour) }, true},
		"too old": {func(c *console, b *browser) {
			for range 10 {
				c.clock.advance(50 * time.Minute)
				b.get("/")
			}
		}, true},
		"removed":          {func(c *console, _ *browser) { c.writePeople(strings.ReplaceAll(twoPeople(), "ann", "anna")) }, true},
		"other role":       {func(c *console, _ *browser) { c.writePeople(strings.ReplaceAll(twoPeople(), "operator", "editor")) }, true},
		"other password":   {func(c *console, _ *browser) { c.writePeople(strings.ReplaceAll(twoPeople(), annHash, bobHash)) }, true},
		"somebody else":    {func(c *console, _ *browser) { c.writePeople(strings.ReplaceAll(twoPeople(), "bob", "carol")) }, false},
		"file with faults": {func(c *console, _ *browser) { c.writePeople("people:\n- name: bob\n") }, false},
		"file is gone":     {func(c *console, _ *browser) { require.NoError(c.t, os.Remove(c.people)) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, nil)
			b := c.browser()
			require.Equal(t, http.StatusSeeOther, b.logIn("ann", annPassword).StatusCode)
			require.False(t, ended(b))
			test.do(c, b)
			c.clock.advance(2 * time.Second)
			assert.Equal(t, test.ends, ended(b))
		})
	}
}

// A response that goes on, such as a stream of events, can ask whether it still may.
func TestInForce(t *testing.T) {
	c := newConsole(t, nil)
	b := c.browser()
	b.logIn("ann", annPassword)
	asks, answer := make(chan bool), make(chan bool)
	c.stream = func(inForce func() bool) {
		for range asks {
			answer <- inForce()
		}
	}
	done := make(chan response)
	go func() { done <- b.get("/stream") }()
	asks <- true
	assert.True(t, <-answer)
	c.writePeople(strings.ReplaceAll(twoPeople(), "ann", "anna"))
	c.clock.advance(2 * time.Second)
	asks <- true
	assert.False(t, <-answer)
	close(asks)
	<-done
}

func TestManySessions(t *testing.T) {
	c := newConsole(t, nil)
	first := c.browser()
	first.logIn("ann", annPassword)
	other := c.browser()
	other.logIn("bob", bobPassword)
	for range 20 {
		c.clock.advance(2 * time.Minute)
		require.Equal(t, http.StatusSeeOther, c.browser().logIn("ann", annPassword).StatusCode)
	}
	assert.Equal(t, http.StatusSeeOther, first.get("/").StatusCode, "the oldest has made room")
	assert.Equal(t, http.StatusOK, other.get("/").StatusCode)
}
