package callback_test

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/rechargeflow/rechargeflow/pkg/callback"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/httplimit"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/telnyx"
	"github.com/rechargeflow/rechargeflow/pkg/sms/telnyx/telnyxtest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/twilio"
	"github.com/rechargeflow/rechargeflow/pkg/sms/twilio/twiliotest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
	"github.com/rechargeflow/rechargeflow/schemas/schematest"
)

const (
	secret = "gateway-secret"
	number = "+14155552671"
	textID = "9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// bench is a handler whose Kafka is memory. Stores: acme; beta, whose secret the gateway lacks; delta, which answers HELP;
// omega and sigma, of Twilio, of which sigma answers HELP; tau, of Telnyx.
type bench struct {
	t       *testing.T
	handler *callback.Handler
	restart func() // of the gateway, which forgets what it has stored
	now     time.Time
	fail    error
	bodies  *httplimit.Budget
	log     bytes.Buffer

	mu      sync.Mutex
	records []kafka.Record
	counted []string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, now: noon, bodies: httplimit.NewBudget(1 << 20)}
	core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&b.log), zap.DebugLevel)
	config := callback.Config{
		Stores: map[string]callback.Store{
			"acme":  {Provider: "webhook", Receiver: webhook.NewReceiver("acme", secret), Secret: "sms.webhook.secret"},
			"beta":  {Provider: "webhook"},
			"omega": {Provider: "twilio", Receiver: twilioReceiver(t, twilioAddress)},
			"tau":   {Provider: "telnyx", Receiver: telnyxReceiver(t, telnyxAddress)},
			"sigma": {Provider: "twilio", Receiver: twilioReceiver(t, strings.Replace(twilioAddress, "omega", "sigma", 1)), Help: true, HelpKey: []byte("key")},
			"delta": {Provider: "webhook", Receiver: webhook.NewReceiver("delta", secret), Help: true},
		},
		Bodies: b.bodies, Topics: callback.Topics{Consent: "consent", Receipts: "receipts"}, Partitions: 12,
		Produce: b.produce, PublishTimeout: time.Second, RetryAfter: 5 * time.Second, Metrics: b, Log: zap.New(core),
		Now: func() time.Time { return b.now },
	}
	b.restart = func() { b.handler = callback.New(config) }
	b.restart()
	t.Cleanup(func() {
		assert.Zero(t, b.bodies.Used())
		for _, private := range []string{"4155552671", secret, "v1="} {
			assert.NotContains(t, b.log.String(), private)
		}
	})
	return b
}

func twilioReceiver(t *testing.T, address string) sms.Receiver {
	t.Helper()
	r, err := twilio.NewReceiver(address, twiliotest.SampleAccount().AuthToken)
	require.NoError(t, err)
	return r
}

func telnyxReceiver(t *testing.T, address string) sms.Receiver {
	t.Helper()
	account := telnyxtest.SampleAccount()
	r, err := telnyx.NewReceiver(telnyx.Sender{CallbackURL: address, From: account.From[0]}, account.PublicKey())
	require.NoError(t, err)
	return r
}

func (b *bench) produce(_ context.Context, records ...kafka.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail == nil {
		b.records = append(b.records, records...)
	}
	return b.fail
}

// Callback counts one.
func (b *bench) Callback(store, kind, outcome, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counted = append(b.counted, strings.Join(strings.Fields(strings.Join([]string{store, kind, outcome, why}, " ")), " "))
}

// send sends a request and returns the status and the body of the answer.
func (b *bench) send(r *http.Request) (int, string) {
	answer := httptest.NewRecorder()
	b.handler.ServeHTTP(answer, r)
	return answer.Code, answer.Body.String()
}

// accept sends a callback that must be accepted.
func (b *bench) accept(c smstest.Callback) {
	b.t.Helper()
	status, answer := b.send(c.Request(secret, b.now))
	require.Equal(b.t, http.StatusOK, status, answer)
	require.Empty(b.t, answer)
}

// statuses returns who may be texted by the records, as a compacted topic would hold them.
func (b *bench) statuses() map[string]consent.Status {
	rows := map[string]consent.Change{}
	for _, r := range b.records {
		if r.Topic == "consent" {
			c, err := consent.Decode(r.Value)
			require.NoError(b.t, err)
			require.Equal(b.t, c.Key(), string(r.Key))
			rows[string(r.Key)] = c
		}
	}
	found := map[string]consent.Status{}
	for _, c := range consent.Newest(sorted(rows)) {
		found[c.Number] = c.Status
	}
	return found
}

func sorted(rows map[string]consent.Change) iter.Seq2[string, consent.Change] {
	return func(yield func(string, consent.Change) bool) {
		for _, key := range slices.Sorted(maps.Keys(rows)) {
			if !yield(key, rows[key]) {
				return
			}
		}
	}
}

// validate checks the records against their schemas.
func (b *bench) validate() {
	b.t.Helper()
	schemas, err := schematest.New()
	require.NoError(b.t, err)
	for _, r := range b.records {
		require.NoError(b.t, schemas.Check(r.Header(envelope.HeaderCEDataSchema), r.Value))
	}
}

// only returns the only record, whose value is decoded.
func (b *bench) only(value any) kafka.Record {
	b.t.Helper()
	b.validate()
	require.Len(b.t, b.records, 1)
	require.NoError(b.t, json.Unmarshal(b.records[0].Value, value))
	return b.records[0]
}
