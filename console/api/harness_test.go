package api_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/console"
	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/api"
	"github.com/rechargeflow/rechargeflow/console/service/servicetest"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a console with the API alone.
type site struct {
	*servicetest.World

	handler   http.Handler
	validator validator.Validator
	measured  *measured
}

func newSite(t testing.TB) *site {
	t.Helper()
	return newSiteOn(t, kafkatest.Embedded(t))
}

// newSiteOn is newSite on a broker.
func newSiteOn(t testing.TB, b kafkatest.Broker) *site {
	t.Helper()
	s := &site{World: servicetest.New(t, b), measured: &measured{}}
	s.handler = console.Site{Gate: gate{}, API: api.New(s.Service, zap.NewNop()), Pages: nothing{}}.
		Handler(console.Measure{Metrics: s.measured, Log: s.Config.Log, Now: time.Now})
	s.validator = documentValidator(t)
	return s
}

// documentValidator validates requests and responses by the document.
func documentValidator(t testing.TB) validator.Validator {
	t.Helper()
	file, err := os.ReadFile("openapi.yaml")
	require.NoError(t, err)
	document, err := libopenapi.NewDocument(file)
	require.NoError(t, err)
	v, errs := validator.NewValidator(document)
	require.Empty(t, errs)
	return v
}

// roleHeader is a header with the role of who sends a request, an operator if it is missing.
const roleHeader = "X-Test-Role"

// gate lets everybody in.
type gate struct{}

func (gate) Guard(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		person := access.Person{Name: "ann", Role: access.Operator}
		if role := c.Request().Header.Get(roleHeader); role != "" {
			person.Role = access.Role(role)
		}
		c.SetRequest(c.Request().WithContext(access.With(c.Request().Context(), person)))
		return next(c)
	}
}

func (gate) Mount(*echo.Group) {}

// nothing is no pages.
type nothing struct{}

func (nothing) Mount(*echo.Group) {}

func (nothing) Fail(err error, c echo.Context) {
	var failed *echo.HTTPError
	if errors.As(err, &failed) {
		_ = c.NoContent(failed.Code) // a recorder takes it
	}
}

// measured counts answers by their status.
type measured struct{ failed []string }

// ConsoleRequest notes answers that are our fault.
func (m *measured) ConsoleRequest(route, method string, status int, _ time.Duration) {
	if status >= http.StatusInternalServerError {
		m.failed = append(m.failed, method+" "+route)
	}
}

// request returns a request to the API.
func request(t testing.TB, method, path, body string) *http.Request {
	t.Helper()
	var content io.Reader = http.NoBody
	if body != "" {
		content = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, console.APIPath+path, content)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// answer returns the answer to a request.
func (s *site) answer(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// sends sends a request that conforms to the document, and requires the status and an answer that does.
func (s *site) sends(status int, method, path, body string) string {
	s.Helper()
	w := s.answer(request(s.TB, method, path, body))
	require.Equal(s.TB, status, w.Code, "%s %s: %s", method, path, w.Body)
	s.conforms(request(s.TB, method, path, body), w)
	return w.Body.String()
}

// conforms requires that an answer to a request is as the document says.
func (s *site) conforms(r *http.Request, w *httptest.ResponseRecorder) {
	s.Helper()
	body := w.Body.String()
	answered := w.Result()
	answered.Body = io.NopCloser(strings.NewReader(body))
	valid, errs := s.validator.ValidateHttpResponse(r, answered)
	for _, each := range errs {
		s.Logf("%s: %s", each.Message, each.Reason)
		for _, schema := range each.SchemaValidationErrors {
			s.Logf("  %s: %s", schema.FieldPath, schema.Reason)
		}
	}
	require.True(s.TB, valid, "%s %s: %d %s", r.Method, r.URL, w.Code, body)
}
