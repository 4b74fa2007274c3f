package api_test

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.yaml.in/yaml/v3"

	"github.com/rechargeflow/rechargeflow/console"
	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/api"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// operation is a method of a path of the document.
type operation struct {
	method, path string
	Summary      string `yaml:"summary"`
	Description  string `yaml:"description"`
	Body         struct {
		Ref     string `yaml:"$ref"`
		Content map[string]struct {
			Example any `yaml:"example"`
		} `yaml:"content"`
	} `yaml:"requestBody"`
}

// operations returns those of the document.
func operations(t testing.TB) (all []operation) {
	t.Helper()
	file, err := os.ReadFile("openapi.yaml")
	require.NoError(t, err)
	var document struct {
		Paths map[string]map[string]yaml.Node `yaml:"paths"`
	}
	require.NoError(t, yaml.Unmarshal(file, &document))
	for path, item := range document.Paths {
		for method, node := range item {
			if method == "parameters" {
				continue
			}
			o := operation{method: strings.ToUpper(method), path: path}
			require.NoError(t, node.Decode(&o))
			all = append(all, o)
		}
	}
	return all
}

// Every route is in the document, and the document has no other.
func TestRoutesAreDocumented(t *testing.T) {
	e := echo.New()
	api.New(nil, zap.NewNop()).Mount(e.Group(""))
	parameter := regexp.MustCompile(`:(\w+)`)
	var routes, documented []string
	for _, r := range e.Routes() {
		if r.Method != echo.RouteNotFound {
			routes = append(routes, r.Method+" "+parameter.ReplaceAllString(r.Path, "{$1}"))
		}
	}
	for _, o := range operations(t) {
		documented = append(documented, o.method+" "+o.path)
		assert.NotEmpty(t, o.Summary, o.path)
	}
	assert.ElementsMatch(t, routes, documented)
}

func TestDocumentIsValid(t *testing.T) {
	valid, errs := documentValidator(t).ValidateDocument()
	assert.True(t, valid, "%v", errs)
}

// Each route needs the role that the document names, and refuses less with a problem.
func TestRoles(t *testing.T) {
	s := newSite(t)
	lesser := map[access.Role]access.Role{access.Viewer: "nobody", access.Editor: access.Viewer, access.Operator: access.Editor}
	for _, o := range operations(t) {
		need := access.Viewer
		for _, role := range access.Roles() {
			if strings.HasPrefix(o.Description, "Needs the role "+string(role)+".") {
				need = role
			}
		}
		path := strings.NewReplacer("{store}", "acme", "{flow}", "charge_paid", "{segment}", "x").Replace(o.path)
		r := request(t, o.method, path, "")
		r.Header.Set(roleHeader, string(lesser[need]))
		w := s.answer(r)
		assert.Equal(t, http.StatusForbidden, w.Code, "%s %s for %s", o.method, o.path, lesser[need])
		assert.Contains(t, w.Body.String(), "this needs the role "+string(need))
		s.conforms(request(t, o.method, path, ""), w)
	}
}

// What is personal is revealed to operators only.
func TestReveal(t *testing.T) {
	s := newSite(t)
	for path, body := range map[string]string{
		"/stores/acme/flows/charge_paid/preview":                         `{"reveal": true}`,
		"/stores/acme/flows/charge_paid/backtest":                        `{"reveal": true}`,
		"/stores/acme/consent/lookup":                                    `{"number": "+14155552671", "reveal": true}`,
		"/stores/acme/segments/members?segment=received+any&reveal=true": "",
		"/stores/acme/segments/export?segment=received+any&reveal=true":  "",
	} {
		method := http.MethodPost
		if body == "" {
			method = http.MethodGet
		}
		r := request(t, method, path, body)
		r.Header.Set(roleHeader, string(access.Editor))
		assert.Equal(t, http.StatusForbidden, s.answer(r).Code, path)
		s.sends(http.StatusOK, method, path, body)
	}
}

// Each example of the document is a request that it allows and that the API accepts, and each answer is as the document says.
func TestExamples(t *testing.T) {
	s := newSite(t)
	s.Paid("acme", "7", "1", "Jonathan", "+14155550101")
	s.Customer("acme", "7", "jo@example.com", "+14155550101")
	s.Texted("acme", "7", strings.Repeat("a", 64), flow.ChargePaid)
	const one = "/stores/acme/flows/charge_paid"
	for _, step := range []struct {
		status             int
		method, path, body string
	}{
		{200, "GET", "/stores", ""},
		{200, "GET", "/stores/acme/flows", ""},
		{200, "GET", one, ""},
		{200, "PATCH", one, `{"version": 0, "text": "{{ shop_name }}: thank you {{ first_name }}", "quiet_hours": true, "window_seconds": 30, "per_charge": 1, "daily_cap": true, "name": "Paid"}`},
		{409, "PATCH", one, `{"version": 0, "name": "x"}`},
		{428, "PATCH", one, `{"name": "x"}`},
		{422, "PATCH", one, `{"version": 1, "text": "{{ x }}"}`},
		{200, "PUT", one + "/active", `{"version": 1, "active": true}`},
		{200, "POST", one + "/restore", `{"version": 2, "to": 1}`},
		{200, "GET", one + "/history", ""},
		{200, "GET", one + "/diff?from=1&to=2", ""},
		{404, "GET", one + "/diff?from=1&to=20", ""},
		{200, "POST", one + "/preview", `{"draft": {"text": "{{ shop_name }} {{ first_name }}"}, "customer": "7", "reveal": true, "price": "0.01"}`},
		{200, "POST", one + "/preview", `{"draft": {"text": "{{ x }}"}}`},
		{404, "POST", one + "/preview", `{"customer": "8"}`},
		{200, "POST", one + "/backtest", `{"price": "0.01", "texts_per_day": 3, "quiet_from": "20:30"}`},
		{200, "POST", one + "/would-send", `{"draft": {"name": "Paid"}}`},
		{200, "POST", one + "/test", `{"number": "+14155552671", "key": "1"}`},
		{200, "GET", "/flow-stats?store=acme&since=2026-03-01&total=true", ""},
		{200, "GET", "/flow-stats?flow=help&time_zone=Europe/Berlin&recovered_within=3", ""},
		{200, "GET", "/stores/acme/sending", ""},
		{200, "PATCH", "/stores/acme/sending", `{"version": 0, "quiet_from": "21:00", "all_flows": true}`},
		{200, "POST", "/stores/acme/sending/pause", `{}`},
		{200, "POST", "/stores/acme/sending/resume", `{}`},
		{200, "POST", "/stores/acme/consent/opt-in", `{"numbers": ["+14155552671"], "note": "form"}`},
		{200, "POST", "/stores/acme/consent/opt-out", `{"numbers": ["+14155552671"]}`},
		{422, "POST", "/stores/acme/consent/opt-out", `{"numbers": ["+14155552671"], "despite_stop": true}`},
		{403, "POST", one + "/test", `{"number": "+14155552671"}`},
		{200, "GET", "/stores/acme/consent", ""},
		{200, "POST", "/stores/acme/consent/lookup", `{"number": "+14155552671", "reveal": true}`},
		{200, "POST", "/stores/acme/segments", `{"name": "at_risk", "conditions": "received any and (not clicked any or received charge_failed in 3d)"}`},
		{409, "POST", "/stores/acme/segments", `{"name": "at_risk", "conditions": "clicked any"}`},
		{200, "GET", "/stores/acme/segments", ""},
		{200, "POST", "/stores/acme/segments/count", `{"segments": ["at_risk", "clicked any in 7d"]}`},
		{200, "GET", "/stores/acme/segments/members?segment=at_risk&limit=1", ""},
		{200, "GET", "/stores/acme/segments/export?segment=at_risk&format=json", ""},
		{200, "GET", "/stores/acme/segments/export?segment=at_risk", ""},
		{404, "GET", "/stores/acme/segments/export?segment=nobody", ""},
		{200, "POST", "/stores/acme/segments/push", `{"dry_run": true}`},
		{200, "POST", "/stores/acme/segments/push", `{"segments": ["at_risk"]}`},
		{200, "GET", "/stores/acme/segments/push", ""},
		{428, "POST", "/stores/acme/segments", `{"name": "at_risk", "conditions": "clicked any", "replace": true}`},
		{409, "POST", "/stores/acme/segments", `{"name": "at_risk", "conditions": "clicked any", "replace": true, "version": 2}`},
		{200, "POST", "/stores/acme/segments", `{"name": "at_risk", "conditions": "clicked any", "replace": true, "version": 1}`},
		{428, "DELETE", "/stores/acme/segments/at_risk", ""},
		{404, "GET", "/stores/nobody/flows", ""},
	} {
		s.sends(step.status, step.method, step.path, step.body)
	}
	for _, o := range operations(t) {
		example := o.Body.Content["application/json"].Example
		if example == nil {
			continue
		}
		body, err := json.Marshal(example)
		require.NoError(t, err)
		path := strings.NewReplacer("{store}", "acme", "{flow}", "charge_paid", "{segment}", "x").Replace(o.path)
		valid, errs := s.validator.ValidateHttpRequestSync(authorized(request(t, o.method, path, string(body))))
		require.True(t, valid, "%s %s: %v", o.method, o.path, errs)
		w := s.answer(request(t, o.method, path, string(body)))
		assert.NotContains(t, []int{http.StatusBadRequest, http.StatusUnprocessableEntity}, w.Code, "%s %s: %s", o.method, o.path, w.Body)
		s.conforms(request(t, o.method, path, string(body)), w)
	}
	assert.Empty(t, s.measured.failed)
}

// authorized adds a token to a request, which the document demands.
func authorized(r *http.Request) *http.Request {
	r.Header.Set("Authorization", "Bearer token")
	return r
}

// A change names the version that it is made for, in the header or in the body.
func TestVersions(t *testing.T) {
	s := newSite(t)
	change := func(tag, body string) int {
		r := request(t, http.MethodPatch, "/stores/acme/flows/charge_paid", body)
		if tag != "" {
			r.Header.Set("If-Match", tag)
		}
		w := s.answer(r)
		s.conforms(request(t, http.MethodPatch, "/stores/acme/flows/charge_paid", body), w)
		return w.Code
	}
	w := s.answer(request(t, http.MethodGet, "/stores/acme/flows/charge_paid", ""))
	assert.Equal(t, `"0"`, w.Header().Get("ETag"))
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	assert.Equal(t, http.StatusPreconditionRequired, change("", `{"name": "a"}`))
	assert.Equal(t, http.StatusBadRequest, change(`"0"`, `{"name": "a", "version": 1}`))
	assert.Equal(t, http.StatusBadRequest, change(`*`, `{"name": "a"}`))
	assert.Equal(t, http.StatusPreconditionFailed, change(`"1"`, `{"name": "a"}`))
	assert.Equal(t, http.StatusConflict, change("", `{"name": "a", "version": 1}`))
	assert.Equal(t, http.StatusOK, change(`"0"`, `{"name": "a"}`))
	assert.Equal(t, http.StatusOK, change("", `{"name": "b", "version": 1}`))
}

// Requests that can't be read are refused with a problem that says why.
func TestRefusals(t *testing.T) {
	s := newSite(t)
	const preview = "/stores/acme/flows/charge_paid/preview"
	for _, test := range []struct {
		status int
		r      *http.Request
		detail string
	}{
		{400, request(t, "POST", preview, `{"draft": {"txt": "x"}}`), `the body is not valid: unknown field \"txt\"`},
		{400, request(t, "POST", preview, `{"draft": {"text": 1}}`), "draft.text must not be a number"},
		{400, request(t, "POST", preview, `{"draft": null}`), "null is no value"},
		{400, request(t, "POST", preview, `[]`), "the body is not valid"},
		{400, request(t, "POST", preview, `null`), "expected an object"},
		{400, request(t, "POST", preview, `{} {}`), "behind the JSON value"},
		{400, request(t, "POST", preview, ` `), "it is empty"},
		{415, func() *http.Request {
			r := request(t, "POST", preview, `{}`)
			r.Header.Set("Content-Type", "text/plain")
			return r
		}(), "application/json"},
		{413, request(t, "POST", preview, `{"customer": "`+strings.Repeat("x", 300<<10)+`"}`), "more than 262144 bytes"},
		{400, request(t, "GET", "/stores/acme/flows/charge_paid/diff?from=x&to=1", ""), "from must be a whole number"},
		{400, request(t, "GET", "/stores/acme/segments/members?segment=a&limit=0", ""), "limit must be"},
		{400, request(t, "GET", "/stores/acme/segments/export?segment=a&format=", ""), "format must be"},
		{404, request(t, "GET", "/nothing", ""), "there is no such address"},
		{405, request(t, "DELETE", "/stores", ""), "Method Not Allowed"},
	} {
		w := s.answer(test.r)
		assert.Equal(t, test.status, w.Code, "%s: %s", test.r.URL, w.Body)
		assert.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		assert.Contains(t, w.Body.String(), test.detail)
	}
}

// A person may send three tests in a minute; the answer to the fourth says when it may be sent.
func TestTestsAreLimited(t *testing.T) {
	s := newSite(t)
	for range 3 {
		s.sends(http.StatusOK, "POST", "/stores/acme/flows/charge_paid/test", `{"number": "+14155552671"}`)
	}
	w := s.answer(request(t, "POST", "/stores/acme/flows/charge_paid/test", `{"number": "+14155552671"}`))
	assert.Equal(t, http.StatusTooManyRequests, w.Code)
	assert.Equal(t, "60", w.Header().Get("Retry-After"))
}

// No body makes any route panic or fail.
func FuzzBody(f *testing.F) {
	s := newSite(f)
	paths := []string{}
	for _, o := range operations(f) {
		if o.method == http.MethodPost || o.method == http.MethodPut || o.method == http.MethodPatch {
			paths = append(paths, o.method+" "+strings.NewReplacer("{store}", "acme", "{flow}", "charge_paid").Replace(o.path))
		}
	}
	slices.Sort(paths)
	for i := range paths {
		for _, seed := range []string{
			`{}`, `{"version":0,"text":"{{ first_name | append: 'x' }}{% if total %}"}`, `{"draft":{"window_seconds":1e308,"per_charge":-5}}`, `{"numbers":["\u0000"]}`,
			`{"segments":["( ( (","not not not received any"]}`, `{"flows":["x"],"since":"0000-01-01T00:00:00Z"}`, `{"since":"9999-12-31T23:59:59Z","price":"1e-300"}`,
			`{"name":"a","conditions":"received any in 99999999999999999999d"}`, `{"version":-1,"active":true,"to":-1}`, "\xff", `{"a":`,
		} {
			f.Add(i, seed)
		}
	}
	f.Fuzz(func(t *testing.T, which int, body string) {
		method, path, _ := strings.Cut(paths[(which%len(paths)+len(paths))%len(paths)], " ")
		r := request(t, method, path, body)
		r.Header.Set("Content-Type", "application/json")
		w := s.answer(r)
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("%s %s: %d %s", method, console.APIPath+path, w.Code, w.Body)
		}
	})
}
