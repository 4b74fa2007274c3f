package access_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/access"
)

// startProvider builds and starts the OIDC provider of testdata, and returns its issuer.
func startProvider(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds an OIDC provider; run without -short")
	}
	dir := t.TempDir()
	binary := filepath.Join(dir, "provider")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	build.Dir = filepath.Join("testdata", "provider")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))

	person := func(name string, verified bool, groups ...string) map[string]any {
		return map[string]any{"ID": name, "Username": name, "Password": "verysecure", "Email": name + "@example.com", "EmailVerified": verified, "Groups": groups}
	}
	people, err := json.Marshal(map[string]any{
		"ann": person("ann", true, "staff", "platform"), "bob": person("bob", true, "staff"), "eve": person("eve", true, "guests"), "mallory": person("mallory", false, "platform"),
	})
	require.NoError(t, err)
	file := filepath.Join(dir, "people.json")
	require.NoError(t, os.WriteFile(file, people, 0o600))

	command := exec.CommandContext(context.WithoutCancel(t.Context()), binary, "-redirect", address+access.PathCallback, "-people", file)
	stdin, err := command.StdinPipe()
	require.NoError(t, err)
	stdout, err := command.StdoutPipe()
	require.NoError(t, err)
	command.Stderr = os.Stderr
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		assert.NoError(t, stdin.Close())
		assert.NoError(t, command.Wait())
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	issuer, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(issuer)
}

// withOIDC makes a console whose people a provider knows.
func withOIDC(issuer string) func(*access.Config) {
	return func(cfg *access.Config) {
		cfg.URL, cfg.People = address, nil
		cfg.OIDC = &access.OIDC{
			Issuer: issuer, ClientID: "console", ClientSecret: "secret", Scopes: []string{"email", "profile"}, NameClaim: "email", RoleClaim: "groups",
			Roles: map[string]access.Role{"staff": access.Viewer, "platform": access.Operator},
		}
	}
}

// atProvider logs in at the provider as a person does: it follows to its form, fills it in, and returns the address that the provider sends the browser back to.
func (b *browser) atProvider(begin response, name string) string {
	t := b.console.t
	t.Helper()
	require.Equal(t, http.StatusSeeOther, begin.StatusCode, begin.body)
	authorize := b.get(begin.Header.Get("Location"))
	require.Equal(t, http.StatusFound, authorize.StatusCode, authorize.body)
	base, err := url.Parse(begin.Header.Get("Location"))
	require.NoError(t, err)
	page, err := base.Parse(authorize.Header.Get("Location"))
	require.NoError(t, err)
	id := page.Query().Get("authRequestID")
	filled := url.Values{"username": {name}, "password": {"verysecure"}, "id": {id}}
	sent := b.send(http.MethodPost, page.Scheme+"://"+page.Host+page.Path, filled.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, http.StatusFound, sent.StatusCode, sent.body)
	next, err := page.Parse(sent.Header.Get("Location"))
	require.NoError(t, err)
	back := b.get(next.String())
	require.Equal(t, http.StatusFound, back.StatusCode, back.body)
	return back.Header.Get("Location")
}

func (b *browser) logInAt(name, next string) response {
	return b.get(b.atProvider(b.get("/login/oidc?next="+url.QueryEscape(next)), name))
}

// The provider is a real one, in a process of its own.
func TestOIDC(t *testing.T) {
	issuer := startProvider(t)
	c := newConsole(t, withOIDC(issuer))
	b := c.browser()
	b.get("/login")
	assert.True(t, c.form.OIDC)
	assert.False(t, c.form.Passwords)
	assert.Equal(t, http.StatusNotFound, b.post("/login", url.Values{"name": {"ann"}, "password": {"x"}, "csrf": {c.form.CSRF}}).StatusCode)

	begin := b.get("/login/oidc?next=" + url.QueryEscape("/acme/flows?a=b"))
	asked, err := url.Parse(begin.Header.Get("Location"))
	require.NoError(t, err)
	for name, pattern := range map[string]string{
		"response_type": "^code$", "client_id": "^console$", "scope": "^openid email profile$", "code_challenge_method": "^S256$", "code_challenge": "^[A-Za-z0-9_-]{43}$",
		"state": "^[A-Za-z0-9_-]{43}$", "nonce": "^[A-Za-z0-9_-]{43}$", "redirect_uri": "^" + address + "/login/oidc/callback$",
	} {
		assert.Regexp(t, pattern, asked.Query().Get(name), name)
	}
	callback := b.atProvider(begin, "ann")
	in := b.get(callback)
	require.Equal(t, http.StatusSeeOther, in.StatusCode, in.body)
	assert.Equal(t, "/acme/flows?a=b", in.Header.Get("Location"))
	page := b.get("/")
	require.Equal(t, http.StatusOK, page.StatusCode)
	assert.Equal(t, access.Person{Name: "ann@example.com", Role: access.Operator}, c.person, "the greatest role of the groups, which only the userinfo endpoint has")
	assert.Equal(t, "changed by ann@example.com", b.post("/change", url.Values{"csrf": {page.body}}).body)

	assert.Equal(t, http.StatusBadRequest, c.browser().get(callback).StatusCode, "the answer in another browser")
	assert.Equal(t, http.StatusBadRequest, b.get(callback).StatusCode, "the answer again")

	other := c.browser()
	other.logInAt("bob", "//evil.example")
	require.Equal(t, http.StatusOK, other.get("/").StatusCode)
	assert.Equal(t, access.Person{Name: "bob@example.com", Role: access.Viewer}, c.person)
	assert.Equal(t, http.StatusForbidden, c.browser().logInAt("eve", "/").StatusCode, "known, without a role")
	assert.Contains(t, c.form.Fault, "no role")
	assert.Equal(t, http.StatusUnauthorized, c.browser().logInAt("mallory", "/").StatusCode, "an address that is not verified")
	assert.Equal(t, map[access.Outcome]int{access.LoggedIn: 2, access.OIDCExpired: 2, access.NoRole: 1, access.OIDCRefused: 1}, c.outcomes)
}

// Answers that belong to another attempt, or that somebody has changed, begin no session.
func TestOIDCAttacks(t *testing.T) {
	issuer := startProvider(t)
	c := newConsole(t, withOIDC(issuer))
	victim, attacker := c.browser(), c.browser()
	stolen, err := url.Parse(attacker.atProvider(attacker.get("/login/oidc"), "bob"))
	require.NoError(t, err)
	begin := victim.get("/login/oidc")
	own, err := url.Parse(begin.Header.Get("Location"))
	require.NoError(t, err)
	cookie := victim.cookie("rechargeflow-oidc")
	answer := func(query url.Values, cookie string) int {
		return c.browser().get("/login/oidc/callback?"+query.Encode(), "Cookie", "rechargeflow-oidc="+cookie).StatusCode
	}
	state := own.Query().Get("state")
	for name, test := range map[string]struct {
		query  url.Values
		cookie string
		status int
	}{
		"state of another attempt":  {stolen.Query(), cookie, http.StatusBadRequest},
		"no state":                  {url.Values{"code": {"x"}}, cookie, http.StatusBadRequest},
		"code of another attempt":   {url.Values{"code": stolen.Query()["code"], "state": {state}}, cookie, http.StatusUnauthorized},
		"a code that is none":       {url.Values{"code": {"x"}, "state": {state}}, cookie, http.StatusUnauthorized},
		"no code":                   {url.Values{"state": {state}}, cookie, http.StatusUnauthorized},
		"refused by the provider":   {url.Values{"error": {"access_denied"}, "state": {state}}, cookie, http.StatusUnauthorized},
		"another issuer":            {url.Values{"code": {"x"}, "state": {state}, "iss": {"https://evil.example"}}, cookie, http.StatusBadRequest},
		"cookie that was changed":   {url.Values{"code": {"x"}, "state": {state}}, "A" + cookie[1:], http.StatusBadRequest},
		"cookie without signature":  {url.Values{"code": {"x"}, "state": {state}}, strings.Split(cookie, ".")[0] + ".", http.StatusBadRequest},
		"no cookie, an empty state": {url.Values{"code": {"x"}, "state": {""}}, "", http.StatusBadRequest},
	} {
		assert.Equal(t, test.status, answer(test.query, test.cookie), name)
	}
	c.clock.advance(attemptLasts)
	assert.Equal(t, http.StatusBadRequest, answer(url.Values{"code": {"x"}, "state": {state}}, cookie), "too late")
}

func TestOIDCProviderIsDown(t *testing.T) {
	c := newConsole(t, withOIDC("http://127.0.0.1:1"))
	b := c.browser()
	assert.Equal(t, http.StatusBadGateway, b.get("/login/oidc").StatusCode)
	assert.Contains(t, c.form.Fault, "can't be reached")
	assert.Equal(t, map[access.Outcome]int{access.OIDCUnavailable: 1}, c.outcomes)
	c = newConsole(t, nil)
	assert.Equal(t, http.StatusNotFound, c.browser().get("/login/oidc").StatusCode)
	assert.Equal(t, http.StatusNotFound, c.browser().get("/login/oidc/callback").StatusCode)
	_, err := access.New(access.Config{OIDC: &access.OIDC{}})
	require.ErrorContains(t, err, "console.url is empty")
}
