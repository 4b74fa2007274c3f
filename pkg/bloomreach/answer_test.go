package bloomreach_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
)

func TestAnswerClasses(t *testing.T) {
	const config, retry, unknown = bloomreach.ClassConfig, bloomreach.ClassRetry, bloomreach.ClassUnknown
	const (
		check       = "; check bloomreach.url, bloomreach.project, the API key and its permissions"
		address     = "; check bloomreach.url"
		project     = "; check bloomreach.project"
		key         = "; check bloomreach.key_id and bloomreach.secret, or bloomreach.token"
		permissions = "; check the permissions of the API key in Bloomreach: Events > Set for the event type, Customer properties > Set"
		usage       = "; check the usage limits of the Bloomreach project"
	)
	tests := []struct {
		status int
		body   string
		class  bloomreach.Class
		text   string
	}{
		{400, `{"success":false,"error":"Could not authenticate"}`, config, "bloomreach answered 400 Bad Request: Could not authenticate" + project},
		{400, `{"success":false,"message":"Invalid project id"}`, config, "bloomreach answered 400 Bad Request: Invalid project id" + project},
		{400, `{"success":false,"errors":["not authorized to update specified customer properties"]}`, config, "bloomreach answered 400 Bad Request: not authorized to update specified customer properties" + permissions},
		{400, `{"success":false,"errors":{"_global":["x","Access key not found"]}}`, config, "bloomreach answered 400 Bad Request: Access key not found" + key},
		{200, `{"success":false,"error":"Could not authenticate"}`, config, "bloomreach answered 200 OK: Could not authenticate" + project},
		{200, `{"success":true,"results":[{"success":false,"errors":["Not authorized to add event of specified type"]}]}`, config, "bloomreach answered 200 OK: Not authorized to add event of specified type" + permissions},
		{401, `{"success":false,"error":"Access key not provided"}`, config, "bloomreach answered 401 Unauthorized: Access key not provided" + key},
		{403, `{"success":false,"error":"invalid secret"}`, config, "bloomreach answered 403 Forbidden: invalid secret" + key},
		{404, `{"errors":{"code":404,"description":"The requested URL was not found on the server"}}`, config, "bloomreach answered 404 Not Found: The requested URL was not found on the server" + address},
		{404, ``, config, "bloomreach answered 404 Not Found: no reason given (status 404)" + address},
		{405, `{}`, config, "bloomreach answered 405 Method Not Allowed: no reason given (status 405)" + address},
		{301, `moved`, config, "bloomreach answered 301 Moved Permanently: moved" + check},
		{401, `<html>Log in</html>`, config, "bloomreach answered 401 Unauthorized: Log in" + key},
		{407, ``, config, "bloomreach answered 407 Proxy Authentication Required: no reason given (status 407)" + check},
		{403, `<h1>Blocked</h1>`, config, "bloomreach answered 403 Forbidden: Blocked" + check},
		{403, `{"message":"Forbidden"}`, config, "bloomreach answered 403 Forbidden: Forbidden" + check},
		{403, ``, config, "bloomreach answered 403 Forbidden: no reason given (status 403)" + check},
		{406, `Not Acceptable!`, config, "bloomreach answered 406 Not Acceptable: Not Acceptable!" + check},
		{413, `<html>`, config, "bloomreach answered 413 Request Entity Too Large: no reason given (status 413)" + check},
		{400, `BadRequest: not understood`, config, "bloomreach answered 400 Bad Request: BadRequest: not understood" + check},
		{400, ``, config, "bloomreach answered 400 Bad Request: no reason given (status 400)" + check},
		{402, `{"success":false,"message":"payment required"}`, config, "bloomreach answered 402 Payment Required: payment required" + usage},
		{403, `{"success":false,"error":"Quota of events exceeded"}`, config, "bloomreach answered 403 Forbidden: Quota of events exceeded" + usage},
		{200, `{"success":true,"results":[{"success":false,"errors":["quota exceeded"]}]}`, config, "bloomreach answered 200 OK: quota exceeded" + usage},
		{400, `{"success":false,"errors":{"_global":["Project is suspended"]}}`, config, "bloomreach answered 400 Bad Request: Project is suspended" + project},
		{403, `{"success":false,"errors":["Missing permission"]}`, config, "bloomreach answered 403 Forbidden: Missing permission" + permissions},
		{403, `{"success":false,"error":"Too many requests"}`, retry, "bloomreach answered 403 Forbidden: Too many requests"},
		{200, `{"success":false,"message":"API is unavailable"}`, retry, "bloomreach answered 200 OK: API is unavailable"},
		{200, `{"success":true,"results":[{"success":false,"errors":["Too Many Requests"]}]}`, retry, "bloomreach answered 200 OK: Too Many Requests"},
		{200, `{"success":true,"results":[{"success":false,"errors":["rate limit of subscription exceeded"]}]}`, retry, "bloomreach answered 200 OK: rate limit of subscription exceeded"},
		{408, ``, retry, "bloomreach answered 408 Request Timeout: no reason given (status 408)"},
		{429, `Too Many Requests`, retry, "bloomreach answered 429 Too Many Requests: Too Many Requests"},
		{500, `{"message":"API is unavailable"}`, retry, "bloomreach answered 500 Internal Server Error: API is unavailable"},
		{502, "<html>\r\n<h1>Bad\x00 Gateway\xff</h1>", retry, "bloomreach answered 502 Bad Gateway: Bad Gateway?"},
		{503, `[]`, retry, "bloomreach answered 503 Service Unavailable: []"},
		{504, `"busy"`, retry, `bloomreach answered 504 Gateway Timeout: "busy"`},
		{200, ``, unknown, "bloomreach answered 200 OK: response has no valid result for 1 of 1 commands"},
		{202, `<html>`, config, "bloomreach answered 202 Accepted: no reason given (status 202)" + check},
		{200, ` <p>Are you human?`, config, "bloomreach answered 200 OK: Are you human?" + check},
		{204, ``, unknown, "bloomreach answered 204 No Content: response has no valid result for 1 of 1 commands"},
		{200, `null`, unknown, "bloomreach answered 200 OK: response has no valid result for 1 of 1 commands"},
		{200, `{"success":true}`, unknown, "bloomreach answered 200 OK: response has no valid result for 1 of 1 commands"},
		{200, `{"success":true,"results":[]}`, unknown, "bloomreach answered 200 OK: response has no valid result for 1 of 1 commands"},
		{200, `{"success":true,"results":{"e0":{"success":true}}}`, unknown, "bloomreach answered 200 OK: response has no valid result for 1 of 1 commands"},
		{200, `{"success":true,"results":[{}]}`, unknown, "bloomreach answered 200 OK: response has no valid result for 1 of 1 commands"},
		{200, `{"success":true,"results":[{"success":"true"}]}`, unknown, "bloomreach answered 200 OK: response has no valid result for 1 of 1 commands"},
		{200, `{"success":true,"results":[true]}`, unknown, "bloomreach answered 200 OK: response has no valid result for 1 of 1 commands"},
		{200, `{"success":true,"results":[{"success":true,"command_id":"other"}]}`, unknown, "bloomreach answered 200 OK: response has no valid result for 1 of 1 commands"},
		{200, `{"success":true,"results":[{"success":true},{"success":true}]}`, unknown, "bloomreach answered 200 OK: response has no valid result for 1 of 1 commands"},
		{200, `{"success":true,"results":[{"success":true,"command_id":"e0"},{"success":false,"command_id":"e0"}]}`, unknown, "bloomreach answered 200 OK: response has no valid result for 1 of 1 commands"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%d %s", test.status, test.body), func(t *testing.T) {
			results, err := answering(t, test.status, test.body).Batch(t.Context(), events(t, 1))
			failure := asError(t, err, test.class)
			assert.Equal(t, test.status, failure.Status)
			require.EqualError(t, err, test.text)
			assert.Equal(t, []bloomreach.Result{unanswered("e0")}, results)
		})
	}
}

func TestAnswerToOneCommand(t *testing.T) {
	many := `"` + strings.Repeat("x", 1000) + `"` + strings.Repeat(`,"y"`, 50)
	tests := []struct {
		status int
		body   string
		errors []string // nil: accepted
	}{
		{200, `{"results":[{"success":true}]}`, nil},
		{200, ` {"success" : true , "results":[ { "success" : true } ]} `, nil},
		{200, `{"success":true,"results":[{"success":true,"command_id":"e0","time":0.01}]}`, nil},
		{200, `{"success":true,"results":[{"success":true,"command_id":7}]}`, nil},
		{200, `{"success":true,"results":[{"success":true,"command_id":"e0"},{"success":true,"command_id":"e0"}]}`, nil},
		{200, `{"success":true,"results":[{"success":false,"time":0.02}]}`, []string{"rejected without a reason"}},
		{200, `{"success":true,"results":[{"success":false,"errors":["a","b"]}]}`, []string{"a", "b"}},
		{200, `{"success":true,"results":[{"success":false,"errors":{"z":["a"],"b":"c"},"message":"m"}]}`, []string{"m", "c", "a"}},
		{200, `{"success":true,"results":[{"success":false,"errors":[` + many + `]}]}`, []string{strings.Repeat("x", 500), "y", "y", "y", "y", "y", "y", "y", "y", "y"}},
		{200, `{"success":false,"message":"bad"}`, []string{"bad"}},
		{200, `{"success": false,"results":[{"success":false,"errors":["worse"]}]}`, []string{"worse"}},
		{400, `{"success":false,"message":"Invalid JSON"}`, []string{"Invalid JSON"}},
		{400, `{"success":false,"error":"e","errors":["f"]}`, []string{"e", "f"}},
		{413, `{"success":false,"message":"<b>too</b> large"}`, []string{"too large"}},
		{422, `{"errors":[{"detail":"d"}]}`, []string{"d"}},
		{400, `{"message":"customer ann@example.com is unknown"}`, []string{"customer *** is unknown"}},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%d %.80s", test.status, test.body), func(t *testing.T) {
			results, err := answering(t, test.status, test.body).Batch(t.Context(), events(t, 1))
			require.NoError(t, err)
			want := accepted("e0")
			if test.errors != nil {
				want = []bloomreach.Result{rejected("e0", test.errors...)}
			}
			assert.Equal(t, want, results)
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		"0":                             0,
		"-5":                            0,
		"soon":                          0,
		"1.5":                           0,
		"86400":                         time.Hour,
		"99999999999999999999":          0,
		"Sun, 01 Mar 2026 10:01:30 GMT": 90 * time.Second,
		"Sun, 01 Mar 2026 09:00:00 GMT": 0,
		"Fri, 01 Mar 2222 10:00:00 GMT": time.Hour,
	} {
		client := newClient(t, bloomreach.Config{
			BaseURL: "https://api.example", ProjectToken: "project-token", Auth: bloomreach.PublicToken("public-token"), Now: func() time.Time { return now },
			HTTPClient: always(429, "", http.Header{"Retry-After": {header}, "X-Request-Id": {"r-1"}}),
		})
		_, err := client.Batch(t.Context(), events(t, 1))
		failure := asError(t, err, bloomreach.ClassRetry)
		assert.Equal(t, want, failure.RetryAfter, header)
		assert.Equal(t, "r-1", failure.RequestID)
		assert.EqualError(t, err, "bloomreach answered 429 Too Many Requests: no reason given (status 429) (x-request-id r-1)")
	}
}

func TestNoAnswer(t *testing.T) {
	tests := map[string]*http.Client{
		"no connection": {Transport: transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })},
		"broken body": {Transport: transport(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: brokenBody{}, Request: r}, nil
		})},
	}
	for name, httpClient := range tests {
		client := newClient(t, bloomreach.Config{BaseURL: "https://api.example", ProjectToken: "project-token", Auth: bloomreach.PublicToken("public-token"), HTTPClient: httpClient})
		results, err := client.Batch(t.Context(), events(t, 2))
		failure := asError(t, err, bloomreach.ClassRetry)
		assert.Zero(t, failure.Status, name)
		assert.Contains(t, err.Error(), "bloomreach did not answer: ", name)
		assert.Equal(t, []bloomreach.Result{unanswered("e0"), unanswered("e1")}, results, name)
	}
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("connection reset") }
func (brokenBody) Close() error             { return nil }

// An answer is classified by its text as sent, not as redacted.
func TestSecretThatIsAnOrdinaryWord(t *testing.T) {
	client := newClient(t, bloomreach.Config{
		BaseURL: "https://api.example", ProjectToken: "project", Auth: bloomreach.PrivateKey("key", "not"),
		HTTPClient: always(400, `{"success":false,"error":"Invalid project id: ann@example.com"}`, nil),
	})
	_, err := client.Batch(t.Context(), events(t, 2))
	assert.Equal(t, "Invalid *** id: ***", asError(t, err, bloomreach.ClassConfig).Message)
}
