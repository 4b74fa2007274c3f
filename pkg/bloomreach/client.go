package bloomreach

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// MaxCommands is how many commands a batch may hold
// (https://documentation.bloomreach.com/engagement/docs/batch-commands-2).
const MaxCommands = 50

const (
	defaultMaxBody = 1 << 20 // Bloomreach states no limit for the whole body; this one is ours
	defaultTimeout = 30 * time.Second
)

// ErrConfig is a [Config] that no client can be made of. Its text says which field is wrong.
var ErrConfig = errors.New("invalid bloomreach configuration")

// Config is what a [Client] needs. BaseURL, ProjectToken and Auth are required.
type Config struct {
	// BaseURL of the instance, for example https://api.exponea.com; many have their own
	// (https://documentation.bloomreach.com/engagement/docs/authentication).
	BaseURL string
	// ProjectToken names the project. It is treated like a secret.
	ProjectToken string
	// Auth is a [PrivateKey] or a [PublicToken].
	Auth Auth
	// HTTPClient sends the requests; default is a new one. Redirects are never followed.
	HTTPClient *http.Client
	// MaxBody is the most bytes of a request body; default 1 MiB. A larger batch is sent in halves, and a single
	// command that is larger is rejected without being sent.
	MaxBody int
	// Timeout bounds one request and the reading of its answer; default 30 s.
	Timeout time.Duration
	// Now is the clock, needed when an answer asks to wait until a date; default time.Now.
	Now func() time.Time
}

// String shows the base URL and hides the rest.
func (c Config) String() string { return "bloomreach.Config{" + c.BaseURL + " ***}" }

// GoString shows the base URL and hides the rest.
func (c Config) GoString() string { return c.String() }

// Client sends batches to one project. It is safe for concurrent use.
type Client struct {
	batchURL string
	auth     Auth
	http     *http.Client
	maxBody  int
	timeout  time.Duration
	now      func() time.Time
	cleaner  cleaner
}

// New makes a client without reaching out to Bloomreach. Any error wraps [ErrConfig].
func New(config Config) (*Client, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	secrets := append([]string{config.ProjectToken, url.PathEscape(config.ProjectToken)}, config.Auth.secrets...)
	return &Client{
		batchURL: strings.TrimRight(config.BaseURL, "/") +
			"/track/v2/projects/" + url.PathEscape(config.ProjectToken) + "/batch",
		auth:    config.Auth,
		http:    withoutRedirects(config.HTTPClient),
		maxBody: config.MaxBody,
		timeout: config.Timeout,
		now:     config.Now,
		cleaner: newCleaner(secrets),
	}, nil
}

func (c Config) check() error {
	if err := checkBaseURL(c.BaseURL); err != nil {
		return err
	}
	switch {
	case c.ProjectToken == "":
		return fmt.Errorf("%w: project token is empty", ErrConfig)
	case c.Auth.header == "":
		return fmt.Errorf("%w: give a private key (id and secret) or a public token", ErrConfig)
	case c.MaxBody < 0 || c.Timeout < 0:
		return fmt.Errorf("%w: max body and timeout must not be negative", ErrConfig)
	}
	return nil
}

// checkBaseURL does not repeat the URL: someone may have put credentials into it.
func checkBaseURL(text string) error {
	base, err := url.Parse(text)
	switch {
	case err != nil || (base.Scheme != "https" && base.Scheme != "http") || base.Host == "":
		return fmt.Errorf("%w: base url is not an absolute address such as https://api.exponea.com", ErrConfig)
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return fmt.Errorf("%w: base url must have no user, query or fragment", ErrConfig)
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{}
	}
	if c.MaxBody == 0 {
		c.MaxBody = defaultMaxBody
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// withoutRedirects copies the client. Following a redirect would turn the POST into a GET, or take the credentials
// elsewhere; it means that the base URL is wrong.
func withoutRedirects(client *http.Client) *http.Client {
	copied := *client
	copied.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &copied
}
