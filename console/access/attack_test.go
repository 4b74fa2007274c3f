package access_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/rechargeflow/rechargeflow/console/access"
)

// Each way in which another site can make a browser send a request is refused, even if the browser sends the session's cookie along.
func TestCrossSiteRequests(t *testing.T) {
	c := newConsole(t, nil)
	b := c.browser()
	require.Equal(t, http.StatusSeeOther, b.logIn("ann", annPassword).StatusCode)
	token := b.get("/").body
	form := url.Values{"csrf": {token}}
	for name, sent := range map[string]func() response{
		"form of another site": func() response {
			return b.post("/change", form, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")
		},
		"form of a neighbour": func() response { return b.post("/change", form, "Sec-Fetch-Site", "same-site") },
		"old browser, another origin": func() response {
			return b.post("/change", form, "Sec-Fetch-Site", "", "Origin", "https://evil.example")
		},
		"old browser, sandboxed": func() response { return b.post("/change", form, "Sec-Fetch-Site", "", "Origin", "null") },
		"another port":           func() response { return b.post("/change", form, "Sec-Fetch-Site", "", "Origin", "http://127.0.0.1:1") },
		"no token":               func() response { return b.post("/change", url.Values{}) },
		"token of somebody else": func() response { return b.post("/change", url.Values{"csrf": {c.tokenOf("bob", bobPassword)}}) },
		"token in the address":   func() response { return b.post("/change?csrf="+url.QueryEscape(token), url.Values{}) },
		"plain text": func() response {
			return b.send(http.MethodPost, "/change", "csrf="+token, "Content-Type", "text/plain")
		},
		"JSON without token": func() response {
			return b.send(http.MethodPost, "/api/v1/change", `{}`, "Content-Type", "application/json")
		},
		"other method": func() response { return b.send(http.MethodPut, "/change", "", "Content-Type", "application/json") },
		"log out":      func() response { return b.post("/logout", url.Values{}) },
	} {
		assert.Equal(t, http.StatusForbidden, sent().StatusCode, name)
	}
	assert.Zero(t, c.changes)
	assert.Equal(t, http.StatusOK, b.get("/").StatusCode, "the session is as it was")
	assert.Equal(t, "changed by ann", b.post("/change", form).body)
	assert.Equal(t, "changed by ann", b.post("/change", form, "Sec-Fetch-Site", "", "Origin", address).body, "an old browser")
	assert.Equal(t, "changed by ann", b.send(http.MethodPost, "/api/v1/change", `{}`, "Content-Type", "application/json", "X-CSRF-Token", token).body)
}

// tokenOf logs somebody in, and returns the token of their forms.
func (c *console) tokenOf(name, password string) string {
	b := c.browser()
	require.Equal(c.t, http.StatusSeeOther, b.logIn(name, password).StatusCode)
	return b.get("/").body
}

// A site can't log a browser in as somebody else, whose account the person would then use.
func TestCrossSiteLogIn(t *testing.T) {
	c := newConsole(t, nil)
	b, attacker := c.browser(), c.browser()
	attacker.get("/login")
	theirs := c.form.CSRF
	b.get("/login")
	for name, csrf := range map[string]string{"no token": "", "token of the attacker": theirs} {
		sent := b.post("/login", url.Values{"name": {"bob"}, "password": {bobPassword}, "csrf": {csrf}})
		assert.Equal(t, http.StatusForbidden, sent.StatusCode, name)
	}
	sent := c.browser().post("/login", url.Values{"name": {"bob"}, "password": {bobPassword}, "csrf": {theirs}})
	assert.Equal(t, http.StatusForbidden, sent.StatusCode, "the form of a browser without the cookie")
	assert.Equal(t, http.StatusSeeOther, b.get("/").StatusCode)
}

// Whatever cookie a browser has before, it gets another one when somebody logs in.
func TestSessionFixation(t *testing.T) {
	c := newConsole(t, nil)
	b := c.browser()
	u, err := url.Parse(address)
	require.NoError(t, err)
	planted := strings.Repeat("A", 43)
	b.Jar.SetCookies(u, []*http.Cookie{{Name: "rechargeflow-session", Value: planted, Path: "/"}})
	require.Equal(t, http.StatusSeeOther, b.logIn("ann", annPassword).StatusCode)
	first := b.cookie("rechargeflow-session")
	assert.NotEqual(t, planted, first)
	assert.Len(t, first, 43, "256 bits")

	thief := c.browser()
	thief.Jar.SetCookies(u, []*http.Cookie{{Name: "rechargeflow-session", Value: planted, Path: "/"}})
	assert.Equal(t, http.StatusSeeOther, thief.get("/").StatusCode)
}

// A cookie that was copied is of no use after its owner has logged out.
func TestReplayAfterLogOut(t *testing.T) {
	c := newConsole(t, nil)
	b, thief := c.browser(), c.browser()
	b.logIn("ann", annPassword)
	u, err := url.Parse(address)
	require.NoError(t, err)
	thief.Jar.SetCookies(u, b.Jar.Cookies(u))
	token := thief.get("/").body
	require.Equal(t, "changed by ann", thief.post("/change", url.Values{"csrf": {token}}).body)

	require.Equal(t, http.StatusSeeOther, b.post("/logout", url.Values{"csrf": {token}}).StatusCode)
	assert.Empty(t, b.cookie("rechargeflow-session"))
	assert.Equal(t, "/login", thief.get("/").Header.Get("Location"))
	assert.Equal(t, "/login", thief.post("/change", url.Values{"csrf": {token}}).Header.Get("Location"), "a form leads to the page for logging in")
	assert.Equal(t, http.StatusUnauthorized, thief.send(http.MethodPost, "/api/v1/change", "{}", "X-CSRF-Token", token).StatusCode)
	assert.Equal(t, 1, c.changes)
}

// After logging in a person goes to a path of the console, whatever the link said that led to the page.
func TestOpenRedirect(t *testing.T) {
	c := newConsole(t, nil)
	for _, next := range []string{
		"https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example",
		"http:evil.example", "javascript:alert(1)", "evil.example", "/%2F/evil.example\r\nSet-Cookie: a=b", "/a\r\nLocation: https://evil.example",
		"/%2fevil.example", "", "/login", "/logout", "/login?next=/", "@evil.example", "/" + strings.Repeat("a", 1024), "/%zz",
	} {
		b := c.browser()
		b.get("/login?next=" + url.QueryEscape(next))
		assert.Equal(t, "/", c.form.Next, "%q", next)
		sent := b.post("/login", url.Values{"name": {"bob"}, "password": {bobPassword}, "csrf": {c.form.CSRF}, "next": {next}})
		assert.Equal(t, http.StatusSeeOther, sent.StatusCode, "%q", next)
		assert.Equal(t, "/", sent.Header.Get("Location"), "%q", next)
		assert.Len(t, sent.Header["Set-Cookie"], 2, "%q: the session, and the end of the form's cookie", next)
	}
	for _, next := range []string{"/", "/acme/flows", "/acme/flows?a=b&c=%2F%2Fd", "/acme/customers/%C3%A9"} {
		b := c.browser()
		b.get("/login?next=" + url.QueryEscape(next))
		assert.Equal(t, next, c.form.Next)
	}
}

// Ten thousand guesses at one password from many addresses, and from one address at many names: a handful is compared.
func TestGuessing(t *testing.T) {
	var compared atomic.Int64
	c := newConsole(t, func(cfg *access.Config) {
		cfg.TrustedProxies = loopbackProxies()
		cfg.Compare = func([]byte, []byte) error {
			compared.Add(1)
			return bcrypt.ErrMismatchedHashAndPassword
		}
	})
	b := c.browser()
	b.get("/login")
	csrf := c.form.CSRF
	guess := func(i int, name, address string) response {
		return b.post("/login", url.Values{"name": {name}, "password": {fmt.Sprint(i)}, "csrf": {csrf}}, "X-Forwarded-For", address)
	}
	limited := 0
	for i := range 5000 {
		sent := guess(i, "ann", fmt.Sprintf("192.0.%d.%d", i/250, i%250))
		if sent.StatusCode != http.StatusTooManyRequests {
			require.Equal(t, http.StatusUnauthorized, sent.StatusCode)
			continue
		}
		limited++
		require.NotEmpty(t, sent.Header.Get("Retry-After"))
		require.Equal(t, "There were too many attempts. Try again later.", c.form.Fault)
	}
	assert.Equal(t, 4900, limited)
	assert.Equal(t, int64(100), compared.Swap(0), "at one name, from 5000 addresses")
	for i := range 5000 {
		guess(i, fmt.Sprintf("name%d", i), "2001:db8::"+fmt.Sprintf("%x", i+1))
	}
	assert.LessOrEqual(t, compared.Load(), int64(20), "from one network, at 5000 names")

	c.clock.advance(2 * time.Minute)
	compared.Store(0)
	for i := range 10 {
		guess(i, "ann", fmt.Sprintf("198.51.100.%d", i))
	}
	assert.Equal(t, int64(2), compared.Load(), "one more after each minute")
}

// Who guesses a password from one network does not keep its owner out.
func TestGuessingKeepsNobodyOut(t *testing.T) {
	c := newConsole(t, func(cfg *access.Config) { cfg.TrustedProxies = loopbackProxies() })
	b := c.browser()
	b.get("/login")
	csrf := c.form.CSRF
	try := func(password, address string) int {
		return b.post("/login", url.Values{"name": {"ann"}, "password": {password}, "csrf": {csrf}}, "X-Forwarded-For", address).StatusCode
	}
	for range 10 {
		require.Equal(t, http.StatusUnauthorized, try("guess", "192.0.2.1"))
	}
	assert.Equal(t, http.StatusTooManyRequests, try(annPassword, "192.0.2.1"))
	assert.Equal(t, http.StatusSeeOther, try(annPassword, "198.51.100.1"))
}

// A name that does not exist takes the same path as one that does: one comparison with a hash of the same cost, the same answer.
func TestUnknownNames(t *testing.T) {
	var hashes []string
	c := newConsole(t, func(cfg *access.Config) {
		cfg.Compare = func(hash, password []byte) error {
			hashes = append(hashes, string(hash))
			return bcrypt.CompareHashAndPassword(hash, password)
		}
	})
	var answers []response
	for _, name := range []string{"ann", "nobody", "nobody", "", "ann\x00", strings.Repeat("n", 1000), "é"} {
		b := c.browser()
		b.get("/login")
		answers = append(answers, b.post("/login", url.Values{"name": {name}, "password": {annPassword + "!"}, "csrf": {c.form.CSRF}}))
	}
	require.Len(t, hashes, len(answers), "one comparison each")
	for i, answer := range answers {
		assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
		assert.Equal(t, answers[0].body, answer.body)
		cost, err := bcrypt.Cost([]byte(hashes[i]))
		require.NoError(t, err)
		assert.Equal(t, 10, cost)
	}
	assert.Equal(t, hashes[1], hashes[2], "the same name, the same hash: the time tells nothing")

	for _, name := range []string{"nobody", "nobody else", "carol", "dave"} { // one of these has ann's hash to compare with
		b := c.browser()
		assert.Equal(t, http.StatusUnauthorized, b.logIn(name, annPassword).StatusCode)
		assert.Equal(t, http.StatusUnauthorized, b.logIn(name, bobPassword).StatusCode)
	}
}

func TestLongPasswords(t *testing.T) {
	long := strings.Repeat("p", 72)
	hash, err := access.HashPassword(long)
	require.NoError(t, err)
	c := newConsole(t, withBcrypt)
	c.writePeople("people:\n- {name: long, role: viewer, hash: " + hash + "}\n")
	c.clock.advance(2 * time.Second)
	assert.Equal(t, http.StatusUnauthorized, c.browser().logIn("long", long+"!").StatusCode, "bcrypt would ignore what is beyond 72 bytes")
	assert.Equal(t, http.StatusSeeOther, c.browser().logIn("long", long).StatusCode)
}

func TestLargeBodies(t *testing.T) {
	c := newConsole(t, nil)
	b := c.browser()
	b.get("/login")
	sent := b.post("/login", url.Values{"name": {"ann"}, "password": {strings.Repeat("p", 9000)}, "csrf": {c.form.CSRF}})
	assert.Equal(t, http.StatusRequestEntityTooLarge, sent.StatusCode, "of somebody who has not logged in")
	b = c.browser()
	b.logIn("ann", annPassword)
	token := b.get("/").body
	assert.Equal(t, http.StatusOK, b.post("/change", url.Values{"csrf": {token}, "text": {strings.Repeat("p", 9000)}}).StatusCode)
	assert.Equal(t, http.StatusRequestEntityTooLarge, b.post("/change", url.Values{"csrf": {token}, "text": {strings.Repeat("p", 1<<20)}}).StatusCode)
	assert.Equal(t, http.StatusBadRequest, b.send(http.MethodPost, "/change", "csrf=%zz", "Content-Type", "application/x-www-form-urlencoded").StatusCode)
	assert.Equal(t, 1, c.changes)
}
