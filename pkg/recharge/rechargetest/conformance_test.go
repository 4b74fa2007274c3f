package rechargetest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/simtest"
)

// Addresses of the sources.
const (
	sharp    = "https://github.com/mattgenious/RechargeSharp SampleResponses/"
	tap      = "https://github.com/singer-io/tap-recharge tap_recharge/client.py"
	python   = "https://github.com/ChemicalLuck/recharge-api-python"
	boxesapp = "https://github.com/darrylcousins/boxesapp server/src/lib/recharge/"
	limits   = "https://docs.getrecharge.com/docs/api-rate-limits"
	api      = "https://developer.rechargepayments.com/2021-11"
	airbyte  = "https://github.com/airbytehq/airbyte source-recharge"
	nango    = "https://github.com/NangoHQ/integration-templates integrations/recharge"
	unknown  = "documented nowhere, so that a client must bear it"
)

// behaviour is one row of the statement of what the REST API imitates: its source, how it is switched on, the calls of a
// plain HTTP client and what it sees of each. A call is method, path and body, with @ for the next_cursor and ^ for the
// previous_cursor of the answer before; +3s before it lets the clock go on.
type behaviour struct {
	name, source string
	on           func(*rechargetest.Server)
	calls        []string
	sees         []string
	header       string        // further ones that are shown
	after        time.Duration // of the last answer, at least
}

func next(n int, b rechargetest.Behaviour) func(*rechargetest.Server) {
	return func(s *rechargetest.Server) { s.Next(n, b) }
}

func fails(status int, body string) func(*rechargetest.Server) {
	return next(1, rechargetest.Behaviour{Status: status, Body: body})
}

// holding puts customers 1 to n, each with a subscription and a charge.
func holding(n int) func(*rechargetest.Server) {
	return func(s *rechargetest.Server) {
		for i := 1; i <= n; i++ {
			status := []string{"active", "cancelled"}[i%2]
			for _, body := range []string{
				`{"customer":{"id":%d,"email":"c%[1]d@example.com","external_customer_id":{"ecommerce":"9%[1]d"},"updated_at":"2026-03-%02[1]dT00:00:00+00:00"}}`,
				`{"subscription":{"id":%d,"customer_id":%[1]d,"status":"` + status + `"}}`,
				`{"charge":{"id":%d,"customer":{"id":%[1]d},"processed_at":"2026-01-%02[1]dT00:00:00+00:00"}}`,
			} {
				_ = s.Put(fmt.Appendf(nil, body, i))
			}
		}
	}
}

// happened puts three events, of the shape that was recorded, and lets the token read them.
func happened(s *rechargetest.Server) {
	s.SetScopes(append(rechargetest.Scopes(), "read_events")...)
	for i, verb := range []string{"cancelled", "deleted", "failed"} {
		object, origin := []string{"subscription", "charge", "charge"}[i], []string{"null", `"somewhere"`, `"api"`}[i]
		_ = s.Put(fmt.Appendf(nil, `{"event":{"id":%d,"customer_id":%[1]d,"object_id":%[1]d,"created_at":"2026-03-0%[1]dT10:56:16","custom_attributes":[],`+
			`"description":"","object_type":%q,"source":{"account_id":null,"origin":%s},"updated_attributes":[],"verb":%q}}`, i+1, object, origin, verb))
	}
}

const (
	customer = `GET /customers/1`
	found    = `200 {"customer":{"id":1,"email":"c1@example.com","external_customer_id":{"ecommerce":"91"},"updated_at":"2026-03-01T00:00:00+00:00"}}`
	hook     = `{"address":"https://acme.example/webhooks/acme/charge/paid","topic":"charge/paid","included_objects":["customer"],"version":"2021-11"}`
	shown    = `{"id":1000001,"address":"https://acme.example/webhooks/acme/charge/paid","topic":"charge/paid","included_objects":["customer"]}`
)

func conformance() []behaviour {
	return append(append(errorRows(), transportRows()...), listRows()...)
}

func errorRows() []behaviour {
	return []behaviour{
		{name: "one record", source: api, calls: []string{customer}, sees: []string{found}},
		{
			name: "headers of an answer", source: nango, calls: []string{customer}, header: "X-Recharge-Version",
			sees: []string{found + "; X-Recharge-Version 2021-11"},
		},
		{
			name: "401: error as a text", source: "live, by a transcription of the reference",
			calls: []string{"token=wrong " + customer}, sees: []string{`401 {"error":"bad authentication"}`},
		},
		{
			name: "404: errors as a text", source: sharp + "Subscriptions/get-subscription_404",
			calls: []string{"GET /customers/999", "GET /nothing"}, sees: []string{`404 {"errors":"Not Found"}`, `404 {"errors":"Not Found"}`},
		},
		{
			name: "404: error as a text", source: "a transcription of the reference",
			on:    fails(404, rechargetest.ShapeError.Body("", "address not found")),
			calls: []string{customer}, sees: []string{`404 {"error":"address not found"}`},
		},
		{
			name: "422: errors by field, a text each", source: sharp + "Customers/create-customer_422_email-already-taken",
			on:    fails(422, rechargetest.ShapeField.Body("email", "email already exists on store")),
			calls: []string{customer}, sees: []string{`422 {"errors":{"email":"email already exists on store"}}`},
		},
		{
			name: "422: errors by field, a list each", source: sharp + "Customers/list-customers_422_invalid-cursor",
			calls: []string{"GET /customers?cursor=nonsense"}, sees: []string{`422 {"errors":{"cursor":["Invalid value"]}}`},
		},
		{
			name: "426: another API version, and none", source: tap,
			calls: []string{"version=2020-01 " + customer, "version= " + customer},
			sees:  []string{`426 {"errors":"invalid API version"}`, `426 {"errors":"invalid API version"}`},
		},
		{
			name: "403: a scope is missing", source: tap,
			on:    func(s *rechargetest.Server) { s.SetScopes("read_orders") },
			calls: []string{customer, "GET /charges/1"},
			sees: []string{
				`403 {"error":"token lacks the scope read_customers (simulator)"}`,
				`200 {"charge":{"id":1,"customer":{"id":1},"processed_at":"2026-01-01T00:00:00+00:00"}}`,
			},
		},
		{name: "405", source: tap, calls: []string{"DELETE /customers/1"}, sees: []string{`405 {"errors":"Method Not Allowed"}`}},
		{
			name: "409: another call is in progress", source: boxesapp + "helpers.js; again after 3 s worked",
			on:    fails(409, rechargetest.ShapeError.Body("", "a call to this resource is in progress")),
			calls: []string{customer, customer}, sees: []string{`409 {"error":"a call to this resource is in progress"}`, found},
		},
		{
			name: "400, 402 and 406", source: tap,
			on: func(s *rechargetest.Server) {
				s.FailNext(1, 400, `{"error":"bad"}`)
				s.FailNext(1, 402, `{"error":"pay"}`)
				s.FailNext(1, 406, `{"error":"not allowed"}`)
			},
			calls: []string{customer, customer, customer},
			sees:  []string{`400 {"error":"bad"}`, `402 {"error":"pay"}`, `406 {"error":"not allowed"}`},
		},
		{
			name: "500, 501 and 503 (third party timeout)", source: tap,
			on: func(s *rechargetest.Server) {
				s.FailNext(1, 500, `{"error":"internal"}`)
				s.FailNext(1, 501, `{}`)
				s.FailNext(1, 503, `{"errors":"third party timeout"}`)
			},
			calls: []string{customer, customer, customer, customer},
			sees:  []string{`500 {"error":"internal"}`, `501 {}`, `503 {"errors":"third party timeout"}`, found},
		},
		{
			name: "a body that is not JSON", source: unknown + "; the answers come through Cloudflare (" + nango + ")",
			on: fails(502, "<html>502</html>"), calls: []string{customer}, sees: []string{`502 <html>502</html>`},
		},
		{
			name: "200 with a body that is not JSON", source: unknown,
			on: fails(200, "<html>ok</html>"), calls: []string{customer}, sees: []string{`200 <html>ok</html>`},
		},
	}
}

func transportRows() []behaviour {
	return []behaviour{
		{
			name: "x-recharge-limit", source: nango + "; " + limits,
			on:    func(s *rechargetest.Server) { s.LimitRate(rechargetest.StandardBucket()) },
			calls: []string{customer, customer, "+1s " + customer, "+60s " + customer}, header: "X-Recharge-Limit",
			sees: []string{found + "; X-Recharge-Limit 1/40", found + "; X-Recharge-Limit 2/40", found + "; X-Recharge-Limit 1/40", found + "; X-Recharge-Limit 1/40"},
		},
		{
			name: "429 when the bucket overflows, until it has leaked", source: limits + "; Retry-After is documented nowhere",
			on:    func(s *rechargetest.Server) { s.LimitRate(rechargetest.Bucket{Size: 2, PerSecond: 2}) },
			calls: []string{customer, customer, customer, "+1s " + customer}, header: "X-Recharge-Limit",
			sees: []string{
				found + "; X-Recharge-Limit 1/2", found + "; X-Recharge-Limit 2/2",
				`429 {"error":"Too many requests (simulator)"}; X-Recharge-Limit 2/2`, found + "; X-Recharge-Limit 1/2",
			},
		},
		{
			name: "429 with Retry-After", source: unknown,
			on:    func(s *rechargetest.Server) { s.LimitRate(rechargetest.Bucket{Size: 1, PerSecond: 2, RetryAfter: "2"}) },
			calls: []string{customer, customer}, sees: []string{found, `429 {"error":"Too many requests (simulator)"}; Retry-After 2`},
		},
		{
			name: "429 out of turn, without Retry-After", source: unknown,
			on: fails(429, `{}`), calls: []string{customer, customer}, sees: []string{`429 {}`, found},
		},
		{
			name: "slow", source: unknown, on: next(1, rechargetest.Behaviour{Slow: 20 * time.Millisecond}),
			calls: []string{customer}, sees: []string{found}, after: 20 * time.Millisecond,
		},
		{
			name: "slower than the client waits", source: unknown, on: next(1, rechargetest.Behaviour{Slow: time.Hour, Accept: true}),
			calls: []string{"POST /webhooks " + hook, "GET /webhooks"},
			sees:  []string{"timeout", `200 {"next_cursor":null,"previous_cursor":null,"webhooks":[]}`},
		},
		{
			name: "hangs before acceptance", source: unknown, on: next(1, rechargetest.Behaviour{Hang: true}),
			calls: []string{"POST /webhooks " + hook, "GET /webhooks"},
			sees:  []string{"timeout", `200 {"next_cursor":null,"previous_cursor":null,"webhooks":[]}`},
		},
		{
			name: "hangs after acceptance", source: unknown, on: next(1, rechargetest.Behaviour{Hang: true, Accept: true}),
			calls: []string{"POST /webhooks " + hook, "GET /webhooks"},
			sees:  []string{"timeout", `200 {"next_cursor":null,"previous_cursor":null,"webhooks":[` + shown + `]}`},
		},
		{
			name: "reset before acceptance", source: unknown, on: next(1, rechargetest.Behaviour{Reset: true}),
			calls: []string{"POST /webhooks " + hook, "GET /webhooks"},
			sees:  []string{"reset", `200 {"next_cursor":null,"previous_cursor":null,"webhooks":[]}`},
		},
		{
			name: "reset after acceptance", source: unknown, on: next(1, rechargetest.Behaviour{Reset: true, Accept: true}),
			calls: []string{"POST /webhooks " + hook, "GET /webhooks"},
			sees:  []string{"reset", `200 {"next_cursor":null,"previous_cursor":null,"webhooks":[` + shown + `]}`},
		},
		{
			name: "5xx after acceptance", source: unknown, on: next(1, rechargetest.Behaviour{Status: 503, Body: `{}`, Accept: true}),
			calls: []string{"POST /webhooks " + hook, "POST /webhooks " + hook},
			sees:  []string{"503 {}", `422 {"errors":{"duplicate":["This address and topic are registered already (simulator): 1000001"]}}`},
		},
	}
}

func listRows() []behaviour {
	return []behaviour{
		{
			name: "pages, newest first, to the end and back", source: sharp + "Customers/list-customers_200; " + tap,
			calls: []string{"GET /subscriptions?limit=2", "GET /subscriptions?limit=2&cursor=@", "GET /subscriptions?limit=2&cursor=@", "GET /subscriptions?limit=2&cursor=^"},
			sees:  []string{"200 5 4 next", "200 3 2 next previous", "200 1 previous", "200 3 2 next previous"},
		},
		{
			name: "filters hold on the next page", source: python + "; " + tap,
			calls: []string{"GET /subscriptions?status=cancelled&limit=2", "GET /subscriptions?cursor=@&limit=2"},
			sees:  []string{"200 5 3 next", "200 1 previous"},
		},
		{
			name: "a cursor with another filter", source: tap + " sends none; the answer is assumed",
			calls: []string{"GET /subscriptions?status=cancelled&limit=2", "GET /subscriptions?cursor=@&limit=2&status=cancelled"},
			sees:  []string{"200 5 3 next", `422 {"errors":{"cursor":["Invalid value"]}}`},
		},
		{
			name: "limit: 50 by default, at most 250", source: api + "/pagination, by a transcription",
			on:    holding(60),
			calls: []string{"GET /customers", "GET /customers?limit=250", "GET /customers?limit=251", "GET /customers?limit=0"},
			sees: []string{
				"200 50 of them next", "200 60 of them",
				`422 {"errors":{"limit":["Invalid value"]}}`, `422 {"errors":{"limit":["Invalid value"]}}`,
			},
		},
		{
			name: "filters of customers", source: python,
			calls: []string{
				"GET /customers?email=c3%40example.com", "GET /customers?external_customer_id=94", "GET /customers?ids=1,5",
				"GET /customers?updated_at_min=2026-03-04T00:00:00", "GET /customers?updated_at_min=soon", "GET /customers?includes=x",
			},
			sees: []string{"200 3", "200 4", "200 5 1", "200 5 4", `422 {"errors":{"updated_at_min":["Invalid value"]}}`, "200 5 4 3 2 1"},
		},
		{
			name: "subscriptions of one customer, page by page, with the limit", source: python + "; " + boxesapp + "helpers.js; " + tap + "; " + nango,
			on: func(s *rechargetest.Server) {
				for i := 11; i <= 13; i++ {
					_ = s.Put(fmt.Appendf(nil, `{"subscription":{"id":%d,"customer_id":"2"}}`, i))
				}
				s.LimitRate(rechargetest.StandardBucket())
			},
			calls:  []string{"GET /subscriptions?customer_id=2&limit=3", "GET /subscriptions?cursor=@&limit=3", "GET /subscriptions?customer_id=999&limit=250"},
			header: "X-Recharge-Limit",
			sees: []string{
				"200 13 12 11 next; X-Recharge-Limit 1/40", "200 2 previous; X-Recharge-Limit 2/40",
				`200 {"next_cursor":null,"previous_cursor":null,"subscriptions":[]}; X-Recharge-Limit 3/40`,
			},
		},
		{
			name: "filters of subscriptions and charges", source: python,
			calls: []string{
				"GET /subscriptions?customer_id=2", "GET /subscriptions?status=active", "GET /charges?customer_id=2",
				"GET /charges?processed_at_min=2026-01-03",
			},
			sees: []string{"200 2", "200 4 2", "200 2", "200 5 4 3"},
		},
		{
			name: "processed charges of more than 90 days are gone", source: "Recharge's changelog of 2025-03-19, by a transcription",
			calls: []string{"+792h GET /charges", "GET /charges/1", "GET /charges/5"},
			sees:  []string{"200 5", `404 {"errors":"Not Found"}`, `200 {"charge":{"id":5,"customer":{"id":5},"processed_at":"2026-01-05T00:00:00+00:00"}}`},
		},
		{
			name: "what the token may do", source: python,
			calls: []string{"GET /token_information"},
			sees:  []string{`200 {"token_information":{"client":{"email":"owner@example.com","name":"rechargeflow"},"contact_email":"owner@example.com","name":"rechargeflow","scopes":["read_customers","read_orders","read_store","read_subscriptions"]}}`},
		},
		{
			name: "the store", source: python + " recharge/model/v2/store.py; " + airbyte + " GET /shop",
			calls: []string{"GET /store", "POST /store"},
			sees: []string{
				`200 {"store":{"checkout_logo_url":"","checkout_platform":"shopify","created_at":"2021-04-21T11:44:38+00:00","currency":"USD","customer_portal_base_url":"","default_api_version":"2021-01","disabled_currencies_historical":[],"email":"owner@example.com","enabled_presentment_currencies":["USD"],"enabled_presentment_currencies_symbols":[{"currency":"USD","locale_name":"en","symbol":"$"}],"external_platform":"shopify","id":126593,"identifier":"acme-example.myshopify.com","merchant_portal_base_url":"","name":"acme-example","phone":"1111111111","timezone":{"iana_name":"America/New_York","name":"(GMT-05:00) America/New_York"},"updated_at":"2024-05-20T16:19:44+00:00","weight_unit":"g"}}`,
				`405 {"errors":"Method Not Allowed"}`,
			},
		},
		{
			name: "the store without its scope", source: api + "; " + python + " recharge/api/v2/store.py has another name for it",
			on:    func(s *rechargetest.Server) { s.SetScopes("read_orders") },
			calls: []string{"GET /store"}, sees: []string{`403 {"error":"token lacks the scope read_store (simulator)"}`},
		},
		{
			name: "events, and their filters", source: airbyte + " expected_records; " + python + " recharge/api/v2/events.py",
			on: happened,
			calls: []string{
				"GET /events", "GET /events?object_type=charge", "GET /events?verbs=failed,cancelled", "GET /events?origin=api",
				"GET /events?customer_id=2&object_id=2", "GET /events?created_at_min=2026-03-01T11:00:00", "GET /events/1",
			},
			sees: []string{"200 3 2 1", "200 3 2", "200 3 1", "200 3", "200 2", "200 3 2", `404 {"errors":"Not Found"}`},
		},
		{
			name: "events of more than 7 days are gone, and may not be asked for", source: airbyte + " AGENTS.md",
			on:    happened,
			calls: []string{"+144h GET /events", "GET /events?created_at_min=2026-02-27"},
			sees:  []string{"200 3 2", `422 {"errors":{"_schema":["created_at_min must be less than 7 days ago"]}}`},
		},
		{
			name: "events are not granted to every store", source: "design documents of a Recharge automation platform; the answer is assumed",
			calls: []string{"GET /events"}, sees: []string{`403 {"error":"token lacks the scope read_events (simulator)"}`},
		},
		{
			name: "a webhook is tested", source: python + " recharge/api/v2/webhooks.py; the answer is assumed",
			calls: []string{"POST /webhooks " + hook, "POST /webhooks/1000001/test", "GET /webhooks/1000001/test", "POST /webhooks/9/test", "POST /webhooks/1000001/try"},
			sees:  []string{`201 {"webhook":` + shown + `}`, "200 {}", `405 {"errors":"Method Not Allowed"}`, `404 {"errors":"Not Found"}`, `404 {"errors":"Not Found"}`},
		},
		{
			name: "a webhook is registered", source: boxesapp + "registry.js",
			calls: []string{"POST /webhooks " + hook, "GET /webhooks/1000001"},
			sees:  []string{`201 {"webhook":` + shown + `}`, `200 {"webhook":` + shown + `}`},
		},
		{
			name: "the same webhook again: the error ends with the id", source: boxesapp + "registry.js; the status is assumed",
			calls: []string{"POST /webhooks " + hook, "POST /webhooks " + hook},
			sees:  []string{`201 {"webhook":` + shown + `}`, `422 {"errors":{"duplicate":["This address and topic are registered already (simulator): 1000001"]}}`},
		},
		{
			name: "a webhook is changed and deleted", source: api + "/webhooks",
			calls: []string{"POST /webhooks " + hook, `PUT /webhooks/1000001 {"included_objects":[]}`, "DELETE /webhooks/1000001", "GET /webhooks/1000001"},
			sees:  []string{`201 {"webhook":` + shown + `}`, `200 {"webhook":` + strings.Replace(shown, `"customer"`, "", 1) + `}`, "204 ", `404 {"errors":"Not Found"}`},
		},
		{
			name: "webhooks without an address or a topic", source: unknown,
			calls: []string{`POST /webhooks {"topic":"charge/paid"}`, `POST /webhooks {"address":"https://a.example","topic":"charge"}`},
			sees:  []string{`422 {"errors":{"address":["Invalid value"]}}`, `422 {"errors":{"topic":["Invalid value"]}}`},
		},
		{
			name: "a webhook whose topic needs another scope", source: "a transcription of the reference; " + python + " WebhookTopicMap",
			on:    func(s *rechargetest.Server) { s.SetScopes("read_customers") },
			calls: []string{"POST /webhooks " + hook}, sees: []string{`403 {"error":"token lacks the scope read_orders (simulator)"}`},
		},
		eleventh(),
		{
			name: "415: a body that is no JSON object", source: tap,
			calls: []string{"POST /webhooks []", "POST /webhooks nonsense"},
			sees:  []string{`415 {"errors":"body is not a JSON object (simulator)"}`, `415 {"errors":"body is not a JSON object (simulator)"}`},
		},
		{
			name: "pages of webhooks", source: api + "/pagination, by a transcription",
			calls: []string{"POST /webhooks " + hook, "POST /webhooks " + strings.ReplaceAll(hook, "paid", "failed"), "GET /webhooks?limit=1", "GET /webhooks?limit=1&cursor=@"},
			sees:  []string{`201 {"webhook":` + shown + `}`, `201 {"webhook":` + strings.NewReplacer("paid", "failed", "1000001", "1000002").Replace(shown) + `}`, "200 1000002 next", "200 1000001 previous"},
		},
	}
}

func eleventh() behaviour {
	row := behaviour{
		name: "an eleventh webhook for a topic", source: `"at most 10 per topic per token", by a guide for stores; the answer is assumed`,
	}
	for i := range 10 {
		n := fmt.Sprint(i)
		row.calls = append(row.calls, "POST /webhooks "+strings.Replace(hook, "acme.example", n+".example", 1))
		row.sees = append(row.sees, `201 {"webhook":`+strings.NewReplacer("acme.example", n+".example", "1000001", fmt.Sprint(1000001+i)).Replace(shown)+`}`)
	}
	row.calls = append(row.calls, "POST /webhooks "+hook)
	row.sees = append(row.sees, `422 {"errors":{"topic":"too many webhooks for this topic (simulator)"}}`)
	return row
}

func TestConformance(t *testing.T) {
	for _, row := range conformance() {
		t.Run(row.name, func(t *testing.T) {
			require.NotEmpty(t, row.source)
			require.Len(t, row.sees, len(row.calls))
			server := rechargetest.NewServer("token")
			t.Cleanup(server.Close)
			client := &plainClient{server: server, header: row.header}
			server.SetClock(client.now)
			holding(5)(server)
			if row.on != nil {
				row.on(server)
			}
			began := time.Now()
			for i, call := range row.calls {
				assert.Equal(t, row.sees[i], client.call(t, call, row.sees[i] == "timeout"), call)
			}
			assert.GreaterOrEqual(t, time.Since(began), row.after)
			assert.Equal(t, len(row.calls), server.Calls())
		})
	}
}

// plainClient makes the calls of a row.
type plainClient struct {
	server *rechargetest.Server
	header string
	passed atomic.Int64
	last   string // answer
}

func (c *plainClient) now() time.Time { return noon.Add(time.Duration(c.passed.Load())) }

var (
	cursors = regexp.MustCompile(`"(next|previous)_cursor":"([^"]+)"`)
	ids     = regexp.MustCompile(`[\[,]\{"id":(\d+)`)
)

// call is what the client sees: status, body and headers; the ids and cursors of a page that has any; or how it got no
// answer.
func (c *plainClient) call(t *testing.T, call string, impatient bool) string {
	t.Helper()
	token, version := "token", "2021-11"
	words := strings.SplitN(call, " ", 2)
	for !strings.HasPrefix(words[1], "/") {
		switch name, value, _ := strings.Cut(words[0], "="); name {
		case "token":
			token = value
		case "version":
			version = value
		default:
			d, err := time.ParseDuration(strings.TrimPrefix(name, "+"))
			require.NoError(t, err)
			c.passed.Add(int64(d))
		}
		words = strings.SplitN(words[1], " ", 2)
	}
	path, body, _ := strings.Cut(words[1], " ")
	for _, found := range cursors.FindAllStringSubmatch(c.last, -1) {
		path = strings.ReplaceAll(path, map[string]string{"next": "@", "previous": "^"}[found[1]], url.QueryEscape(found[2]))
	}
	patience := 10 * time.Second
	if impatient {
		patience = 200 * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, words[0], c.server.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Close = true
	r.Header.Set("X-Recharge-Access-Token", token)
	if version != "" {
		r.Header.Set("X-Recharge-Version", version)
	}
	return c.do(t, r)
}

func (c *plainClient) do(t *testing.T, r *http.Request) string {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if end := simtest.NoAnswer(err); end != "" {
		return end
	}
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NotEmpty(t, response.Header.Get("X-Request-Id"))
	require.Regexp(t, `^\d+/\d+$`, response.Header.Get("X-Recharge-Limit"))
	c.last = string(raw)
	line := fmt.Sprint(response.StatusCode, " ", page(c.last))
	for _, name := range []string{"Retry-After", c.header} {
		if value := response.Header.Get(name); value != "" {
			line += "; " + name + " " + value
		}
	}
	return line
}

// page shortens a list that has elements.
func page(body string) string {
	if !strings.Contains(body, `_cursor":`) || !ids.MatchString(body) {
		return body
	}
	listed := ids.FindAllStringSubmatch(body, -1)
	if strings.Contains(body, `"webhooks":[`) && !cursors.MatchString(body) {
		return body
	}
	var words []string
	for _, id := range listed {
		words = append(words, id[1])
	}
	if len(words) > 9 {
		words = []string{fmt.Sprint(len(words), " of them")}
	}
	for _, found := range cursors.FindAllStringSubmatch(body, -1) {
		words = append(words, found[1])
	}
	return strings.Join(words, " ")
}
