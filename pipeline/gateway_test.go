package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/httplimit"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// gatewayBench is a gateway with a producer of the test's choice.
type gatewayBench struct {
	handler http.Handler
	topics  *memoryTopics
	stores  *labels
	log     *logText
}

// labels records the store of everything that is counted.
type labels struct {
	outcomes

	stores []string
}

func (l *labels) Record(role, store, outcome, reason string) {
	l.outcomes.Record(role, store, outcome, reason)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stores = append(l.stores, store)
}

// newGatewayBench publishes through produce, nil for memory. The clock stands at ten.
func newGatewayBench(t testing.TB, produce produceFunc, change func(*pipeline.GatewayConfig)) *gatewayBench {
	t.Helper()
	d := &gatewayBench{topics: &memoryTopics{records: map[string][]kafka.Record{}}, stores: &labels{}, log: &logText{}}
	t.Cleanup(func() { d.log.requireNoPersonalData(t) })
	if produce == nil {
		produce = d.topics.Produce
	}
	cfg := gatewayConfig()
	if change != nil {
		change(&cfg)
	}
	d.handler = pipeline.NewGateway(cfg, pipeline.Runtime{Produce: produce, Metrics: d.stores, Log: d.log.logger(), Now: atTen}).Handler()
	return d
}

func atTen() time.Time { return time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC) }

func (d *gatewayBench) send(r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	d.handler.ServeHTTP(answer, r)
	return answer
}

func (d *gatewayBench) stored() []kafka.Record { return d.topics.since("recharge.webhooks", 0) }

// webhookRequest is what Recharge sends.
func webhookRequest(path, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	rechargetest.Sign(r.Header, []byte(body), secret, atTen())
	return r
}

// The gateway answers 200 only after Kafka has acknowledged the record.
func TestGatewayAnswersAfterKafka(t *testing.T) {
	answer := httptest.NewRecorder()
	produced := false
	d := newGatewayBench(t, func(context.Context, ...kafka.Record) error {
		assert.False(t, answer.Flushed)
		assert.Zero(t, answer.Body.Len())
		assert.Empty(t, answer.Header())
		produced = true
		return nil
	}, nil)
	d.handler.ServeHTTP(answer, webhookRequest("/webhooks/acme/subscription/created", subscriptionBody("1", "")))
	assert.True(t, produced)
	assert.Equal(t, http.StatusOK, answer.Code)
	assert.Equal(t, []string{"gateway accepted"}, d.stores.lines)
}

// If Kafka does not answer in time, the gateway answers 503, well before Recharge
// gives up.
func TestGatewayKafkaHangs(t *testing.T) {
	const timeout, margin = 20 * time.Millisecond, 2 * time.Second
	d := newGatewayBench(t, func(ctx context.Context, _ ...kafka.Record) error {
		<-ctx.Done()
		return ctx.Err()
	}, func(cfg *pipeline.GatewayConfig) { cfg.PublishTimeout, cfg.RetryAfter = timeout, 7*time.Second })
	began := time.Now()
	answer := d.send(webhookRequest("/webhooks/acme/subscription/created", subscriptionBody("1", "")))
	assert.Less(t, time.Since(began), timeout+margin)
	assert.Equal(t, http.StatusServiceUnavailable, answer.Code)
	assert.Equal(t, "7", answer.Header().Get("Retry-After"))
	assert.JSONEq(t, `{"error":"kafka_unavailable","message":"not stored; send it again"}`, answer.Body.String())
	assert.Equal(t, []string{"gateway refused kafka_unavailable"}, d.stores.lines)
}

// A record that Kafka would never store is not asked for again: Recharge deletes the registration of a webhook after 20 attempts.
func TestGatewayKafkaRefuses(t *testing.T) {
	for why, test := range map[string]struct {
		err    error
		status int
	}{
		"record_too_large":  {fmt.Errorf("produce: %w", kafka.ErrTooLarge), http.StatusRequestEntityTooLarge},
		"timestamp_refused": {fmt.Errorf("produce: %w", kafka.ErrInvalidTimestamp), http.StatusServiceUnavailable},
		"kafka_unavailable": {kafka.ErrBufferFull, http.StatusServiceUnavailable},
	} {
		d := newGatewayBench(t, func(context.Context, ...kafka.Record) error { return test.err }, nil)
		answer := d.send(webhookRequest("/webhooks/acme/subscription/created", subscriptionBody("1", "")))
		assert.Equal(t, test.status, answer.Code)
		assert.Contains(t, answer.Body.String(), why)
		assert.Equal(t, test.status == http.StatusServiceUnavailable, answer.Header().Get("Retry-After") != "")
		assert.Equal(t, []string{"gateway refused " + why}, d.stores.lines)
		assert.Equal(t, []int{test.status}, d.stores.responses)
	}
}

// Every answer is timed by its status.
func TestGatewayTimesEveryAnswer(t *testing.T) {
	d := newGatewayBench(t, nil, nil)
	body := subscriptionBody("1", "")
	d.send(webhookRequest("/webhooks/acme/subscription/created", body))
	d.send(webhookRequest("/webhooks/nobody/subscription/created", body))
	d.send(webhookRequest("/nothing", body))
	d.send(webhookRequest("/webhooks/acme/subscription/created", body+"}"))
	d.send(httptest.NewRequest(http.MethodPost, "/webhooks/acme/subscription/created", strings.NewReader(body)))
	d.send(httptest.NewRequest(http.MethodGet, "/webhooks/acme/subscription/created", nil))
	d.send(webhookRequest("/webhooks/acme/subscription/created", body+strings.Repeat(" ", 16<<10)))
	assert.Equal(t, []int{200, 404, 404, 400, 401, 405, 413}, d.stores.responses)
	assert.Len(t, d.stores.lines, 7)
}

// The memory of all bodies is limited. It is free again after each answer.
func TestGatewayBodyMemory(t *testing.T) {
	bodies := httplimit.NewBudget(4 << 10)
	d := newGatewayBench(t, nil, func(cfg *pipeline.GatewayConfig) { cfg.Admission.Bodies = bodies })
	for _, over := range []bool{false, true, false} {
		body := "{}"
		if over {
			body += strings.Repeat(" ", 4<<10)
		}
		answer := d.send(webhookRequest("/webhooks/acme/subscription/created", body))
		if over {
			assert.Equal(t, http.StatusServiceUnavailable, answer.Code)
			assert.Equal(t, "5", answer.Header().Get("Retry-After"))
			assert.Contains(t, answer.Body.String(), "body_memory")
		} else {
			assert.Equal(t, http.StatusOK, answer.Code)
		}
		assert.Zero(t, bodies.Used())
	}
	d.send(webhookRequest("/webhooks/acme/subscription/created", "{"))
	assert.Zero(t, bodies.Used())
}

// The webhook of a caller who hangs up is stored, and not reported as a failure of
// Kafka.
func TestGatewayCallerHangsUp(t *testing.T) {
	var d *gatewayBench
	d = newGatewayBench(t, func(ctx context.Context, records ...kafka.Record) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, limited := ctx.Deadline()
		assert.True(t, limited)
		return d.topics.Produce(ctx, records...)
	}, nil)
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	d.send(webhookRequest("/webhooks/acme/subscription/created", subscriptionBody("1", "")).WithContext(gone))
	assert.Len(t, d.stored(), 1)
	assert.Equal(t, []string{"gateway accepted"}, d.stores.lines)
}

// The record has every byte of the body, and the timestamped signature to verify it again. It lacks the legacy signature, with which
// a reader of the topic could replay the webhook at any time.
func TestGatewayRecord(t *testing.T) {
	body := " {\"subscription\" :\t{\"id\":1 , \"customer_id\":246936001,\"note\":\"\\u00e4 ä <&>\", \"price\":1.50}}\r\n"
	d := newGatewayBench(t, nil, nil)
	request := webhookRequest("/webhooks/acme/subscription/updated", body)
	request.Header.Set("traceparent", traceparent)
	request.Header.Set("X-Recharge-Topic", "subscription/updated")
	request.Header.Set("X-Recharge-External-Platform-Domain", "acme.myshopify.com")
	request.Header.Set("Cookie", "not ours to keep")
	signature := request.Header.Clone()
	require.Equal(t, http.StatusOK, d.send(request).Code)

	require.Len(t, d.stored(), 1)
	record := d.stored()[0]
	assert.Equal(t, body, string(record.Value))
	assert.Equal(t, "acme/246936001", string(record.Key))
	assert.Equal(t, atTen(), record.Time)
	want := []kafka.Header{}
	add := func(key, value string) { want = append(want, kafka.Header{Key: key, Value: []byte(value)}) }
	add(envelope.HeaderRechargeTopic, "subscription/updated")
	add(envelope.HeaderStore, "acme")
	add(envelope.HeaderReceivedAt, "2026-03-01T10:00:00Z")
	add(envelope.HeaderDeliveryHash, recharge.DeliveryHash("subscription/updated", []byte(body)))
	add(envelope.HeaderSource, "webhook")
	add(envelope.HeaderTraceparent, traceparent)
	add(envelope.HeaderVerifiedBy, "timestamped")
	add(envelope.HeaderAddressToken, "none")
	add("x-recharge-webhook-signature", signature.Get("X-Recharge-Webhook-Signature"))
	add("x-recharge-webhook-timestamp", signature.Get("X-Recharge-Webhook-Timestamp"))
	add("x-recharge-topic", "subscription/updated")
	add("x-recharge-external-platform-domain", "acme.myshopify.com")
	assert.Equal(t, want, record.Headers)

	kept := http.Header{}
	for _, name := range recharge.StoredHeaders() {
		kept.Set(name, record.Header(strings.ToLower(name)))
	}
	scheme, err := recharge.Verify(kept, record.Value, []string{secret}, atTen())
	require.NoError(t, err)
	assert.Equal(t, recharge.SchemeTimestamped, scheme)
}

// A token in the address is checked. Neither it nor a wrong one is stored, logged, counted or answered.
func TestGatewayAddressToken(t *testing.T) {
	right := admission.Token(store, "subscription/created", secret)
	for token, status := range map[string]int{right: http.StatusOK, right + "/": http.StatusOK, right[1:] + "x": http.StatusUnauthorized} {
		d := newGatewayBench(t, nil, nil)
		request := webhookRequest("/webhooks/acme/subscription/created/"+token, subscriptionBody("1", ""))
		answer := d.send(request)
		require.Equal(t, status, answer.Code)
		seen := d.log.String() + answer.Body.String() + strings.Join(d.stores.all(), "\n")
		for _, record := range d.stored() {
			assert.Equal(t, "valid", record.Header(envelope.HeaderAddressToken))
			seen += fmt.Sprintf("%s %s %s", record.Key, record.Value, record.Headers)
		}
		assert.NotContains(t, seen, right[1:])
		assert.Equal(t, status == http.StatusOK, len(d.stored()) == 1)
	}
}

// A webhook that only has the legacy signature is marked as such. Its signature is not stored.
func TestGatewayLegacyRecord(t *testing.T) {
	body := subscriptionBody("1", "")
	request := httptest.NewRequest(http.MethodPost, "/webhooks/acme/subscription/created", strings.NewReader(body))
	rechargetest.SignLegacy(request.Header, []byte(body), secret)
	d := newGatewayBench(t, nil, nil)
	require.Equal(t, http.StatusOK, d.send(request).Code)
	record := d.stored()[0]
	assert.Equal(t, "legacy", record.Header(envelope.HeaderVerifiedBy))
	assert.NotContains(t, fmt.Sprintf("%s", record.Headers), request.Header.Get(recharge.HeaderLegacySignature))
}

// The partition is chosen by the producer, by key alone.
func TestGatewayChoosesNoPartition(t *testing.T) {
	var partition int
	d := newGatewayBench(t, func(_ context.Context, records ...kafka.Record) error {
		partition = records[0].Partition
		return nil
	}, nil)
	d.send(webhookRequest("/webhooks/acme/subscription/created", subscriptionBody("1", "")))
	assert.Equal(t, kafka.ByKey, partition)
}

func TestGatewayMakesATrace(t *testing.T) {
	d := newGatewayBench(t, nil, nil)
	seen := map[string]bool{}
	for _, given := range []string{"", "nonsense", "00-00000000000000000000000000000000-b7ad6b7169203331-01", strings.ToUpper(traceparent)} {
		request := webhookRequest("/webhooks/acme/subscription/created", subscriptionBody("1", ""))
		request.Header.Set("traceparent", given)
		require.Equal(t, http.StatusOK, d.send(request).Code)
		stored := d.stored()
		made := stored[len(stored)-1].Header(envelope.HeaderTraceparent)
		assert.Regexp(t, "^00-[0-9a-f]{32}-[0-9a-f]{16}-00$", made)
		assert.False(t, seen[made])
		seen[made] = true
	}
}

// The key is the customer, so that their webhooks are in one partition; without a
// customer in the body it is the resource.
func TestGatewayKey(t *testing.T) {
	tests := []struct{ topic, body, key string }{
		{"subscription/created", `{"subscription":{"id":1,"customer_id":246936001}}`, "acme/246936001"},
		{"subscription/created", `{"subscription":{"id":1,"customer_id":"246936001"}}`, "acme/246936001"},
		{"subscription/created", `{"subscription":{"id":1,"customer":{"id":246936001}}}`, "acme/246936001"},
		{"subscription/created", `{"subscription":{"id":1},"customer":{"id":246936001}}`, "acme/246936001"},
		{"subscription/created", `{"subscription":{"id":1,"customer_id":null},"customer":{"id":246936001}}`, "acme/246936001"},
		{"subscription/created", `{"subscription":{"id":1,"customer_id":246936001},"customer":{"id":2}}`, "acme/246936001"},
		{"subscription/deleted", `{"subscription":{"id":472730175}}`, "acme/subscription/472730175"},
		{"charge/paid", `{"charge":{"id":1,"customer":{"id":246936001,"email":"jo.bean@example.com"}}}`, "acme/246936001"},
		{"charge/paid", `{"charge":{"id":1,"customer_id":246936001}}`, "acme/246936001"},
		{"charge/deleted", `{"charge":{"id":1040197124}}`, "acme/charge/1040197124"},
		{"order/processed", `{"order":{"id":1,"customer":{"id":246936001}}}`, "acme/246936001"},
		{"customer/created", `{"customer":{"id":246936001}}`, "acme/246936001"},
		{"address/updated", `{"address":{"id":1,"customer_id":246936001}}`, "acme/246936001"},
		{"onetime/created", `{"onetime":{"id":3}}`, "acme/onetime/3"},
		{"subscription/paused", `{"charge":{"id":1,"customer_id":246936001}}`, "acme/subscription/"},
		{"subscription/created", `{"subscription":{"id":"1 OR 1=1","customer_id":-5}}`, "acme/subscription/"},
		{"subscription/created", `[]`, "acme/subscription/"},
		{"subscription/created", `null`, "acme/subscription/"},
	}
	for _, test := range tests {
		t.Run(test.topic+" "+test.body, func(t *testing.T) {
			d := newGatewayBench(t, nil, nil)
			require.Equal(t, http.StatusOK, d.send(webhookRequest("/webhooks/acme/"+test.topic, test.body)).Code)
			assert.Equal(t, test.key, string(d.stored()[0].Key))
		})
	}
}

// A caller can't choose a store's name in metrics and logs.
func TestGatewayLabels(t *testing.T) {
	tests := []struct {
		method, path string
		status       int
		store        string
	}{
		{http.MethodPost, "/webhooks/chosen-by-caller/subscription/created", http.StatusNotFound, "unknown"},
		{http.MethodPost, "/webhooks/chosen-by-caller%0a/subscription/created", http.StatusNotFound, "unknown"},
		{http.MethodPost, "/webhooks/ACME/subscription/created", http.StatusNotFound, "unknown"},
		{http.MethodPost, "/webhooks//subscription/created", http.StatusNotFound, "unknown"},
		{http.MethodPost, "/chosen-by-caller", http.StatusNotFound, "unknown"},
		{http.MethodPost, "/", http.StatusNotFound, "unknown"},
		{http.MethodGet, "/webhooks/chosen-by-caller/subscription/created", http.StatusMethodNotAllowed, "unknown"},
		{http.MethodPost, "/webhooks/acme/chosen-by-caller/created", http.StatusNotFound, "acme"},
		{http.MethodPost, "/webhooks/acme/subscription/chosen-by-caller", http.StatusNotFound, "acme"},
		{http.MethodPost, "/webhooks/acme/subscription/created%2f..", http.StatusNotFound, "acme"},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			d := newGatewayBench(t, nil, nil)
			request := webhookRequest(test.path, subscriptionBody("1", ""))
			request.Method = test.method
			answer := d.send(request)
			assert.Equal(t, test.status, answer.Code)
			requireRefusal(t, answer)
			assert.Equal(t, []string{test.store}, d.stores.stores)
			assert.Contains(t, d.log.String(), `"store":"`+test.store+`"`)
			assert.Empty(t, d.stored())
		})
	}
}

func requireRefusal(t require.TestingT, answer *httptest.ResponseRecorder) {
	var refusal struct{ Error, Message string }
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &refusal), "%s", answer.Body)
	require.NotEmpty(t, refusal.Error)
	require.NotEmpty(t, refusal.Message)
	require.Contains(t, answer.Header().Get("Content-Type"), "application/json")
}

// No log line has a secret, a signature or a part of a body, whatever the outcome of
// the webhook.
func TestGatewayLogsNothingPrivate(t *testing.T) {
	const path = "/webhooks/acme/subscription/created"
	body := subscriptionBody("784594001", joBean)
	tests := []struct {
		name    string
		status  int
		request func() *http.Request
		kafka   error
	}{
		{"accepted", http.StatusOK, func() *http.Request { return webhookRequest(path, body) }, nil},
		{"another topic in the header", http.StatusOK, func() *http.Request {
			r := webhookRequest(path, body)
			r.Header.Set("X-Recharge-Topic", "charge/paid")
			return r
		}, nil},
		{"kafka down", http.StatusServiceUnavailable, func() *http.Request { return webhookRequest(path, body) }, errors.New("no leader")},
		{"not signed", http.StatusUnauthorized, func() *http.Request { return httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)) }, nil},
		{"another's signature", http.StatusUnauthorized, func() *http.Request {
			r := webhookRequest(path, body)
			rechargetest.Sign(r.Header, []byte(body), "another secret", atTen())
			return r
		}, nil},
		{"no signature at all", http.StatusUnauthorized, func() *http.Request {
			r := webhookRequest(path, body)
			r.Header.Set("X-Recharge-Webhook-Signature", "jo.bean@example.com")
			return r
		}, nil},
		{"expired", http.StatusUnauthorized, func() *http.Request {
			r := webhookRequest(path, body)
			rechargetest.Sign(r.Header, []byte(body), secret, atTen().Add(-49*time.Hour))
			return r
		}, nil},
		{"not json", http.StatusBadRequest, func() *http.Request { return webhookRequest(path, body+"}") }, nil},
		{"too large", http.StatusRequestEntityTooLarge, func() *http.Request { return webhookRequest(path, body+strings.Repeat(" ", 16<<10)) }, nil},
		{"cut short", http.StatusBadRequest, func() *http.Request {
			r := webhookRequest(path, body)
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader(body[:100]), brokenReader{}))
			return r
		}, nil},
		{"unknown store", http.StatusNotFound, func() *http.Request {
			return webhookRequest("/webhooks/jo.bean@example.com/subscription/created", body)
		}, nil},
		{"unknown path", http.StatusNotFound, func() *http.Request { return webhookRequest("/jo.bean@example.com", body) }, nil},
		{"unknown topic", http.StatusNotFound, func() *http.Request { return webhookRequest("/webhooks/acme/jo.bean@example.com/created", body) }, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newGatewayBench(t, func(context.Context, ...kafka.Record) error { return test.kafka }, nil)
			request := test.request()
			sent := request.Header.Clone() // the gateway adds a traceparent of its own
			answer := d.send(request)
			assert.Equal(t, test.status, answer.Code)
			log := d.log.String()
			require.Contains(t, log, "webhook")
			d.log.requireNoPersonalData(t)
			for name := range sent {
				if value := sent.Get(name); len(value) >= 32 {
					assert.NotContains(t, log, value, name)
				}
			}
			// the record's key, with Recharge's number of the customer, is how an operator finds a webhook
			for _, word := range []string{"18.50", "784594001"} {
				assert.NotContains(t, log, word)
				assert.NotContains(t, answer.Body.String(), word)
			}
			assert.NotContains(t, answer.Body.String(), "jo.bean")
			assert.NotContains(t, answer.Body.String(), secret)
		})
	}
}

// brokenReader is a connection that is cut.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Concurrent webhooks have the same outcomes as consecutive ones.
func TestGatewayConcurrent(t *testing.T) {
	const callers, each = 64, 4
	d := newGatewayBench(t, nil, nil)
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for i := range each {
				body := subscriptionBody(fmt.Sprint(1+caller*each+i), joBean)
				answer := d.send(webhookRequest("/webhooks/acme/subscription/created", body))
				assert.Equal(t, http.StatusOK, answer.Code)
			}
		})
	}
	group.Wait()
	seen := map[string]bool{}
	for _, r := range d.stored() {
		assert.False(t, seen[string(r.Value)])
		seen[string(r.Value)] = true
		assert.Equal(t, recharge.DeliveryHash("subscription/created", r.Value), r.Header(envelope.HeaderDeliveryHash))
	}
	assert.Len(t, seen, callers*each)
	assert.Equal(t, callers*each, d.stores.count("gateway accepted"))
}

// Several secrets are valid during a rotation; without secrets no signature is valid.
func TestGatewaySecrets(t *testing.T) {
	tests := []struct {
		name    string
		secrets []string
		status  int
	}{
		{"the old one", []string{"new", secret}, http.StatusOK},
		{"the new one", []string{secret, "old"}, http.StatusOK},
		{"neither", []string{"new", "old"}, http.StatusUnauthorized},
		{"none", nil, http.StatusUnauthorized},
		{"an empty one", []string{""}, http.StatusUnauthorized},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newGatewayBench(t, nil, func(cfg *pipeline.GatewayConfig) { withSecrets(cfg, test.secrets...) })
			request := webhookRequest("/webhooks/acme/subscription/created", subscriptionBody("1", ""))
			assert.Equal(t, test.status, d.send(request).Code)
		})
	}
	t.Run("empty, signed with nothing", func(t *testing.T) {
		d := newGatewayBench(t, nil, func(cfg *pipeline.GatewayConfig) { withSecrets(cfg, "") })
		body := subscriptionBody("1", "")
		request := webhookRequest("/webhooks/acme/subscription/created", body)
		rechargetest.Sign(request.Header, []byte(body), "", atTen())
		assert.Equal(t, http.StatusUnauthorized, d.send(request).Code)
	})
}

func withSecrets(cfg *pipeline.GatewayConfig, secrets ...string) {
	cfg.Admission.Stores = map[string]admission.Store{store: {Secrets: secrets}}
}

// The limit counts bytes: a body of exactly that size is accepted.
func TestGatewayBodyLimit(t *testing.T) {
	for _, over := range []int{0, 1} {
		d := newGatewayBench(t, nil, func(cfg *pipeline.GatewayConfig) { cfg.Admission.BodyLimit = 100 })
		body := "{}" + string(bytes.Repeat([]byte(" "), 98+over))
		answer := d.send(webhookRequest("/webhooks/acme/subscription/created", body))
		assert.Equal(t, http.StatusOK+over*(http.StatusRequestEntityTooLarge-http.StatusOK), answer.Code)
		assert.Len(t, d.stored(), 1-over)
	}
}
