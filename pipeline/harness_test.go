package pipeline_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/ledger/sqlite"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/schemas/schematest"
)

const (
	store  = "acme"
	secret = "rc_client_secret_test"
)

// storeConfig is what a golden case may say about its store.
type storeConfig struct {
	CustomerID     string   `yaml:"customer_id"`
	ActiveProperty *bool    `yaml:"active_property"`
	SMS            bool     `yaml:"sms"`
	Flows          []string `yaml:"flows"` // switched on
	Text           string   `yaml:"text"`  // replaces the text of those flows
	NoAPI          bool     `yaml:"no_api"`
	APIDown        int      `yaml:"api_down"` // so many calls fail with 503
	Reject         string   `yaml:"reject"`   // what Bloomreach says to every command
	KafkaDown      bool     `yaml:"kafka_down"`
}

// world is the whole pipeline in one goroutine, with simulators at its ends and
// memory for topics: what one webhook sets off has happened when post returns.
type world struct {
	t          *testing.T
	now        time.Time
	topics     *memoryTopics
	fates      *fates
	api        *rechargetest.Server
	bloomreach *bloomreachtest.Server
	texts      *smstest.Gateway
	gateway    http.Handler
	stages     []*pipeline.Stage
	read       map[string]int
	schemas    *schematest.Validator
}

func newWorld(t *testing.T, cfg storeConfig) *world {
	t.Helper()
	validator, err := schematest.New()
	require.NoError(t, err)
	w := &world{
		t: t, fates: &fates{}, read: map[string]int{}, schemas: validator,
		topics: &memoryTopics{down: cfg.KafkaDown, records: map[string][]kafka.Record{}},
		api:    rechargetest.NewServer("token"), bloomreach: bloomreachtest.New(),
		now: time.Date(2026, 3, 1, 10, 0, 5, 0, time.UTC),
	}
	w.texts = smstest.New("sms-secret", w.clock)
	t.Cleanup(w.api.Close)
	t.Cleanup(w.bloomreach.Close)
	t.Cleanup(w.texts.Close)
	w.api.FailNext(cfg.APIDown, http.StatusServiceUnavailable, `{"error":"third party timeout"}`)
	if cfg.Reject != "" {
		w.bloomreach.RejectWhen(func(bloomreachtest.Command) []string { return []string{cfg.Reject} })
	}
	run := pipeline.Runtime{Producer: w.topics, Metrics: w.fates, Log: zap.NewNop(), Now: w.clock}
	w.gateway = pipeline.NewGateway(pipeline.GatewayConfig{
		Secrets: map[string][]string{store: {secret}}, BodyLimit: 16 << 10, PublishTimeout: time.Second, RetryAfter: 5 * time.Second,
	}, run).Handler()
	w.stages, err = pipeline.Stages(pipeline.Roles(), w.options(cfg), run)
	require.NoError(t, err)
	return w
}

func (w *world) clock() time.Time { return w.now }

func (w *world) options(cfg storeConfig) pipeline.Options {
	settings := subscriber.Settings{
		Store: store, CustomerID: subscriber.ByEmail, CustomerIDName: "registered",
		ActiveProperty: cfg.ActiveProperty == nil || *cfg.ActiveProperty, SMS: cfg.SMS,
	}
	if cfg.CustomerID != "" {
		settings.CustomerID = subscriber.IDChoice(cfg.CustomerID)
	}
	built := pipeline.Store{Settings: settings, Tracker: w.tracker()}
	if !cfg.NoAPI {
		client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: w.api.URL, Token: "token"})
		require.NoError(w.t, err)
		built.Customers = client
	}
	if cfg.SMS {
		built.Texts = w.storeTexts(cfg)
	}
	texts, err := sqlite.Open(w.t.Context(), filepath.Join(w.t.TempDir(), "ledger.db"), ledger.Options{Now: w.clock})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { require.NoError(w.t, texts.Close()) })
	return pipeline.Options{Stores: []pipeline.Store{built}, Ledger: texts, CustomerCacheSize: 100, CustomerCacheTTL: 10 * time.Minute}
}

func (w *world) tracker() *bloomreach.Client {
	client, err := bloomreach.New(bloomreach.Config{
		BaseURL: w.bloomreach.BaseURL(), ProjectToken: bloomreachtest.ProjectToken,
		Auth: bloomreach.PrivateKey(bloomreachtest.KeyID, bloomreachtest.KeySecret),
	})
	require.NoError(w.t, err)
	return client
}

func (w *world) storeTexts(cfg storeConfig) *pipeline.Texts {
	flows, err := flow.Defaults()
	require.NoError(w.t, err)
	for i := range flows {
		for _, key := range cfg.Flows {
			if string(flows[i].Key) == key {
				flows[i].Active = true
				if cfg.Text != "" {
					flows[i].Text = cfg.Text
				}
			}
		}
	}
	driver, err := webhook.New(webhook.Options{URL: w.texts.URL, Secret: "sms-secret", Now: w.clock})
	require.NoError(w.t, err)
	return &pipeline.Texts{
		Flows: flows, Driver: driver, DefaultRegion: "US",
		Shop: pipeline.Shop{
			Name: "Acme Coffee", URL: "https://acme.example", PortalURL: "https://{shop}/portal/{hash}",
			ActivationURL: "https://{shop}/activate", PaymentURL: "https://{shop}/portal/{hash}/payment",
		},
	}
}

// post sends a request through the door and lets everything behind it happen.
func (w *world) post(path string, header http.Header, body []byte) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	for key, values := range header {
		request.Header[key] = values
	}
	answer := httptest.NewRecorder()
	w.gateway.ServeHTTP(answer, request)
	w.settle()
	return answer
}

// settle runs every stage over what it has not read. A record that waits is
// tried again once per call.
func (w *world) settle() {
	for _, stage := range w.stages {
		records := w.topics.since(stage.Topic, w.read[stage.Group])
		for len(records) > 0 {
			done, err := stage.Handle(w.t.Context(), records)
			w.read[stage.Group] += done
			records = records[done:]
			if err != nil {
				w.fates.wait(stage.Role, err)
				break
			}
		}
	}
	w.checkSchemas()
}

// checkSchemas holds every record that carries a schema to it.
func (w *world) checkSchemas() {
	for _, topic := range []string{"recharge.events", "recharge.sms-triggers"} {
		for _, r := range w.topics.since(topic, 0) {
			require.NoError(w.t, w.schemas.Check(r.Header(pipeline.HeaderDataSchema), r.Value))
			require.NotEmpty(w.t, r.Header(pipeline.HeaderTraceparent))
		}
	}
}

// memoryTopics is Kafka with one partition per topic.
type memoryTopics struct {
	mu      sync.Mutex
	down    bool
	records map[string][]kafka.Record
}

// Produce appends the records.
func (m *memoryTopics) Produce(_ context.Context, records ...kafka.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return context.DeadlineExceeded
	}
	for _, r := range records {
		r.Partition = 0
		r.Offset = int64(len(m.records[r.Topic]))
		m.records[r.Topic] = append(m.records[r.Topic], r)
	}
	return nil
}

func (m *memoryTopics) since(topic string, offset int) []kafka.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[topic][offset:]
}

// fates notes what is counted, in order.
type fates struct {
	mu    sync.Mutex
	lines []string
}

// Record notes one.
func (f *fates) Record(role, store, outcome, reason string) {
	line := role + " " + outcome
	if reason != "" {
		line += " " + reason
	}
	if store != "acme" {
		line += " (store " + store + ")"
	}
	f.add(line)
}

func (f *fates) wait(role pipeline.Role, err error) {
	f.add(string(role) + " waits: " + err.Error())
}

func (f *fates) add(line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines = append(f.lines, line)
}

// Ingest is part of pipeline.Metrics.
func (f *fates) Ingest(string, time.Duration) {}

// EndToEnd is part of pipeline.Metrics.
func (f *fates) EndToEnd(string, string, time.Duration) {}

// Paused notes only a pause.
func (f *fates) Paused(role, _ string, paused bool) {
	if paused {
		f.add(role + " paused")
	}
}
