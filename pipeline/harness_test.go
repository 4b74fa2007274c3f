package pipeline_test

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate/customerstatetest"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/httplimit"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/sender"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry/telemetrytest"
	"github.com/rechargeflow/rechargeflow/pkg/texts"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/schemas/schematest"
)

const (
	store  = "acme"
	secret = "rc_client_secret_test"
)

// storeConfig is the store.yaml of a golden case.
type storeConfig struct {
	CustomerID     string   `yaml:"customer_id"`
	ActiveProperty *bool    `yaml:"active_property"`
	SMS            bool     `yaml:"sms"`
	Flows          []string `yaml:"flows"` // active
	Text           string   `yaml:"text"`  // replaces the text of those flows
	NoAPI          bool     `yaml:"no_api"`
	APIDown        int      `yaml:"api_down"` // how many calls fail with 503
	Reject         string   `yaml:"reject"`   // how Bloomreach refuses every command
	Firewall       string   `yaml:"firewall"` // what a firewall in front of Bloomreach refuses with a page
	Blocked        string   `yaml:"blocked"`  // the number that the SMS gateway answers 403 to
	KafkaDown      bool     `yaml:"kafka_down"`
	PerDay         int      `yaml:"texts_per_day"`
	OptOutText     string   `yaml:"opt_out_text"`
	PauseByDate    bool     `yaml:"pause_by_date"`
	ResumeByDate   bool     `yaml:"resume_by_date"`
	FirstOrders    bool     `yaml:"first_orders"`
	NewAccounts    bool     `yaml:"new_accounts"`
	Currency       string   `yaml:"currency"`
	Extras         []string `yaml:"extras"`
	Profile        []string `yaml:"profile"`
	SecondIDName   string   `yaml:"second_id_name"`
	// Destination is what the SMS gateway does itself.
	Destination texts.Destination `yaml:"-"`
}

// produceFunc is Runtime.Produce.
type produceFunc func(context.Context, ...kafka.Record) error

// world is the whole pipeline in one goroutine, with simulators at its ends and
// topics in memory. When post returns, all roles have handled what the webhook caused.
type world struct {
	t          testing.TB
	mu         sync.Mutex
	now        time.Time // see set
	run        pipeline.Runtime
	log        *logText
	topics     *memoryTopics
	state      *customerstatetest.Memory
	lookups    *requests
	hasAPI     bool // the store has access to the API
	outcomes   *outcomes
	api        *rechargetest.Server
	bloomreach *bloomreachtest.Server
	texts      *smstest.Gateway
	driver     swappableDriver
	textState  *textMemory
	sender     *sender.Sender
	built      pipeline.Options
	optedOut   map[string]bool
	sending    sending.Settings
	gateway    http.Handler
	stages     []*stage.Stage
	read       map[string]int            // position by group and topic
	ahead      map[string]map[int64]bool // finished behind the position
	schemas    *schematest.Validator
	checked    map[string]int // records by topic
	unchecked  bool           // the test writes records that fit no schema
}

// validators compiles the schemas once: property tests have a thousand worlds.
var validators = sync.OnceValues(schematest.New)

func newWorld(t testing.TB, cfg storeConfig) *world {
	t.Helper()
	validator, err := validators()
	require.NoError(t, err)
	w := &world{
		t: t, outcomes: &outcomes{}, log: &logText{}, read: map[string]int{}, checked: map[string]int{}, ahead: map[string]map[int64]bool{}, schemas: validator,
		state: &customerstatetest.Memory{}, lookups: &requests{},
		topics: &memoryTopics{down: cfg.KafkaDown, records: map[string][]kafka.Record{}},
		api:    rechargetest.NewServer("token"), bloomreach: bloomreachtest.New(),
		now: time.Date(2026, 3, 1, 10, 0, 5, 0, time.UTC),
	}
	w.texts = smstest.New("sms-secret", w.clock)
	w.sending = sending.Settings{QuietHours: sending.QuietHours{Hours: quiethours.Default()}, TextsPerDay: cfg.PerDay}
	t.Cleanup(w.api.Close)
	t.Cleanup(w.bloomreach.Close)
	t.Cleanup(w.texts.Close)
	w.api.FailNext(cfg.APIDown, http.StatusServiceUnavailable, `{"error":"third party timeout"}`)
	if cfg.Reject != "" {
		w.bloomreach.RejectWhen(func(bloomreachtest.Command) []string { return []string{cfg.Reject} })
	}
	if cfg.Firewall != "" {
		w.bloomreach.BlockWhen(func(body string) bool { return strings.Contains(body, cfg.Firewall) }, bloomreachtest.FirewallPage())
	}
	if cfg.Blocked != "" {
		w.texts.ForNumber(cfg.Blocked, smstest.Blocked())
	}
	t.Cleanup(func() {
		w.log.requireNoPersonalData(t)
		require.NoError(t, telemetrytest.CheckKeys(w.log.String()))
	})
	w.run = pipeline.Runtime{Produce: w.topics.Produce, Metrics: w.outcomes, Log: w.log.logger(), Now: w.clock}
	w.gateway = pipeline.NewGateway(gatewayConfig(), w.run).Handler()
	w.stages, err = pipeline.Stages(topology.Roles(), w.options(cfg), w.run)
	require.NoError(t, err)
	return w
}

func gatewayConfig() pipeline.GatewayConfig {
	return pipeline.GatewayConfig{
		Admission: admission.Config{
			Stores: map[string]admission.Store{store: {Secrets: []string{secret}}}, BodyLimit: 16 << 10, Bodies: httplimit.NewBudget(4 << 20),
		},
		PublishTimeout: time.Second, RetryAfter: 5 * time.Second,
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
		Store: store, CustomerID: subscriber.ByEmail,
		ActiveProperty: cfg.ActiveProperty == nil || *cfg.ActiveProperty, SMS: cfg.SMS,
		Switches: subscriber.Switches{PauseByDate: cfg.PauseByDate, ResumeByDate: cfg.ResumeByDate, FirstOrders: cfg.FirstOrders, NewAccounts: cfg.NewAccounts},
		Currency: cfg.Currency, Extras: cfg.Extras, Profile: cfg.Profile,
	}
	if cfg.CustomerID != "" {
		settings.CustomerID = subscriber.IDChoice(cfg.CustomerID)
	}
	built := pipeline.Store{Settings: settings, Tracker: w.tracker(), CustomerIDName: "registered", SecondIDName: cfg.SecondIDName}
	if !cfg.NoAPI {
		w.hasAPI, built.Settings.API = true, true
	}
	if cfg.SMS {
		built.Texts = w.storeTexts(cfg)
	}
	w.textState = &textMemory{}
	w.sender = w.newSender(func(call func()) { call() })
	w.built = pipeline.Options{Stores: []pipeline.Store{built}, TextState: w.textState, Sender: w.sender, State: w.customers(), Raw: w.topics}
	return w.built
}

// client has a rate limiter of its own: it does not wait for the API's limit.
func (w *world) client() *recharge.Client {
	client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: w.api.URL, Token: "token"})
	require.NoError(w.t, err)
	return client
}

// tracker is a client with a clock of its own, on which a minute passes with each look: it never waits after failures.
func (w *world) tracker() *bloomreach.Client {
	looks := 0
	client, err := bloomreach.New(bloomreach.Config{
		Now: func() time.Time {
			looks++
			return w.clock().Add(time.Duration(looks) * time.Minute)
		},
		BaseURL: w.bloomreach.BaseURL(), ProjectToken: bloomreachtest.ProjectToken,
		Auth: bloomreach.PrivateKey(bloomreachtest.KeyID, bloomreachtest.KeySecret),
	})
	require.NoError(w.t, err)
	return client
}

func (w *world) storeTexts(cfg storeConfig) *texts.Store {
	defaults, err := flow.Defaults()
	require.NoError(w.t, err)
	flows := map[flow.Key]flow.Flow{}
	for _, f := range defaults {
		if f.Active = slices.Contains(cfg.Flows, string(f.Key)); f.Active {
			f.Text = cmp.Or(cfg.Text, f.Text)
		}
		flows[f.Key] = f
	}
	w.driver = swappableDriver{Driver: w.gatewayDriver(w.texts.URL)}
	zones, err := quiethours.NewFinder("America/New_York", "")
	require.NoError(w.t, err)
	return &texts.Store{
		Flow:          func(key flow.Key) flow.Flow { return flows[key] },
		Sending:       func() sending.Settings { return w.sending },
		DefaultRegion: "US", Zones: zones, Lease: sender.Lease(10*time.Second, sms.Abilities{}), CallWithin: sender.BeginWithin,
		MayText: w.mayText, Destination: cfg.Destination, Help: "help at {{ shop.url }}. Reply STOP to opt out.",
		Shop: flow.Shop{
			Name: "Acme Coffee", URL: "https://acme.example", PortalURL: "https://{shop}/portal/{hash}",
			ActivationURL: "https://{shop}/activate", PaymentURL: "https://{shop}/portal/{hash}/payment", OptOut: cfg.OptOutText,
		},
	}
}

// mayText reports that nobody has opted out but those in w.optedOut.
func (w *world) mayText(number string) (reason.Reason, bool) {
	if w.optedOut[number] {
		return reason.OptedOut, false
	}
	return "", true
}

// newSender returns a sender whose calls are run by a function.
func (w *world) newSender(run func(call func())) *sender.Sender {
	return sender.New(sender.Config{
		Role: string(topology.RoleSMS), Lanes: map[string]sender.Lane{store: {Driver: &w.driver, AtOnce: 10}}, Write: pipeline.WriteReceipt(w.run),
		Metrics: w.outcomes, Log: w.log.logger(), Now: w.clock, Go: run,
	})
}

// restartSender restarts the sms stage with such a sender.
func (w *world) restartSender(run func(call func())) {
	w.sender = w.newSender(run)
	w.built.Sender = w.sender
	stages, err := pipeline.Stages(topology.Roles(), w.built, w.run)
	require.NoError(w.t, err)
	w.stages = stages
}

// goTo moves the clock, and has what is due before done.
func (w *world) goTo(at time.Time) {
	if w.stages != nil && at.Sub(w.clock()) > 61*time.Second {
		w.release()
	}
	w.set(at)
}

// release lets the windows of the flows pass, so that planned texts are due.
func (w *world) release() {
	w.later(61 * time.Second)
	w.handleAll()
}

// sendPlanned lets the windows of the flows pass for the sms stage only.
func (w *world) sendPlanned() {
	w.later(61 * time.Second)
	for _, stage := range w.stages {
		if stage.Role == string(topology.RoleSMS) {
			w.punctuate(stage)
		}
	}
}

// post sends a request to the gateway, and runs all stages.
func (w *world) post(path string, header http.Header, body []byte) *httptest.ResponseRecorder {
	answer := w.request(path, header, body)
	w.handleAll()
	return answer
}

// request sends a request to the gateway.
func (w *world) request(path string, header http.Header, body []byte) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	for key, values := range header {
		request.Header[key] = values
	}
	answer := httptest.NewRecorder()
	w.gateway.ServeHTTP(answer, request)
	return answer
}

// handleAll runs every stage on its new records. A record that waits is handled
// again once per call.
func (w *world) handleAll() {
	for again := true; again; again = w.answer() {
		for _, stage := range w.stages {
			_ = w.runStage(stage) // recorded as an outcome
			if stage.Role == string(topology.RoleSMS) {
				w.punctuate(stage)
			}
		}
	}
	w.checkSchemas()
}

// runStage runs one stage on its new records, and returns why a record waits.
func (w *world) runStage(stage *stage.Stage) error {
	for _, topic := range stage.Topics {
		if err := w.consume(stage, topic); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) consume(stage *stage.Stage, topic string) error {
	at := stage.Group + " " + topic
	for { // until it has handled the records that it wrote to its own topic, too
		records := w.unfinished(at, topic)
		if len(records) == 0 {
			return nil
		}
		left, err := handle(w.t.Context(), stage, w.run.Produce, records)
		w.finish(at, records, left)
		if err != nil {
			w.outcomes.wait(topology.Role(stage.Role), err)
			return err
		}
	}
}

// unfinished returns a group's records of a topic that are not finished.
func (w *world) unfinished(at, topic string) []kafka.Record {
	return slices.DeleteFunc(slices.Clone(w.topics.since(topic, w.read[at])), func(r kafka.Record) bool { return w.ahead[at][r.Offset] })
}

// finish moves a group's position to its first unfinished record, and remembers those that are finished behind it.
func (w *world) finish(at string, records, left []kafka.Record) {
	if w.ahead[at] == nil {
		w.ahead[at] = map[int64]bool{}
	}
	for _, r := range records {
		w.ahead[at][r.Offset] = !slices.ContainsFunc(left, func(l kafka.Record) bool { return l.Offset == r.Offset })
	}
	for w.ahead[at][int64(w.read[at])] {
		w.read[at]++
	}
}

// handle gives a stage a batch once, and returns how many records are done.
func (w *world) handle(stage *stage.Stage, records []kafka.Record) (int, error) {
	left, err := handle(w.t.Context(), stage, w.run.Produce, records)
	return len(records) - len(left), err
}

// handle gives a stage a batch once, as a consumer does, and returns the records to handle again. Outputs of a transaction
// are written together or not at all.
func handle(ctx context.Context, stage *stage.Stage, to produceFunc, batch []kafka.Record) ([]kafka.Record, error) {
	if stage.Transactor == nil {
		finished, err := stage.Handle(ctx, batch)
		return unfinished(batch, finished), err
	}
	out, err := stage.Transform(ctx, batch)
	if len(out.Outputs) > 0 {
		if err := to(ctx, out.Outputs...); err != nil {
			out.OnEnd(err)
			return batch, err
		}
	}
	if out.Finished > 0 {
		out.OnEnd(nil)
	}
	for again := out.PunctuateSoon; again && err == nil; {
		again, err = punctuateOnce(ctx, stage, to)
	}
	return batch[out.Finished:], err
}

// punctuateOnce calls a stage's Punctuate, as a consumer does.
func punctuateOnce(ctx context.Context, stage *stage.Stage, to produceFunc) (again bool, err error) {
	out, err := stage.Punctuate(ctx, 0)
	if err != nil || len(out.Outputs) == 0 {
		return false, err
	}
	err = to(ctx, out.Outputs...)
	out.OnEnd(err)
	return out.PunctuateSoon, err
}

// punctuate does the work of a stage that is due by time, and what follows from it, until nothing changes.
func (w *world) punctuate(stage *stage.Stage) {
	for changes := -1; changes != len(w.topics.since("recharge.messages", 0)); {
		changes = len(w.topics.since("recharge.messages", 0))
		if _, err := punctuateOnce(w.t.Context(), stage, w.run.Produce); err != nil {
			return // Kafka is down
		}
		_ = w.runStage(stage) // recorded as an outcome
	}
}

// stage returns the stage of a role.
func (w *world) stage(role topology.Role) *stage.Stage {
	for _, stage := range w.stages {
		if stage.Role == string(role) {
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

// checkSchemas validates every new record that names a schema.
func (w *world) checkSchemas() {
	for _, topic := range []string{
		"recharge.events", "recharge.sms-triggers", "recharge.customers", "recharge.subscriptions", "recharge.messages", "recharge.message-texts",
		"recharge.sms-receipts", "recharge.links",
	} {
		records := w.topics.since(topic, w.checked[topic])
		w.checked[topic] += len(records)
		for _, r := range records {
			if r.Value == nil || w.unchecked {
				continue
			}
			require.NoError(w.t, w.schemas.Check(r.Header(envelope.HeaderCEDataSchema), r.Value))
			require.NotEmpty(w.t, r.Header(envelope.HeaderTraceparent))
		}
	}
}

// unfinished returns the records of a batch that a handler has not finished.
func unfinished(batch []kafka.Record, f kafka.Finished) []kafka.Record {
	var left []kafka.Record
	for i, r := range batch {
		if i >= f.First && !slices.Contains(f.Others, i) {
			left = append(left, r)
		}
	}
	return left
}
