package app

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/tracing/tracingtest"
)

// world is what a traced process talks to.
type world struct {
	collector  *tracingtest.Collector
	recharge   *rechargetest.Server
	bloomreach *bloomreachtest.Server
	sms        *smstest.Gateway
}

const (
	collectorToken = "collector-token"
	smsSecret      = "sms-secret"
)

func newWorld(t *testing.T) world {
	t.Helper()
	w := world{tracingtest.New(), rechargetest.NewServer("api-token"), bloomreachtest.New(), smstest.New(smsSecret, nil)}
	t.Cleanup(func() {
		w.collector.Close()
		w.recharge.Close()
		w.bloomreach.Close()
		w.sms.Close()
	})
	return w
}

// traced is trial's process between the parts of a world, with a text for each new subscription.
func (w world) traced(t *testing.T) config.Config {
	t.Helper()
	cfg := trial(t, w.bloomreach.BaseURL())
	cfg.Tracing = config.Tracing{Endpoint: w.collector.URL, Headers: []config.Secret{"authorization=Bearer " + collectorToken}, SampleRatio: 1}
	store := &cfg.Stores[0]
	store.CustomerID = config.CustomerEmail
	store.Recharge.APIURL = w.recharge.URL
	store.SMS.Driver, store.SMS.Webhook.URL, store.SMS.Webhook.Secret, store.SMS.Timeout = config.SMSWebhook, w.sms.URL, smsSecret, 10*time.Second
	store.SMS.Window = time.Millisecond
	store.SMS.PortalURL, store.SMS.ShopURL = "https://{shop}/portal/{hash}", "https://acme.example"
	return cfg
}

// postSigned sends a webhook and returns the status.
func (p *process) postSigned(topic, body, secret string) int {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, "http://"+p.app.GatewayAddress()+"/webhooks/acme/"+topic, strings.NewReader(body))
	require.NoError(p.t, err)
	rechargetest.Sign(r.Header, []byte(body), secret, time.Now())
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	require.NoError(p.t, err)
	require.NoError(p.t, response.Body.Close())
	return response.StatusCode
}

// await waits for a number of spans with a name.
func (w world) await(t *testing.T, name string, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return len(w.collector.Spans(name)) >= n }, patience, 10*time.Millisecond, "%s: %v", name, w.collector.Spans(""))
}

// lookedUp is a subscription whose customer is not in the webhook.
const lookedUp = `{"subscription":{"id":784594001,"customer_id":246936001,"status":"active","product_title":"House Blend","price":"18.50",
"presentment_currency":"USD","quantity":2,"created_at":"2026-03-01T10:00:00+00:00","updated_at":"2026-03-01T10:00:00+00:00","cancelled_at":null}}`

const customer = `{"customer":{"id":246936001,"email":"jo.bean@example.com","first_name":"Jo","last_name":"Bean","phone":"+15035550100","hash":"f99bd4a6",
"subscriptions_active_count":1,"subscriptions_total_count":1,"created_at":"2026-03-01T10:00:00+00:00","updated_at":"2026-03-01T10:00:01+00:00"}}`

// A webhook's way is one trace: gateway, transformer, lookup, both sinks and their calls, with what failed. It holds nothing that
// is private.
func TestTraceOfAWebhook(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.recharge.Put([]byte(customer)))
	w.recharge.FailNext(1, http.StatusBadGateway, `{"error":"jo.bean@example.com"}`)
	w.bloomreach.FailNext(1, bloomreachtest.Failure{Status: http.StatusServiceUnavailable, Body: "jo.bean@example.com"})
	p := start(t, w.traced(t))
	p.awaitReady()
	p.setFlow(flow.SubscriptionStarted, func(f *live.Flow) { f.Active = true })
	body := strings.ReplaceAll(lookedUp, "2026-03-01T10:00:00+00:00", time.Now().UTC().Format(time.RFC3339))
	require.Equal(t, http.StatusUnauthorized, p.postSigned("subscription/created/token-in-path", body, "wrong"))
	require.Equal(t, http.StatusOK, p.postSigned("subscription/created", body, secret))
	require.Eventually(t, func() bool { return len(w.bloomreach.Events()) > 0 && len(w.sms.Texts()) == 1 }, patience, 10*time.Millisecond, "%v", p.log)
	w.await(t, "tracking deliver", 2)
	w.await(t, "sms process", 1)
	w.await(t, "sms call", 1)
	page := request(t, http.MethodGet, "http://"+p.app.AdminAddress()+"/metrics", http.NoBody, http.Header{"Accept": {"application/openmetrics-text; version=1.0.0"}})
	p.stop()
	require.NoError(t, p.end())

	ingests := w.collector.Spans("gateway ingest")
	require.Len(t, ingests, 2)
	refused, root := ingests[0], ingests[1]
	assert.Equal(t, map[string]any{
		"rechargeflow.store": "acme", "rechargeflow.topic": "subscription/created", "rechargeflow.outcome": "refused", "rechargeflow.reason": "bad_address_token",
		"http.response.status_code": 401,
	}, refused.Attributes)
	assert.Equal(t, "accepted", root.Attributes["rechargeflow.outcome"])
	assert.Empty(t, root.ParentID)
	assert.Contains(t, page, `trace_id="`+root.TraceID+`"`, "the exemplar")

	byID := map[string]tracingtest.Span{}
	for _, s := range w.collector.Spans("") {
		byID[s.SpanID] = s
	}
	var lines []string
	for _, s := range w.collector.Spans("") {
		if s.SpanID == refused.SpanID || s.SpanID == root.SpanID {
			continue
		}
		assert.Equal(t, root.TraceID, s.TraceID, s.Name)
		if s.Kind == "consumer" {
			assert.NotEmpty(t, s.Links, s.Name)
			assert.Equal(t, root.SpanID, s.ParentID, s.Name)
		}
		outcome, _ := s.Attributes["rechargeflow.outcome"].(string)
		line := byID[s.ParentID].Name + " > " + s.Name + " " + outcome
		if s.Error {
			line += " error"
		}
		lines = append(lines, line)
	}
	assert.Subset(t, lines, []string{
		"gateway ingest > transformer process parked", "gateway ingest > recharge call server_error error", "gateway ingest > recharge call ok",
		"gateway ingest > transformer process done",
		"gateway ingest > tracking deliver failed error", "tracking deliver > bloomreach call server_error error",
		"gateway ingest > tracking deliver done", "tracking deliver > bloomreach call ok",
		"gateway ingest > sms process done", "gateway ingest > sms call ok",
	})
	parked := w.collector.Spans("transformer process")[0]
	assert.Equal(t, []string{root.Context()}, parked.Links, "of the raw record")
	assert.Equal(t, "recharge.webhooks", parked.Attributes["messaging.destination.name"])

	for _, private := range []string{
		"jo.bean", "5035550100", "f99bd4a6", "Bean", "246936001", "token-in-path", secret, "api-token", smsSecret, collectorToken,
		bloomreachtest.ProjectToken, bloomreachtest.PublicToken,
	} {
		assert.NotContains(t, w.collector.Received(), private)
	}
	assert.NotContains(t, p.log.String(), collectorToken)
	assert.Contains(t, p.log.String(), `"msg":"tracing","collector":"127.0.0.1:`)
	for _, header := range w.collector.Headers() {
		assert.Equal(t, "Bearer "+collectorToken, header.Get("Authorization"))
	}
}

// A collector that hangs slows nothing down: webhooks are processed, and the process stops in time.
func TestCollectorHangs(t *testing.T) {
	w := newWorld(t)
	w.collector.Answer(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	cfg := w.traced(t)
	cfg.ShutdownTimeout = 10 * time.Second
	p := start(t, cfg)
	p.awaitReady()
	require.Equal(t, http.StatusOK, p.postSigned("subscription/created", created, secret))
	require.Eventually(t, func() bool { return len(w.bloomreach.Events()) > 0 }, patience, 10*time.Millisecond, "%v", p.log)
	began := time.Now()
	p.stop()
	require.NoError(t, p.end())
	assert.Less(t, time.Since(began), cfg.ShutdownTimeout)
	assert.Contains(t, p.log.String(), `"msg":"close tracing failed","error":"upload spans: context deadline exceeded"`)
	assert.NotContains(t, p.log.String(), "exceeded shutdown_timeout")
}

// A collector that refuses is a warning, and spans of the last records are uploaded before the process ends.
func TestCollectorRefuses(t *testing.T) {
	w := newWorld(t)
	w.collector.Answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	p := start(t, w.traced(t))
	p.awaitReady()
	require.Equal(t, http.StatusOK, p.postSigned("subscription/created", created, secret))
	p.awaitLog(`"msg":"trace collector failed","error":"post spans: status 403","consequence":"spans are lost"`)
	w.collector.Answer(nil)
	require.Equal(t, http.StatusOK, p.postSigned("subscription/created", created, secret))
	p.stop()
	require.NoError(t, p.end())
	assert.Len(t, w.collector.Spans("gateway ingest"), 1)
	assert.Contains(t, p.log.String(), `"msg":"trace collector works again"`)
}
