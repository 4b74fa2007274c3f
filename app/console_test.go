package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/console/api"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// shown is a process with a console that has something to show.
type shown struct {
	*process

	customer string
	gateway  atomic.Int32 // status that the SMS gateway answers with
}

// The personal data and secrets of the customer and the configuration.
const (
	shownEmail  = "josefine.bean@example.com"
	shownPhone  = "+15035550199"
	shownHash   = "f99bd4a6c0de"
	shownFirst  = "Josefine"
	shownLast   = "Beanstalk"
	shownSMSKey = "gateway-secret-of-acme"
)

// startShown starts all roles on brokers, "" for the embedded one, with a flow that is active.
func startShown(t *testing.T, brokers ...string) *shown {
	t.Helper()
	s := &shown{customer: "246936001"}
	s.gateway.Store(http.StatusOK)
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(int(s.gateway.Load()))
		_, _ = io.WriteString(w, `{"id":"text-1"}`)
	}))
	t.Cleanup(gateway.Close)
	bloomreach := bloomreachtest.New()
	t.Cleanup(bloomreach.Close)
	cfg := shownConfig(t, bloomreach.BaseURL(), gateway.URL, brokers)
	s.process = start(t, cfg)
	s.awaitReady()
	change := live.FlowChange{Store: "acme", By: "test", At: time.Now(), Decide: func(flows []live.Flow) error {
		for i := range flows {
			flows[i].Active = flows[i].Key == flow.SubscriptionStarted
		}
		return nil
	}}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		_, err := Settings(cfg.Kafka).ChangeFlows(t.Context(), s.app.cluster, change)
		require.NoError(c, err)
	}, time.Minute, time.Second)
	require.Eventually(t, func() bool { return s.flows().of("acme")(flow.SubscriptionStarted).Active }, patience, 10*time.Millisecond)
	return s
}

func shownConfig(t *testing.T, bloomreach, gateway string, brokers []string) config.Config {
	t.Helper()
	dir, prefix := t.TempDir(), ""
	if len(brokers) > 0 {
		prefix = fmt.Sprintf("console-%d.", time.Now().UnixNano())
	}
	list, err := json.Marshal(append([]string{}, brokers...))
	require.NoError(t, err)
	cfg := settings(t, `
kafka: {brokers: `+string(list)+`, topic_prefix: "`+prefix+`", durability: single, partitions: 3}
embedded: {dir: "`+filepath.Join(dir, "broker")+`", listen: "127.0.0.1:0"}
gateway: {listen: "127.0.0.1:0"}
admin: {listen: "127.0.0.1:0"}
console: {listen: "127.0.0.1:0", data_dir: "`+filepath.Join(dir, "console")+`"}
sms: {state_dir: "`+filepath.Join(dir, "sms-state")+`"}
transformer: {state_dir: "`+filepath.Join(dir, "state")+`"}
shutdown_delay: 0s
stores:
  - name: acme
    customer_id: email
    recharge: {secrets: [`+secret+`], token: api-token-of-acme, api_url: "http://127.0.0.1:1"}
    bloomreach: {url: "`+bloomreach+`", project: "`+bloomreachtest.ProjectToken+`", token: "`+bloomreachtest.PublicToken+`"}
    sms: {driver: webhook, webhook: {url: "`+gateway+`", secret: `+shownSMSKey+`}, window: 1ms, shop_name: Acme, shop_url: "https://acme.example", portal_url: "https://{shop}/portal/{hash}", payment_url: "https://{shop}/pay/{hash}"}
`)
	if len(brokers) == 0 {
		return cfg
	}
	spec, err := BuiltInTopics(cfg.Kafka)
	require.NoError(t, err)
	_, err = admin.Apply(t.Context(), kafka.Cluster{Brokers: brokers}, spec)
	require.NoError(t, err)
	return cfg
}

// webhook sends a webhook of the customer; {now} stands for the present time.
func (s *shown) webhook(topic, body string) {
	s.t.Helper()
	body = strings.ReplaceAll(body, "{now}", time.Now().UTC().Format(time.RFC3339))
	header := http.Header{}
	rechargetest.Sign(header, []byte(body), secret, time.Now())
	request(s.t, http.MethodPost, "http://"+s.app.GatewayAddress()+"/webhooks/acme/"+topic, strings.NewReader(body), header)
}

func (s *shown) subscribe(id string) {
	s.t.Helper()
	s.webhook("subscription/created", `{"subscription":{"id":`+id+`,"customer_id":`+s.customer+`,"status":"active","product_title":"House Blend","price":"18.50",
"presentment_currency":"USD","quantity":2,"created_at":"{now}","updated_at":"{now}","cancelled_at":null,"address_id":`+id+`},
"customer":{"id":`+s.customer+`,"email":"`+shownEmail+`","first_name":"`+shownFirst+`","last_name":"`+shownLast+`","phone":"`+shownPhone+`","hash":"`+shownHash+`",
"subscriptions_active_count":1,"subscriptions_total_count":1,"created_at":"{now}","updated_at":"{now}"}}`)
}

// reject stores a raw record that the transformer rejects; it has the customer's data in its body.
func (s *shown) reject() {
	s.t.Helper()
	topics := s.app.runtime.Topics
	require.NoError(s.t, s.app.runtime.Produce(s.t.Context(), kafka.Record{
		Topic: topics.Webhooks(), Partition: kafka.ByKey, Key: []byte("acme/" + s.customer), Headers: []kafka.Header{{Key: "store", Value: []byte("acme")}},
		Value: []byte(`{"email":"` + shownEmail + `","phone":"` + shownPhone + `","hash":"` + shownHash + `"}`),
	}))
}

// call sends a request to the API.
func (s *shown) call(method, path, body, token string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.app.ConsoleAddress()+"/api/v1"+path, strings.NewReader(body))
	require.NoError(s.t, err)
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, response.Body.Close()) }()
	content, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return response.StatusCode, string(content)
}

// read decodes the answer to a GET.
func read[T any](s *shown, path string) (found T) {
	s.t.Helper()
	status, body := s.call(http.MethodGet, path, "", "")
	require.Equal(s.t, http.StatusOK, status, body)
	require.NoError(s.t, json.Unmarshal([]byte(body), &found), body)
	return found
}

// await reads until what is found is as it should be.
func await[T any](s *shown, path string, is func(T) bool) (found T) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { found = read[T](s, path); return is(found) }, patience, 50*time.Millisecond, "%s: %v", path, &found)
	return found
}

// populate gives the console a customer, events, a text that was sent, one of unknown outcome, and a dead letter.
func (s *shown) populate() (sent, unknown service.TextRow) {
	s.t.Helper()
	s.subscribe("784594001")
	page := await(s, "/stores/acme/texts?status=accepted", func(p service.TextPage) bool { return len(p.Texts) == 1 })
	s.gateway.Store(http.StatusGatewayTimeout)
	s.subscribe("784594002")
	s.reject()
	lost := await(s, "/stores/acme/texts?status=unknown", func(p service.TextPage) bool { return len(p.Texts) == 1 })
	await(s, "/dead-letters?store=acme", func(p service.DeadLetterPage) bool { return p.Total == 1 })
	await(s, "/stores/acme/overview", func(o service.Overview) bool { return o.Reading.CaughtUp && !o.CheckedAt.IsZero() })
	return page.Texts[0], lost.Texts[0]
}

func TestConsole(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { showsAndDoes(t, startShown(t)) })
	t.Run("kafka", func(t *testing.T) {
		if testing.Short() {
			t.Skip("starts Apache Kafka; run without -short")
		}
		showsAndDoes(t, startShown(t, kafkatest.Real(t).Addr()))
	})
}

// showsAndDoes goes through what an operator sees and does.
func showsAndDoes(t *testing.T, s *shown) {
	sent, unknown := s.populate()

	o := read[service.Overview](s, "/stores/acme/overview")
	assert.Len(t, o.Events, 24)
	assert.Positive(t, o.Events[23].Count+o.Events[22].Count)
	assert.Equal(t, 1, o.DeadLetters)
	assert.Contains(t, o.Waiting, service.Waiting{For: "resolution", Count: 1})
	assert.NotEmpty(t, o.RecentEvents)
	assert.Len(t, o.RecentTexts, 2)
	assert.False(t, o.Connected, "Recharge's API does not answer")
	assert.NotEmpty(t, o.Checks)

	text := read[service.Text](s, "/stores/acme/texts/"+sent.ID)
	assert.Contains(t, text.Text, "Acme")
	assert.Equal(t, "America/Los_Angeles", text.Zone)
	assert.NotEmpty(t, text.Life)
	assert.Equal(t, "planned", text.Life[0].Status)
	found := read[service.TextPage](s, "/stores/acme/texts?search="+shownEmail)
	assert.Len(t, found.Texts, 2)

	customers := read[service.CustomerPage](s, "/stores/acme/customers?search="+strings.ToLower(shownLast))
	require.Len(t, customers.Customers, 1)
	assert.Equal(t, "J*** B***", customers.Customers[0].Name)
	c := read[service.Customer](s, "/stores/acme/customers/"+s.customer+"?reveal=true")
	assert.Equal(t, shownPhone, c.Phone)
	assert.Len(t, c.Subscriptions, 2)
	assert.Len(t, c.Texts, 2)
	assert.NotEmpty(t, c.Events)
	_, timeline := s.call(http.MethodGet, "/stores/acme/customers/"+s.customer+"/timeline", "", "")
	assert.Contains(t, timeline, `"type":"subscription/created"`)

	kinds := read[[]service.EventKind](s, "/stores/acme/events")
	require.NotEmpty(t, kinds)
	assert.NotEmpty(t, kinds[0].Example)
	p := await(s, "/pipeline", func(p service.Pipeline) bool {
		return len(p.Groups) == 3 && len(p.Groups[0].Members) == 1 && p.Groups[0].Records == 0
	})
	assert.Len(t, p.Topics, 22)

	s.resolves(unknown)
	s.replays()
	s.tokens()

	s.stop()
	require.NoError(t, s.end())
	assert.NotContains(t, s.log.String(), `"level":"error"`)
}

// resolves says that the provider has a text: the sms role applies it.
func (s *shown) resolves(unknown service.TextRow) {
	path := "/stores/acme/texts/" + unknown.ID
	status, body := s.call(http.MethodPost, path+"/resolve", `{"outcome":"planned"}`, "")
	require.Equal(s.t, http.StatusUnprocessableEntity, status, "it is never sent again: %s", body)
	status, body = s.call(http.MethodPost, path+"/resolve", `{"outcome":"delivered","note":"in the list of `+shownEmail+`"}`, "")
	require.Equal(s.t, http.StatusAccepted, status, body)
	text := await(s, path, func(t service.Text) bool { return t.Status == "delivered" })
	assert.Equal(s.t, "resolved_by_operator", text.Code)
	assert.Equal(s.t, "found out by local: in the list of j***@example.com", text.Error)
	status, body = s.call(http.MethodPost, path+"/resolve", `{"outcome":"rejected"}`, "")
	assert.Equal(s.t, http.StatusConflict, status, body)
}

// replays sends the dead letter to its role again, which rejects it again.
func (s *shown) replays() {
	letters := read[service.DeadLetterPage](s, "/dead-letters?store=acme&open=true")
	require.Len(s.t, letters.Letters, 1)
	assert.Equal(s.t, "the record can't be read", letters.Letters[0].Why)
	one := read[service.DeadLetter](s, "/dead-letters/"+letters.Letters[0].Name+"?reveal=true")
	assert.Contains(s.t, one.Body, shownEmail)

	status, body := s.call(http.MethodPost, "/dead-letters/count", `{"reason":"malformed"}`, "")
	require.Equal(s.t, http.StatusOK, status, body)
	assert.JSONEq(s.t, `{"letters":1,"skipped":0,"seconds":0.02}`, body)
	status, body = s.call(http.MethodPost, "/dead-letters/replays", `{"reason":"malformed","confirm":2}`, "")
	assert.Equal(s.t, http.StatusConflict, status, body)
	status, body = s.call(http.MethodPost, "/dead-letters/replays", `{"reason":"malformed","confirm":1}`, "")
	require.Equal(s.t, http.StatusAccepted, status, body)
	await(s, "/dead-letters/replays", func(all []service.Replay) bool { return len(all) == 1 && !all[0].Ended.IsZero() && all[0].Sent == 1 })
	again := await(s, "/dead-letters?store=acme", func(p service.DeadLetterPage) bool { return p.Total == 2 })
	assert.Equal(s.t, 2, again.Letters[0].Attempts)
}

// tokens creates a viewer's token: it sees what is masked, and does nothing.
func (s *shown) tokens() {
	status, body := s.call(http.MethodPost, "/tokens", `{"name":"reports","role":"viewer"}`, "")
	require.Equal(s.t, http.StatusCreated, status, body)
	var created service.NewToken
	require.NoError(s.t, json.Unmarshal([]byte(body), &created))
	require.Eventually(s.t, func() bool {
		status, _ = s.call(http.MethodGet, "/stores/acme/overview", "", created.Secret)
		return status == http.StatusOK
	}, patience, 50*time.Millisecond)
	for path, method := range map[string]string{
		"/stores/acme/customers/" + s.customer + "?reveal=true": http.MethodGet, "/stores/acme/customers/" + s.customer + "/timeline?reveal=true": http.MethodGet,
		"/dead-letters/transformer/0/0?reveal=true": http.MethodGet, "/tokens": http.MethodGet, "/dead-letters/replays": http.MethodPost,
		"/stores/acme/texts/x/resolve": http.MethodPost, "/stores/acme/events/samples": http.MethodPost, "/tokens/x": http.MethodDelete,
	} {
		status, body := s.call(method, path, "{}", created.Secret)
		assert.Equal(s.t, http.StatusForbidden, status, "%s %s: %s", method, path, body)
	}
	status, body = s.call(http.MethodDelete, "/tokens/"+created.ID, "", "")
	require.Equal(s.t, http.StatusNoContent, status, body)
	require.Eventually(s.t, func() bool {
		status, _ = s.call(http.MethodGet, "/stores/acme/overview", "", created.Secret)
		return status == http.StatusUnauthorized
	}, patience, 50*time.Millisecond)
}

// TestConsoleHidesPersonalData asks for all that the API returns, and looks for personal data and secrets.
func TestConsoleHidesPersonalData(t *testing.T) {
	s := startShown(t)
	sent, _ := s.populate()
	letters := read[service.DeadLetterPage](s, "/dead-letters")
	status, body := s.call(http.MethodPost, "/stores/acme/segments", `{"name":"buyers","conditions":"received any in 30d"}`, "")
	require.Equal(t, http.StatusOK, status, body)
	parameters := map[string]string{
		":store": "acme", ":flow": "subscription_started", ":text": sent.ID, ":customer": s.customer, ":segment": "buyers", ":token": "none",
		":role/:partition/:offset": letters.Letters[0].Name,
	}
	e, answered := echo.New(), 0
	api.New(nil, zap.NewNop()).Mount(e.Group(""))
	for _, route := range e.Routes() {
		path := route.Path
		for name, value := range parameters {
			path = strings.ReplaceAll(path, name, value)
		}
		require.NotContains(t, path, ":", "a parameter without a value")
		if route.Method != http.MethodGet || strings.HasSuffix(path, "/live") {
			continue
		}
		status, body := s.call(http.MethodGet, path, "", "")
		require.Less(t, status, http.StatusInternalServerError, "%s: %s", path, body)
		if status == http.StatusOK {
			answered++
		}
		hides(t, path, body)
	}
	assert.GreaterOrEqual(t, answered, 20)
	for _, query := range []string{shownEmail, strings.TrimPrefix(shownPhone, "+"), shownFirst} {
		for _, list := range []string{"/stores/acme/texts", "/stores/acme/customers"} {
			_, body := s.call(http.MethodGet, list+"?search="+query, "", "")
			hides(t, list, body)
		}
	}
	_, body = s.call(http.MethodPost, "/stores/acme/flows/subscription_started/preview", `{"customer":"`+s.customer+`"}`, "")
	hides(t, "preview", body)
	s.stop()
	require.NoError(t, s.end())
	hides(t, "log", s.log.String())
}

// hides fails if a text has personal data or a secret.
func hides(t *testing.T, what, text string) {
	t.Helper()
	for _, private := range []string{
		shownEmail, shownPhone, strings.TrimPrefix(shownPhone, "+1"), shownHash, shownFirst, shownLast, secret, shownSMSKey, "api-token-of-acme",
		bloomreachtest.PublicToken, bloomreachtest.ProjectToken,
	} {
		if at := strings.Index(text, private); at >= 0 {
			assert.Fail(t, "private data", "%s in %s: …%s…", private, what, text[max(0, at-120):min(len(text), at+80)])
		}
	}
}

// TestConsoleStreams sends what happens to many readers, 200 of which read nothing: they are dropped, and the others notice nothing.
func TestConsoleStreams(t *testing.T) {
	s := startShown(t)
	s.subscribe("784594001")
	await(s, "/stores/acme/overview", func(o service.Overview) bool { return o.Reading.CaughtUp && len(o.RecentTexts) == 1 })
	listener := newPipes()
	ctx, stop := context.WithCancel(t.Context())
	server := &http.Server{Handler: s.app.console.server, BaseContext: func(net.Listener) context.Context { return ctx }} //nolint:gosec // a test's own
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { stop(); _ = server.Close() })
	for range 200 { // a pipe has no buffer: the first write waits for the reader
		_, err := io.WriteString(listener.dial(), "GET /api/v1/stores/acme/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
		require.NoError(t, err)
	}
	quick := s.stream(t)
	began := time.Now()
	s.subscribe("784594002")
	assert.Equal(t, "event", quick.next(t, "event"))
	assert.Equal(t, "text", quick.next(t, "text"))
	assert.Less(t, time.Since(began), patience)
	status, _ := s.call(http.MethodGet, "/stores/acme/overview", "", "")
	assert.Equal(t, http.StatusOK, status)

	s.stop()
	require.NoError(t, s.end(), "streams end with the process")
	assert.NotContains(t, s.log.String(), "shutdown exceeded")
	_, err := io.ReadAll(quick.body)
	require.NoError(t, err, "the stream ended, and was not cut")
}

// sse is a stream of events.
type sse struct {
	body  io.Reader
	lines *bufio.Scanner
}

func (s *shown) stream(t *testing.T) *sse {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.app.ConsoleAddress()+"/api/v1/stores/acme/live", http.NoBody)
	require.NoError(t, err)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	return &sse{body: response.Body, lines: bufio.NewScanner(response.Body)}
}

// next returns the kind of the next row of a kind.
func (s *sse) next(t *testing.T, kind string) string {
	t.Helper()
	for s.lines.Scan() {
		if match := regexp.MustCompile(`^event: (.*)$`).FindStringSubmatch(s.lines.Text()); match != nil && match[1] == kind {
			return match[1]
		}
	}
	require.NoError(t, s.lines.Err())
	return ""
}

// pipes is a listener of connections in memory.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.accepted <- server
	return client
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accepted:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { close(p.closed); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// A console that others can reach needs people.
func TestConsoleNeedsPeople(t *testing.T) {
	cfg := trial(t, "http://127.0.0.1:1")
	cfg.Console.Listen = "0.0.0.0:0"
	require.ErrorContains(t, start(t, cfg).end(), "console.listen is 0.0.0.0:0, which other machines may reach, and nobody is configured")
	assert.Contains(t, topology.Roles(), topology.RoleConsole)
}
