package bloomreach

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
)

// MaxCommands is the maximum number of commands in a batch
// (https://documentation.bloomreach.com/engagement/docs/batch-commands-2).
const MaxCommands = 50

const (
	defaultMaxBody = 1 << 20 // Bloomreach documents no limit
	defaultTimeout = 30 * time.Second
)

// ErrConfig means an invalid [Config]. The error names the wrong field.
var ErrConfig = errors.New("invalid bloomreach configuration")

// Config configures a [Client]. BaseURL, ProjectToken and Auth are required.
type Config struct {
	// BaseURL is the address of the instance, for example https://api.exponea.com. It differs per instance
	// (https://documentation.bloomreach.com/engagement/docs/authentication).
	BaseURL string
	// ProjectToken identifies the project. It is treated as a secret.
	ProjectToken string
	// Auth is a [PrivateKey] or a [PublicToken].
	Auth Auth
	// HTTPClient sends the requests; default is a new one. Redirects are never followed.
	HTTPClient *http.Client
	// MaxBody is the largest request body in bytes; default 1 MiB. A larger batch is sent in halves, a larger command is
	// rejected without being sent.
	MaxBody int
	// Timeout bounds one request, including its response; default 30 s.
	Timeout time.Duration
	// Budget, if set, limits the requests.
	Budget *Budget
	// Observe, if set, is called after each request.
	Observe httpclient.Observer
	// Now is the clock for a Retry-After with a date; default time.Now.
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
	observe  httpclient.Observer
	maxBody  int
	timeout  time.Duration
	now      func() time.Time
	redactor redactor
	passing  *passing
	budget   *Budget
	breaker  *breaker
}

// New returns a client. It makes no connection. Any error wraps [ErrConfig].
func New(config Config) (*Client, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	secrets := append([]string{config.ProjectToken, url.PathEscape(config.ProjectToken)}, config.Auth.secrets...)
	return &Client{
		batchURL: strings.TrimRight(config.BaseURL, "/") +
			"/track/v2/projects/" + url.PathEscape(config.ProjectToken) + "/batch",
		auth:     config.Auth,
		http:     httpclient.WithoutRedirects(config.HTTPClient),
		observe:  config.Observe,
		maxBody:  config.MaxBody,
		timeout:  config.Timeout,
		now:      config.Now,
		redactor: newRedactor(secrets),
		passing:  &passing{},
		budget:   config.Budget,
		breaker:  &breaker{now: config.Now},
	}, nil
}

func (c Config) validate() error {
	if err := validateBaseURL(c.BaseURL); err != nil {
		return err
	}
	switch {
	case c.ProjectToken == "":
		return fmt.Errorf("%w: project token is empty", ErrConfig)
	case c.Auth.header == "":
		return fmt.Errorf("%w: a private key (id and secret) or a public token is needed", ErrConfig)
	case c.MaxBody < 0 || c.Timeout < 0:
		return fmt.Errorf("%w: max body and timeout must not be negative", ErrConfig)
	}
	return nil
}

// validateBaseURL does not quote the URL in its error, because it may contain credentials.
func validateBaseURL(text string) error {
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
