package bloomreachtest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T) *bloomreachtest.Server {
	t.Helper()
	server := bloomreachtest.New()
	t.Cleanup(server.Close)
	return server
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   string
}

// result is one entry of a reply's results.
type result struct {
	Success   bool     `json:"success"`
	Errors    []string `json:"errors"`
	CommandID string   `json:"command_id"`
}

func (r reply) results(t *testing.T) []result {
	t.Helper()
	var body struct {
		Success bool
		Results []result
	}
	require.Equal(t, http.StatusOK, r.status, r.body)
	require.NoError(t, json.Unmarshal([]byte(r.body), &body))
	require.True(t, body.Success)
	return body.Results
}

const batchPath = "/track/v2/projects/" + bloomreachtest.ProjectToken + "/batch"

// request returns a valid batch request, which a test may change before sending it.
func request(t *testing.T, server *bloomreachtest.Server, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.BaseURL()+batchPath, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(bloomreachtest.KeyID, bloomreachtest.KeySecret)
	return r
}

func do(t *testing.T, server *bloomreachtest.Server, r *http.Request) reply {
	t.Helper()
	response, err := server.Client().Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return reply{status: response.StatusCode, header: response.Header, body: string(bytes.TrimSpace(body))}
}

// send posts the commands as one batch.
func send(t *testing.T, server *bloomreachtest.Server, commands ...string) reply {
	t.Helper()
	return do(t, server, request(t, server, `{"commands":[`+strings.Join(commands, ",")+`]}`))
}

const (
	event  = `{"name":"customers/events","command_id":"e1","data":{"customer_ids":{"registered":"ann"},"event_type":"subscription","timestamp":1700000000.5,"properties":{"status":"created","price":18.50}}}`
	update = `{"name":"customers","command_id":"u1","data":{"customer_ids":{"registered":"ann"},"update_timestamp":1700000000,"properties":{"active":true}}}`
)

var times = regexp.MustCompile(`("(?:start|end)_time"):[0-9.]+`)

// brief shortens the results of an answer, or hides the times of an answer without results.
func brief(t *testing.T, body string) string {
	t.Helper()
	var answer struct{ Results []result }
	if json.Unmarshal([]byte(body), &answer) != nil || len(answer.Results) == 0 {
		return times.ReplaceAllString(body, "$1:_")
	}
	results := make([]string, 0, len(answer.Results))
	for _, r := range answer.Results {
		text := "ok"
		if !r.Success {
			text = strings.Join(r.Errors, ", ")
		}
		results = append(results, "["+text+" "+r.CommandID+"]")
	}
	return strings.Join(results, " ")
}
