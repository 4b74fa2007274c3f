package bloomreachtest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/simtest"
)

// Addresses of the sources.
const (
	reference = "https://documentation.bloomreach.com/engagement/reference/"
	docs      = "https://documentation.bloomreach.com/engagement/docs/"
	magento   = "https://github.com/exponea/bloomreach-magento2-integration SenderBatchProcessor.php"
	pysdk     = "https://github.com/exponea/exponea-python-sdk tests/"
	unknown   = "not documented: a client must cope with it"
)

// batch is an event and an update, as two commands.
const batch = `{"commands":[` + event + `,` + update + `]}`

// conformance lists what the simulator imitates. Each row has the behaviour, its source, how to switch it on, the answers
// that a plain HTTP client gets to batch (or to body), one for each request, and the number of events that are stored.
func conformance() []behaviour {
	return []behaviour{
		{
			name: "a batch is accepted", source: docs + "batch-commands-2",
			sees: []string{`200 [ok e1] [ok u1]`}, stored: 1,
		},
		{
			name: "partial failure: 200 and success true, one result false", source: reference + "tracking-api-error-messages",
			body: `{"commands":[{"name":"customers/events","command_id":"e1","data":{"customer_ids":{},"event_type":"x"}},` + update + `]}`,
			sees: []string{`200 [At least one id should be specified. e1] [ok u1]`},
		},
		{
			name: "a command rejected for an undocumented reason", source: unknown,
			on: func(s *bloomreachtest.Server) {
				s.RejectWhen(func(c bloomreachtest.Command) []string { return map[string][]string{"e1": {"too old"}}[c.ID] })
			},
			sees: []string{`200 [too old e1] [ok u1]`},
		},
		{
			name: "an event type that the key may not send", source: "https://support.bloomreach.com/hc/en-us/articles/19231102135453-Most-common-API-requests-errors",
			on:   func(s *bloomreachtest.Server) { s.ForbidEvents("subscription") },
			sees: []string{`200 [Not authorized to add event of specified type e1] [ok u1]`},
		},
		{
			name: "properties that the key may not change", source: pysdk + "test_exceptions.py",
			on:   func(s *bloomreachtest.Server) { s.ForbidUpdates(true) },
			sees: []string{`200 [ok e1] [not authorized to update specified customer properties u1]`}, stored: 1,
		},
		{
			name: "results without command_id", source: "documented at " + docs + "batch-commands-2 but in no recorded answer",
			on:   func(s *bloomreachtest.Server) { s.EchoCommandIDs(false) },
			sees: []string{`200 [ok ] [ok ]`}, stored: 1,
		},
		{
			name: "results in another order", source: unknown + "; two public clients rely on the order",
			on:   func(s *bloomreachtest.Server) { s.ShuffleResults(true) },
			sees: []string{`200 [ok u1] [ok e1]`}, stored: 1,
		},
		{
			name: "a result is missing", source: magento + " treats such a command as failed",
			on: func(s *bloomreachtest.Server) {
				s.OmitResultsOf(func(c bloomreachtest.Command) bool { return c.ID == "e1" })
			},
			sees: []string{`200 [ok u1]`}, stored: 1,
		},
		{
			name: "no results at all", source: magento + " (Result object is empty)",
			on:   func(s *bloomreachtest.Server) { s.OmitResults(true) },
			sees: []string{`200 {"end_time":_,"start_time":_,"success":true}`}, stored: 1,
		},
		{
			name: "200 with success false", source: reference + "tips-and-best-practices",
			on:   fails(bloomreachtest.Failure{Status: 200, Body: bloomreachtest.ShapeList.Body("various")}),
			sees: []string{`200 {"errors":["various"],"success":false}`},
		},
		{
			name: "error shape: message", source: reference + "tracking-api-request-body-errors",
			body: `{"commands":[]}`, sees: []string{`400 {"message":"No commands","success":false}`},
		},
		{
			name: "error shape: error", source: reference + "tracking-api-authorization-errors",
			body: `{"commands":[]}`, on: shape(bloomreachtest.ShapeError), sees: []string{`400 {"error":"No commands","success":false}`},
		},
		{
			name: "error shape: list of errors", source: pysdk + "test_exceptions.py",
			body: `{"commands":[]}`, on: shape(bloomreachtest.ShapeList), sees: []string{`400 {"errors":["No commands"],"success":false}`},
		},
		{
			name: "error shape: object of errors", source: pysdk + "test_exceptions.py",
			body: `{"commands":[]}`, on: shape(bloomreachtest.ShapeObject),
			sees: []string{`400 {"errors":{"_global":["No commands"]},"success":false}`},
		},
		{
			name: "a body that is not JSON", source: unknown + "; a proxy's page",
			on:   fails(bloomreachtest.Failure{Status: 502, Body: "<html>Bad Gateway</html>"}),
			sees: []string{`502 <html>Bad Gateway</html>`},
		},
		{
			name: "a firewall blocks a request for its text", source: "https://github.com/postmanlabs/postman-app-support/issues/14215",
			on: func(s *bloomreachtest.Server) {
				s.BlockWhen(func(body string) bool { return strings.Contains(body, "subscription") }, bloomreachtest.Failure{Status: 403, Type: "text/html", Body: "<html>blocked</html>"})
			},
			sees: []string{`403 <html>blocked</html>`},
		},
		{
			name: "a property value of 16 KBytes", source: reference + "add-event has the limit; the answer is not documented",
			body: `{"commands":[` + strings.Replace(event, "18.50", `"`+strings.Repeat("x", 15_998)+`"`, 1) + `,` + strings.Replace(event, "18.50", `"`+strings.Repeat("x", 15_997)+`"`, 1) + `]}`,
			sees: []string{`200 [Property value is too long (simulator) e1] [ok e1]`}, stored: 1,
		},
		{
			name: "one command that is not an object fails the whole request", source: reference + "tracking-api-request-body-errors",
			body: `{"commands":[` + event + `,7]}`, sees: []string{`400 {"message":"Invalid JSON","success":false}`},
		},
		{
			name: "a command that fails the whole request", source: reference + "tracking-api-request-body-errors",
			on: func(s *bloomreachtest.Server) {
				s.FailWhen(func(c bloomreachtest.Command) bool { return c.ID == "u1" },
					bloomreachtest.Failure{Status: 400, Body: bloomreachtest.ShapeMessage.Body("Invalid JSON")})
			},
			sees: []string{`400 {"message":"Invalid JSON","success":false}`},
		},
		{
			name: "a body too large", source: unknown + "; https://documentation.bloomreach.com/data-hub has a limit for another API",
			on:   func(s *bloomreachtest.Server) { s.LimitBody(len(batch) - 1) },
			sees: []string{fmt.Sprintf(`413 {"message":"Body exceeds %d bytes (simulator)","success":false}`, len(batch)-1)},
		},
		{
			name: "more than 50 commands: the batch is refused", source: unknown + ", but for the limit: " + docs + "batch-commands-2",
			body: commands(51), sees: []string{`400 {"message":"Too many commands (simulator)","success":false}`},
		},
		{
			name: "more than 50 commands: the rest is cut off", source: unknown,
			on:   func(s *bloomreachtest.Server) { s.TruncateBatches(true) },
			body: commands(51), sees: []string{"200" + strings.Repeat(" [ok e1]", 50)}, stored: 50,
		},
		{
			name: "a rotated secret", source: docs + "prerequisites",
			on:   func(s *bloomreachtest.Server) { s.RotateKey(bloomreachtest.KeyID, "new") },
			sees: []string{`403 {"error":"invalid secret","success":false}`},
		},
		{
			name: "429 without Retry-After", source: reference + "tracking-api-overview-2",
			on:   fails(bloomreachtest.Failure{Status: 429, Body: "Too Many Requests"}),
			sees: []string{`429 Too Many Requests`},
		},
		{
			name: "429 with Retry-After", source: unknown,
			on:   fails(bloomreachtest.Failure{Status: 429, Body: "Too Many Requests", RetryAfter: "7"}),
			sees: []string{`429 Too Many Requests; Retry-After 7`},
		},
		{
			name: "more requests in a minute than are allowed", source: reference + "tracking-api-overview-2",
			on: func(s *bloomreachtest.Server) {
				s.SetClock(everyRequest(s, 40*time.Second))
				s.LimitRate(1, time.Minute, "")
			},
			sees: []string{
				`200 [ok e1] [ok u1]`, `429 {"message":"Too Many Requests","success":false}`, `200 [ok e1] [ok u1]`,
			}, stored: 1,
		},
		{
			name: "500", source: reference + "tips-and-best-practices",
			on:   fails(bloomreachtest.Failure{Status: 500, Body: bloomreachtest.ShapeMessage.Body("API is unavailable")}),
			sees: []string{`500 {"message":"API is unavailable","success":false}`},
		},
		{
			name: "503, once", source: unknown + "; the official connector treats all statuses from 500 on alike",
			on:   fails(bloomreachtest.Failure{Status: 503}),
			sees: []string{`503 `, `200 [ok e1] [ok u1]`}, stored: 1,
		},
		{
			name: "5xx although the commands were accepted", source: reference + "about: requests go into a queue",
			on:   fails(bloomreachtest.Failure{Status: 504, Body: "timeout", Applied: true}),
			sees: []string{`504 timeout`}, stored: 1,
		},
		{
			name: "slow", source: unknown,
			on:   func(s *bloomreachtest.Server) { s.SetLatency(20 * time.Millisecond) },
			sees: []string{`200 [ok e1] [ok u1]`}, stored: 1, after: 20 * time.Millisecond,
		},
		{
			name: "slower than the client waits: nothing is applied", source: unknown,
			on:   func(s *bloomreachtest.Server) { s.SetLatency(time.Hour) },
			sees: []string{`timeout`},
		},
		{
			name: "hangs before acceptance", source: unknown,
			on:   fails(bloomreachtest.Failure{Hang: true}),
			sees: []string{`timeout`, `200 [ok e1] [ok u1]`}, stored: 1,
		},
		{
			name: "hangs after acceptance", source: unknown,
			on:   fails(bloomreachtest.Failure{Hang: true, Applied: true}),
			sees: []string{`timeout`}, stored: 1,
		},
		{
			name: "reset before acceptance", source: unknown,
			on:   fails(bloomreachtest.Failure{Reset: true}),
			sees: []string{`reset`},
		},
		{
			name: "reset after acceptance", source: unknown,
			on:   fails(bloomreachtest.Failure{Reset: true, Applied: true}),
			sees: []string{`reset`}, stored: 1,
		},
		{
			name: "connection closed in order after acceptance", source: unknown,
			on:   func(s *bloomreachtest.Server) { s.DropAfterApplying(1) },
			sees: []string{`closed`}, stored: 1,
		},
		{
			name: "the same event again is discarded", source: docs + "imports-technical-reference",
			sees: []string{`200 [ok e1] [ok u1]`, `200 [ok e1] [ok u1]`}, stored: 1,
		},
	}
}

// commands returns a batch of n different events.
func commands(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = strings.Replace(event, "18.50", strconv.Itoa(i), 1)
	}
	return `{"commands":[` + strings.Join(all, ",") + `]}`
}

type behaviour struct {
	name, source string
	on           func(*bloomreachtest.Server)
	body         string
	sees         []string
	stored       int
	after        time.Duration // minimum time to the answers
}

func fails(f bloomreachtest.Failure) func(*bloomreachtest.Server) {
	return func(s *bloomreachtest.Server) { s.FailNext(1, f) }
}

func shape(e bloomreachtest.ErrorShape) func(*bloomreachtest.Server) {
	return func(s *bloomreachtest.Server) { s.SetErrorShape(e) }
}

// everyRequest returns a clock that advances with each request.
func everyRequest(s *bloomreachtest.Server, step time.Duration) func() time.Time {
	var requests atomic.Int64
	s.OnRequest(func(*http.Request) { requests.Add(1) })
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	return func() time.Time { return noon.Add(step * time.Duration(requests.Load())) }
}

func TestConformance(t *testing.T) {
	for _, row := range append(conformance(), openBehaviours()...) {
		t.Run(row.name, func(t *testing.T) {
			require.NotEmpty(t, row.source)
			server := start(t)
			if row.on != nil {
				row.on(server)
			}
			if row.body == "" {
				row.body = batch
			}
			began := time.Now()
			for i, want := range row.sees {
				timeout := 10 * time.Second
				if want == "timeout" {
					timeout = 200 * time.Millisecond
				}
				assert.Equal(t, want, seen(t, server, row.body, timeout), "request %d", i+1)
			}
			assert.GreaterOrEqual(t, time.Since(began), row.after)
			assert.Len(t, server.Events(), row.stored)
		})
	}
}

// seen returns what a client sees: status, body or results, Retry-After; or the way in which it got no answer.
func seen(t *testing.T, server *bloomreachtest.Server, body string, timeout time.Duration) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	r := request(t, server, body).WithContext(ctx)
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if end := simtest.NoAnswer(err); end != "" {
		return end
	}
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NotEmpty(t, response.Header.Get("X-Request-Id"))
	line := fmt.Sprint(response.StatusCode, " ", brief(t, string(raw)))
	if after := response.Header.Get("Retry-After"); after != "" {
		line += "; Retry-After " + after
	}
	return line
}
