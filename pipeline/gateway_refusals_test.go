package pipeline_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
)

// A slash too many in the registered address, or one that a proxy adds, changes nothing. There is no redirect.
func TestGatewayIgnoresSlashes(t *testing.T) {
	for _, path := range []string{
		"/webhooks/acme/subscription/created/", "/webhooks/acme/subscription/created//", "//webhooks/acme/subscription/created",
		"/webhooks//acme///subscription/created", "/webhooks/acme/subscription/created/?a=b",
	} {
		t.Run(path, func(t *testing.T) {
			d := newGatewayBench(t, nil, nil)
			request := webhookRequest("/", subscriptionBody("1", ""))
			target, err := request.URL.Parse("http://gateway" + path)
			require.NoError(t, err)
			request.URL = target
			require.Equal(t, http.StatusOK, d.send(request).Code)
			require.Len(t, d.stored(), 1)
			assert.Equal(t, "subscription/created", d.stored()[0].Header(envelope.HeaderRechargeTopic))
			assert.Equal(t, []string{"gateway accepted"}, d.stores.lines)
		})
	}
}

// refusalLines are the log lines of refused requests.
func (d *gatewayBench) refusalLines(t *testing.T) (lines []map[string]any) {
	t.Helper()
	for line := range strings.Lines(d.log.String()) {
		var fields map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &fields))
		if fields["msg"] == "webhook refused" {
			lines = append(lines, fields)
		}
	}
	return lines
}

// An operator sees what was asked for and by whom, without control characters, secrets and personal data. The answer says which
// addresses exist.
func TestGatewayLogsTheRefusedPath(t *testing.T) {
	const token = "0123456789abcdef0123456789abcdef"
	for asked, logged := range map[string]string{
		"/webhook/acme/subscription/created":                   "/webhook/acme/subscription/created",
		"/webhooks/acme/subscription":                          "/webhooks/acme/subscription",
		"/webhooks/acme/subscription/" + token:                 "/webhooks/acme/subscription/***",
		"/webhooks/nobody/customer/payment_method_updated":     "/webhooks/nobody/customer/payment_method_updated",
		"/webhooks/ACME/subscription/created":                  "/webhooks/ACME/subscription/created",
		"/":                                                    "/",
		"/a%0a%1b%5b31mb%e2%80%aec?token=" + token:             "/a [31mb c",
		"/webhooks/jo.bean@example.com/subscription/created":   "/webhooks/***/subscription/created",
		"/webhooks/jo.bean%40example.com/subscription/created": "/webhooks/***/subscription/created",
		"/webhooks/" + token + "/subscription/created":         "/webhooks/***/subscription/created",
		"/webhooks/acme/+15035550100/x":                        "/webhooks/acme/***/x",
		"/" + strings.Repeat("long", 100):                      "/" + strings.Repeat("long", 49) + "lon",
		"/<b>%ff":                                              "/?",
	} {
		t.Run(asked, func(t *testing.T) {
			d := newGatewayBench(t, nil, nil)
			request := webhookRequest("/", subscriptionBody("1", ""))
			target, err := request.URL.Parse("http://gateway" + asked)
			require.NoError(t, err)
			request.URL, request.RemoteAddr = target, "203.0.113.7:4711"
			answer := d.send(request)
			require.Equal(t, http.StatusNotFound, answer.Code)
			assert.Contains(t, answer.Body.String(), "/webhooks/{store}/{resource}/{action}")
			lines := d.refusalLines(t)
			require.Len(t, lines, 1)
			assert.Equal(t, logged, lines[0]["path"])
			assert.Equal(t, "203.0.113.7", lines[0]["peer"])
			assert.Equal(t, "warn", lines[0]["level"])
			assert.Equal(t, "POST", lines[0]["method"])
			assert.NotContains(t, d.log.String(), token)
		})
	}
}

// The lines of a refused webhook have the traceparent that its record and its span would have, and a caller can't write another text.
func TestGatewayLogsTheTraceparentOfARefusedWebhook(t *testing.T) {
	const sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for header, logged := range map[string]string{sent: "^" + sent + "$", "jo.bean@example.com": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"} {
		d := newGatewayBench(t, nil, nil)
		request := webhookRequest("/nothing", "{}")
		request.Header.Set("Traceparent", header)
		require.Equal(t, http.StatusNotFound, d.send(request).Code)
		require.Len(t, d.refusalLines(t), 1)
		assert.Regexp(t, logged, d.refusalLines(t)[0]["traceparent"])
		assert.NotContains(t, d.log.String(), "jo.bean")
	}
}

// A flood of requests does not flood the log. The counter has every refusal.
func TestGatewayLogsRefusalsAtALimitedRate(t *testing.T) {
	now := atTen()
	d := newGatewayBench(t, nil, nil)
	d.handler = pipeline.NewGateway(gatewayConfig(), pipeline.Runtime{
		Produce: d.topics.Produce, Metrics: d.stores, Log: d.log.logger(), Now: func() time.Time { return now },
	}).Handler()
	flood := func() {
		for range 1000 {
			require.Equal(t, http.StatusNotFound, d.send(webhookRequest("/nothing", "{}")).Code)
		}
	}
	flood()
	assert.Len(t, d.refusalLines(t), 50)
	now = now.Add(10 * time.Second)
	flood()
	lines := d.refusalLines(t)
	require.Len(t, lines, 60)
	assert.InDelta(t, 950, lines[50]["refusals_not_logged"], 0)
	assert.InDelta(t, 0, lines[51]["refusals_not_logged"], 0)
	assert.Equal(t, 2000, d.stores.count("gateway refused unknown_path (store unknown)"))
}
