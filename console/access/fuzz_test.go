package access_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/access"
)

func FuzzPeople(f *testing.F) {
	f.Add(twoPeople())
	f.Add("people:\n- {name: ann, role: viewer, hash: x}\n")
	f.Add("people: &a [*a]\n")
	f.Add("? [people]\n: {}\n")
	f.Add("---\n...\n")
	f.Add("people: !!binary x\nx: <<")
	f.Fuzz(func(t *testing.T, content string) {
		err := access.ParsePeople("people.yaml", []byte(content))
		if err == nil {
			require.Contains(t, content, "people")
		}
	})
}

// Whatever a browser or a program sends as cookies and headers, it gets in by what the console gave out only.
func FuzzCookies(f *testing.F) {
	f.Add("rechargeflow-session=x", "Bearer rft_x", "localhost", "203.0.113.1, 10.0.0.1", "https")
	f.Add("__Host-rechargeflow-session=; rechargeflow-csrf=a", "bearer", "[::1]:80", "a,,b", "https,http")
	f.Add("rechargeflow-oidc=e30.x", "Basic YTpi", "127.0.0.1:x", "::ffff:1.2.3.4%eth0", "")
	f.Fuzz(func(t *testing.T, cookies, authorization, host, forwarded, proto string) {
		c := newConsole(t, func(cfg *access.Config) { cfg.TrustedProxies = loopbackProxies() })
		r := httptest.NewRequest(http.MethodPost, "/api/v1/change", strings.NewReader("{}"))
		r.Host, r.RemoteAddr = host, "127.0.0.1:1"
		r.Header = http.Header{
			"Cookie": {cookies}, "Authorization": {authorization}, "X-Forwarded-For": {forwarded}, "X-Forwarded-Proto": {proto}, "Content-Type": {"application/json"},
		}
		w := httptest.NewRecorder()
		c.routes.ServeHTTP(w, r)
		require.Contains(t, []int{http.StatusUnauthorized, http.StatusMisdirectedRequest}, w.Code)
		require.Zero(t, c.changes)
	})
}

// Whatever the link says that led to the page for logging in, a browser stays at the console afterwards.
func FuzzNext(f *testing.F) {
	for _, next := range []string{"/acme", "//evil.example", "/\\evil", "/..//evil.example", "/a?b#c", "/%2f/evil", "/\u2028/x"} {
		f.Add(next)
	}
	f.Fuzz(func(t *testing.T, next string) {
		c := newConsole(t, nil)
		c.browser().get("/login?next=" + url.QueryEscape(next))
		base := url.URL{Scheme: "https", Host: "console.example.com", Path: "/login"}
		to, err := base.Parse(c.form.Next)
		require.NoError(t, err)
		require.Equal(t, "console.example.com", to.Host, "%q", next)
		require.Equal(t, "https", to.Scheme)
		require.True(t, strings.HasPrefix(c.form.Next, "/") && !strings.HasPrefix(c.form.Next, "//"), "%q", c.form.Next)
		require.NotContains(t, c.form.Next, "\\")
		for _, letter := range c.form.Next {
			require.Greater(t, letter, ' ')
		}
	})
}
