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

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/ledger/sqlite"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
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
	t          testing.TB
	mu         sync.Mutex
	now        time.Time // see set
	run        pipeline.Runtime
	log        *logText
	topics     *memoryTopics
	state      *memoryState
	asks       *asks
	hasAPI     bool // the store has access to the API
	fates      *fates
	api        *rechargetest.Server
	bloomreach *bloomreachtest.Server
	texts      *smstest.Gateway
	driver     *anyDriver
	ledger     *openLedger
	gateway    http.Handler
	stages     []*pipeline.Stage
	read       map[string]int
	schemas    *schematest.Validator
}

func newWorld(t testing.TB, cfg storeConfig) *world {
	t.Helper()
	validator, err := schematest.New()
	require.NoError(t, err)
	w := &world{
		t: t, fates: &fates{}, log: &logText{}, read: map[string]int{}, schemas: validator,
		state: &memoryState{}, asks: &asks{},
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
	t.Cleanup(func() { w.log.requireDiscreet(t) })
	w.run = pipeline.Runtime{Producer: w.topics, Metrics: w.fates, Log: w.log.logger(), Now: w.clock}
	w.gateway = pipeline.NewGateway(gatewayConfig(), w.run).Handler()
	w.stages, err = pipeline.Stages(pipeline.Roles(), w.options(cfg), w.run)
	require.NoError(t, err)
	return w
}

func gatewayConfig() pipeline.GatewayConfig {
	return pipeline.GatewayConfig{
		Secrets: map[string][]string{store: {secret}}, BodyLimit: 16 << 10, PublishTimeout: time.Second, RetryAfter: 5 * time.Second,
	}
}

// clock is read by the simulators' goroutines too.
func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) set(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = now
}

func (w *world) later(by time.Duration) { w.set(w.clock().Add(by)) }

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
		w.hasAPI, built.Settings.API = true, true
	}
	if cfg.SMS {
		built.Texts = w.storeTexts(cfg)
	}
	texts, err := sqlite.Open(w.t.Context(), filepath.Join(w.t.TempDir(), "ledger.db"), ledger.Options{Now: w.clock})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { require.NoError(w.t, texts.Close()) })
	w.ledger = &openLedger{Ledger: texts}
	return pipeline.Options{Stores: []pipeline.Store{built}, Ledger: w.ledger, State: w.state, Raw: w.topics, Asker: w.asks}
}

// client has a budget of its own: a limit that the API sets is not waited for.
func (w *world) client() *recharge.Client {
	client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: w.api.URL, Token: "token"})
	require.NoError(w.t, err)
	return client
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
	w.driver = &anyDriver{Driver: w.gatewayDriver(w.texts.URL)}
	return &pipeline.Texts{
		Flows: flows, Driver: w.driver, DefaultRegion: "US",
		Shop: subscriber.Shop{
			Name: "Acme Coffee", URL: "https://acme.example", PortalURL: "https://{shop}/portal/{hash}",
			ActivationURL: "https://{shop}/activate", PaymentURL: "https://{shop}/portal/{hash}/payment",
		},
	}
}

// post sends a request through the door and lets everything behind it happen.
func (w *world) post(path string, header http.Header, body []byte) *httptest.ResponseRecorder {
	answer := w.knock(path, header, body)
	w.settle()
	return answer
}

// knock sends a request through the door, and nothing more.
func (w *world) knock(path string, header http.Header, body []byte) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	for key, values := range header {
		request.Header[key] = values
	}
	answer := httptest.NewRecorder()
	w.gateway.ServeHTTP(answer, request)
	return answer
}

// settle runs every stage over what it has not read. A record that waits is
// tried again once per call.
func (w *world) settle() {
	for again := true; again; again = w.answer() {
		for _, stage := range w.stages {
			_ = w.work(stage) // noted as a fate
		}
	}
	w.checkSchemas()
}

// work runs one stage over what it has not read, and returns why a record waits.
func (w *world) work(stage *pipeline.Stage) error {
	for _, topic := range stage.Topics {
		if err := w.workOn(stage, topic); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) workOn(stage *pipeline.Stage, topic string) error {
	at := stage.Group + " " + topic
	records := w.topics.since(topic, w.read[at])
	for len(records) > 0 {
		left, err := handle(w.t.Context(), stage, w.run.Producer, records)
		w.read[at] += len(records) - len(left)
		records = left
		if err != nil {
			w.fates.wait(stage.Role, err)
			return err
		}
	}
	return nil
}

// handle gives a stage a batch once, and returns how many records are done.
func (w *world) handle(stage *pipeline.Stage, records []kafka.Record) (int, error) {
	left, err := handle(w.t.Context(), stage, w.run.Producer, records)
	return len(records) - len(left), err
}

// handle gives a stage a batch once, as a consumer does, and returns what is left of it. Outputs of a transaction are
// written when the stage has said all of them, or nothing is done.
func handle(ctx context.Context, stage *pipeline.Stage, to pipeline.Producer, batch []kafka.Record) ([]kafka.Record, error) {
	if stage.Transactor == nil {
		finished, err := stage.Handle(ctx, batch)
		return finished.Left(batch), err
	}
	out, err := stage.Transform(ctx, batch)
	if len(out.Outputs) > 0 {
		if err := to.Produce(ctx, out.Outputs...); err != nil {
			out.Ended(err)
			return batch, err
		}
	}
	if out.Done > 0 {
		out.Ended(nil)
	}
	for again := out.Again; again && err == nil; {
		again, err = sweepOnce(ctx, stage, to)
	}
	return batch[out.Done:], err
}

// sweepOnce lets a stage do what no record is for, as a consumer does.
func sweepOnce(ctx context.Context, stage *pipeline.Stage, to pipeline.Producer) (again bool, err error) {
	out, err := stage.Sweep(ctx, 0)
	if err != nil || len(out.Outputs) == 0 {
		return false, err
	}
	err = to.Produce(ctx, out.Outputs...)
	out.Ended(err)
	return out.Again, err
}

// stage is the one of that role.
func (w *world) stage(role pipeline.Role) *pipeline.Stage {
	for _, stage := range w.stages {
		if stage.Role == role {
			return stage
		}
	}
	require.Fail(w.t, "no such stage", role)
	return nil
}

// gatewayDriver sends texts to url.
func (w *world) gatewayDriver(url string) sms.Driver {
	driver, err := webhook.New(webhook.Options{URL: url, Secret: "sms-secret", Now: w.clock})
	require.NoError(w.t, err)
	return driver
}

// checkSchemas holds every record that carries a schema to it.
func (w *world) checkSchemas() {
	for _, topic := range []string{"recharge.events", "recharge.sms-triggers", "recharge.customers", "recharge.subscriptions"} {
		for _, r := range w.topics.since(topic, 0) {
			if r.Value == nil {
				continue
			}
			require.NoError(w.t, w.schemas.Check(r.Header(pipeline.HeaderDataSchema), r.Value))
			require.NotEmpty(w.t, r.Header(pipeline.HeaderTraceparent))
		}
	}
}
