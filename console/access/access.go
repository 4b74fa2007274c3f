package access

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
	"golang.org/x/crypto/bcrypt"
)

// Config is what an Access is made of.
type Config struct {
	// URL is the address at which people reach the console, such as https://console.example.com; "" for the address that it listens on.
	URL string
	// TrustedProxies are the addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
	TrustedProxies []netip.Prefix
	// People and OIDC say who may use the console. Without both everybody who reaches it is the operator Local: see CheckListen.
	People *People
	OIDC   *OIDC
	// Tokens are the API tokens, nil for none.
	Tokens *Tokens
	// Limits are how long a session lasts.
	Limits Limits
	// Public are the patterns of further routes that need nobody to be logged in, such as "/assets/*".
	Public []string
	// RenderLogin answers with the page for logging in.
	RenderLogin func(c echo.Context, form LoginForm) error
	// Attempted is called with the outcome of each attempt to log in; nil for nobody.
	Attempted func(Outcome)
	// State outlives an Access, which is made again when the configuration changes.
	State *State
	Log   *zap.Logger
	Now   func() time.Time
	// Compare compares a hash with a password; nil for bcrypt.CompareHashAndPassword.
	Compare func(hash, password []byte) error
}

// Access decides who may use the console. Its methods are safe for concurrent use.
type Access struct {
	cfg    Config
	url    url.URL
	state  *State
	origin *http.CrossOriginProtection
	public map[string]bool
}

// New returns an Access. The error names the setting that is wrong.
func New(cfg Config) (*Access, error) {
	a := &Access{cfg: cfg, state: cfg.State, origin: http.NewCrossOriginProtection(), public: map[string]bool{PathLogin: true, PathOIDC: true, PathCallback: true}}
	if a.cfg.Compare == nil {
		a.cfg.Compare = bcrypt.CompareHashAndPassword
	}
	for _, pattern := range cfg.Public {
		a.public[pattern] = true
	}
	if cfg.OIDC != nil && cfg.URL == "" {
		return nil, errors.New("console.url is empty: the OIDC provider sends people back to it")
	}
	if cfg.URL == "" {
		return a, nil
	}
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("console.url: %w", err)
	}
	a.url = *u
	if err := a.origin.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
		return nil, fmt.Errorf("console.url: %w", err)
	}
	return a, nil
}

// isLocal reports whether everybody who reaches the console is an operator.
func (a *Access) isLocal() bool { return a.cfg.People == nil && a.cfg.OIDC == nil }

// Mount adds the routes of logging in and out to a group that Guard protects.
func (a *Access) Mount(group *echo.Group) {
	group.GET(PathLogin, a.showLogin)
	group.POST(PathLogin, a.login)
	group.POST(PathLogout, a.logout)
	group.GET(PathOIDC, a.startOIDC)
	group.GET(PathCallback, a.finishOIDC)
}

// bodyLimit is the largest body of a request in bytes, and loginLimit that of one by nobody.
const (
	bodyLimit  = 1 << 20
	loginLimit = 8 << 10
)

// Guard is the middleware that all requests pass, after a route was found for them. It sets headers, refuses what it must, and gives the context of a
// request its Person. What a person may do is for the route to check.
func (a *Access) Guard(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r, w := c.Request(), c.Response()
		from := a.viaOf(r)
		setHeaders(w.Header(), from.secure)
		if err := a.checkHost(w.Header(), r, from); err != nil {
			return err
		}
		v, err := a.visitOf(w.Header(), r, from)
		if err != nil {
			return err
		}
		limit := int64(bodyLimit)
		if v.person == (Person{}) {
			limit = loginLimit
		}
		r.Body = http.MaxBytesReader(w.Writer, r.Body, limit)
		if v.person == (Person{}) && !a.public[c.Path()] {
			return a.sendToLogin(c)
		}
		if err := a.checkCSRF(w.Header(), r, v); err != nil {
			return err
		}
		if v.csrf == "" {
			v.csrf = a.newCSRF(c, from)
		}
		v.from = from
		c.SetRequest(r.WithContext(withVisit(r.Context(), v)))
		return next(c)
	}
}

// checkHost refuses names that are not the console's, and proxies where nobody is asked who they are.
func (a *Access) checkHost(h http.Header, r *http.Request, from via) error {
	switch {
	case !a.knowsHost(r.Host):
		return refuse(h, http.StatusMisdirectedRequest, 0, "the console is not reached under this name: set console.url to the address in your browser")
	case a.isLocal() && from.proxied:
		return refuse(h, http.StatusForbidden, 0, "the request has passed a proxy, and nobody is configured: set console.people_file or console.oidc.issuer")
	}
	return nil
}

// sendToLogin answers somebody who is not logged in.
func (a *Access) sendToLogin(c echo.Context) error {
	r := c.Request()
	isPage := r.Method == http.MethodGet || r.Header.Get("Content-Type") == formType
	if isAPI(r) || !isPage || r.Header.Get("Accept") == "text/event-stream" {
		return refuse(c.Response().Header(), http.StatusUnauthorized, 0, "log in, or send an API token: Authorization: Bearer rft_...")
	}
	next := ""
	if r.Method == http.MethodGet && r.URL.RequestURI() != "/" {
		next = "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	return c.Redirect(http.StatusSeeOther, PathLogin+next)
}
