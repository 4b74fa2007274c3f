package access_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"golang.org/x/crypto/bcrypt"

	"github.com/rechargeflow/rechargeflow/console/access"
)

const (
	annPassword = "correct horse battery"
	bobPassword = "staple staple staple"
)

// clock is a clock that a test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// hashes are of the passwords above, with the least cost that is allowed.
const (
	annHash = "$2a$10$KY/.r7CB/FF50bglZRArwOmkRH0omWBOLSE/IAStVJlvtSI3/s7Ne"
	bobHash = "$2a$10$ysaO7r27EK5uoLuCs1M17u2LTOamPPT3BjT/s.Cx01L.XGVYow1VK"
)

// compareQuickly compares as bcrypt does, with the hashes above alone.
func compareQuickly(hash, password []byte) error {
	if string(hash) == annHash && string(password) == annPassword || string(hash) == bobHash && string(password) == bobPassword {
		return nil
	}
	return bcrypt.ErrMismatchedHashAndPassword
}

// withBcrypt compares with bcrypt itself.
func withBcrypt(cfg *access.Config) { cfg.Compare = nil }

// peopleFile writes a file of people.
func peopleFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "people.yaml")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func twoPeople() string {
	return "people:\n  - name: ann\n    role: operator\n    hash: " + annHash + "\n  - name: bob\n    role: viewer\n    hash: " + bobHash + "\n"
}

// address is where the console of a test seems to be. Its requests use no network.
const address = "http://localhost:8090"

// console is a console in front of which is an Access.
type console struct {
	t      *testing.T
	clock  *clock
	people string // the path of its file
	routes http.Handler

	settings access.Config
	access   *access.Access
	// form is the last page for logging in.
	form access.LoginForm
	// person is who sent the last request that was let in.
	person access.Person
	// refused is the last Refusal.
	refused *access.Refusal
	// stream is what a response that goes on does.
	stream func(inForce func() bool)
	// changes counts the requests that change something.
	changes int
	// outcomes counts the attempts to log in.
	outcomes map[access.Outcome]int
}

// newConsole serves a console with the people ann and bob, unless change takes them away.
func newConsole(t *testing.T, change func(*access.Config)) *console {
	t.Helper()
	c := &console{t: t, clock: newClock(), people: peopleFile(t, twoPeople()), outcomes: map[access.Outcome]int{}}
	people, err := access.OpenPeople(c.people, zap.NewNop(), c.clock.Now)
	require.NoError(t, err)
	cfg := access.Config{
		People: people, Limits: access.Limits{Idle: time.Hour, Max: 8 * time.Hour}, State: access.NewState(), Log: zap.NewNop(), Now: c.clock.Now,
		Public: []string{"/assets/*"}, Compare: compareQuickly,
		Attempted: func(outcome access.Outcome) { c.outcomes[outcome]++ },
		RenderLogin: func(ctx echo.Context, form access.LoginForm) error {
			c.form = form
			return ctx.String(form.Status, "log in: "+form.Fault)
		},
	}
	if change != nil {
		change(&cfg)
	}
	c.access, err = access.New(cfg)
	require.NoError(t, err)
	c.routes, c.settings = c.handler(), cfg
	return c
}

// handler serves a page, an asset and something to change.
func (c *console) handler() http.Handler {
	e := echo.New()
	e.HTTPErrorHandler = func(err error, ctx echo.Context) {
		if errors.As(err, &c.refused) {
			_ = ctx.String(c.refused.Status, c.refused.Detail)
			return
		}
		e.DefaultHTTPErrorHandler(err, ctx)
	}
	e.Use(c.access.Guard)
	c.access.Mount(e.Group(""))
	show := func(ctx echo.Context) error {
		c.person = access.Of(ctx.Request().Context())
		return ctx.String(http.StatusOK, access.CSRF(ctx.Request().Context()))
	}
	e.GET("/", show)
	e.GET("/:store/flows", show)
	e.GET("/api/v1/stores", show)
	e.GET("/assets/*", func(ctx echo.Context) error { return ctx.String(http.StatusOK, "asset") })
	e.GET("/stream", func(ctx echo.Context) error {
		c.stream(func() bool { return access.InForce(ctx.Request().Context()) })
		return ctx.NoContent(http.StatusNoContent)
	})
	e.POST("/change", c.change)
	e.PUT("/change", c.change)
	e.POST("/api/v1/change", c.change)
	return e
}

func (c *console) change(ctx echo.Context) error {
	c.changes++
	return ctx.String(http.StatusOK, "changed by "+access.Of(ctx.Request().Context()).Name)
}

// RoundTrip answers requests to the console, and sends others.
func (c *console) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != strings.TrimPrefix(address, "http://") {
		return http.DefaultTransport.RoundTrip(r)
	}
	got := r.Clone(r.Context())
	got.RemoteAddr = "127.0.0.1:40000"
	if got.Host == "" {
		got.Host = r.URL.Host
	}
	if got.Body == nil {
		got.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	c.routes.ServeHTTP(w, got)
	return w.Result(), nil
}

// browser is a client with cookies that follows no redirects.
type browser struct {
	*http.Client

	console *console
	headers http.Header
}

func (c *console) browser() *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(c.t, err)
	return &browser{console: c, headers: http.Header{"Accept": {"text/html"}}, Client: &http.Client{
		Transport: c, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// response is an answer whose body was read.
type response struct {
	*http.Response

	body string
}

func (b *browser) send(method, path string, body string, headers ...string) response {
	t := b.console.t
	t.Helper()
	target := path
	if !strings.HasPrefix(path, "http") {
		target = address + path
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	require.NoError(t, err)
	for name, values := range b.headers {
		r.Header[name] = values
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := b.Do(r)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return response{answer, string(text)}
}

func (b *browser) get(path string, headers ...string) response {
	return b.send(http.MethodGet, path, "", headers...)
}

func (b *browser) post(path string, form url.Values, headers ...string) response {
	return b.send(http.MethodPost, path, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin"}, headers...)...)
}

// logIn fetches the form and sends it.
func (b *browser) logIn(name, password string, headers ...string) response {
	b.get("/login", headers...)
	return b.post("/login", url.Values{"name": {name}, "password": {password}, "csrf": {b.console.form.CSRF}, "next": {"/acme/flows"}}, headers...)
}

// cookie returns a cookie of the jar.
func (b *browser) cookie(name string) string {
	u, err := url.Parse(address)
	require.NoError(b.console.t, err)
	for _, each := range b.Jar.Cookies(u) {
		if each.Name == name {
			return each.Value
		}
	}
	return ""
}
