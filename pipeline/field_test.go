package pipeline_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// fieldDir has cases modelled on public reports of what went wrong elsewhere. It is not part of the repository.
const fieldDir = "../../shared/samples/field"

// fieldWant is what must come of a case; see testdata/field.yaml.
type fieldWant struct {
	Extras   []string        `yaml:"extras"`   // tracked facts, besides the store's settings
	Texts    []string        `yaml:"texts"`    // regular expressions, one per text: "+15035550100 charge_paid: ..."
	Events   []string        `yaml:"events"`   // "subscription created", in order; without properties
	Active   map[string]bool `yaml:"active"`   // recharge_subscription_active by e-mail, at the end
	Absent   []string        `yaml:"absent"`   // must not occur in what Bloomreach received or in a text
	Present  []string        `yaml:"present"`  // must occur there
	Outcomes []string        `yaml:"outcomes"` // must be among the outcomes
	Tables   []string        `yaml:"tables"`   // must not occur in the last rows of the tables
	Not      []string        `yaml:"not"`      // must not be among the outcomes
	Commands int             `yaml:"commands"` // events and updates of properties that Bloomreach received; 0 is any number
}

// TestField plays each case through the whole pipeline.
func TestField(t *testing.T) {
	files, err := filepath.Glob(fieldDir + "/*.json")
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("no cases from the field at ../shared/samples/field, seen from the repository")
	}
	raw, err := os.ReadFile("testdata/field.yaml")
	require.NoError(t, err)
	var wants map[string]fieldWant
	require.NoError(t, yaml.Unmarshal(raw, &wants))
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			want, known := wants[name]
			require.True(t, known, "testdata/field.yaml says what must come of it")
			c := readField(t, file)
			if len(c.Steps) == 0 {
				input, special := fieldInputs()[name]
				require.True(t, special, "a case without steps has a function")
				input(t, c.Input)
				return
			}
			c.play(t, want.Extras).requires(want)
		})
	}
}

// fieldCase is a case of webhooks.
type fieldCase struct {
	Store         map[string]any               `json:"store"`
	Customers     []json.RawMessage            `json:"customers"`
	Subscriptions map[string][]json.RawMessage `json:"subscriptions"` // by customer
	Input         fieldInput                   `json:"input"`         // of a case without steps
	Steps         []struct {
		Kind  string          `json:"kind"`
		Topic string          `json:"topic"`
		At    time.Time       `json:"at"`
		Body  json.RawMessage `json:"body"` // of a webhook: an object, or a string with the bytes
	} `json:"steps"`
}

// fieldInput is what a case does that is not a list of webhooks.
type fieldInput struct {
	Post  string          `json:"POST"`  // a path
	Topic string          `json:"topic"` // of Recharge, or of Kafka
	Body  json.RawMessage `json:"body"`
	Value string          `json:"value"` // of a record
	Key   string          `json:"key"`
}

func readField(t *testing.T, file string) fieldCase {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var c fieldCase
	require.NoError(t, json.Unmarshal(raw, &c))
	return c
}

// play runs a case with additional extras.
func (c fieldCase) play(t *testing.T, extras []string) *world {
	t.Helper()
	settings, err := yaml.Marshal(c.Store)
	require.NoError(t, err)
	var cfg storeConfig
	require.NoError(t, yaml.Unmarshal(settings, &cfg))
	cfg.Extras = append(cfg.Extras, extras...)
	w := newWorld(t, cfg)
	for _, customer := range c.Customers {
		var id struct {
			ID json.Number `json:"id"`
		}
		require.NoError(t, json.Unmarshal(customer, &id))
		w.api.PutCustomer(id.ID.String(), fmt.Appendf(nil, `{"customer":%s}`, customer))
	}
	for _, list := range c.Subscriptions {
		for _, s := range list {
			require.NoError(t, w.api.Put(fmt.Appendf(nil, `{"subscription":%s}`, s)))
		}
	}
	for _, step := range c.Steps {
		if step.At.After(w.clock()) {
			w.goTo(step.At)
		}
		if step.Kind == "wait" {
			if len(step.Body) > 0 {
				w.putSubscriptions(step.Body)
			}
			w.handleAll()
			continue
		}
		body := []byte(step.Body)
		var text string
		if json.Unmarshal(body, &text) == nil {
			body = []byte(text)
		}
		answer := w.post("/webhooks/"+store+"/"+step.Topic, w.signed(body), body)
		require.Equal(t, 200, answer.Code, answer.Body)
	}
	w.release()
	return w
}

// fieldInputs are the cases that are not lists of webhooks.
func fieldInputs() map[string]func(*testing.T, fieldInput) {
	return map[string]func(*testing.T, fieldInput){
		"40-trailing-slash-in-the-registered-address":    fieldSlash,
		"41-firewall-403-for-one-event":                  fieldFirewall,
		"42-sms-gateway-403-for-one-recipient":           fieldOneNumber,
		"43-record-without-headers-in-recharge.webhooks": fieldNoHeaders,
	}
}

func fieldSlash(t *testing.T, input fieldInput) {
	w := newWorld(t, storeConfig{})
	body := fieldWebhook(1, "")
	assert.Equal(t, http.StatusOK, w.post(input.Post, w.signed(body), body).Code)
	assert.Equal(t, []string{"subscription created"}, w.eventNames())
}

func fieldFirewall(t *testing.T, input fieldInput) {
	w := newWorld(t, storeConfig{Firewall: "DROP TABLE"})
	body := bytes.ReplaceAll(input.Body, []byte("<now>"), []byte("2026-03-01T10:00:00+00:00"))
	w.post("/webhooks/acme/"+input.Topic, w.signed(body), body)
	for n := range 3 {
		body := fieldWebhook(n+1, "")
		w.post("/webhooks/acme/subscription/created", w.signed(body), body)
	}
	w.later(time.Minute)
	w.handleAll()
	assert.Equal(t, []string{"subscription created", "subscription created", "subscription created"}, w.eventNames())
	require.Len(t, w.topics.since("recharge.deadletter.tracking", 0), 1)
	assert.Contains(t, string(w.topics.since("recharge.deadletter.tracking", 0)[0].Value), "DROP TABLE")
}

func fieldOneNumber(t *testing.T, _ fieldInput) {
	const refused = "+15035550123"
	w := newWorld(t, storeConfig{SMS: true, Flows: []string{"subscription_started"}, Blocked: refused})
	for n := range 41 {
		body := fieldWebhook(n+1, fmt.Sprintf("+150355501%02d", n+23))
		w.post("/webhooks/acme/subscription/created", w.signed(body), body)
	}
	w.settle(2 * time.Minute)
	assert.Len(t, w.texts.Texts(), 40)
	assert.Equal(t, map[message.Status]int{message.Accepted: 40, message.Rejected: 1}, w.statuses())
	assert.Equal(t, []bool{false}, w.outcomes.pauses[len(w.outcomes.pauses)-1:], "paused at the end")
}

func fieldNoHeaders(t *testing.T, input fieldInput) {
	w := newWorld(t, storeConfig{})
	w.produce(kafka.Record{Topic: input.Topic, Key: []byte(input.Key), Value: []byte(input.Value)})
	body := fieldWebhook(1, "")
	w.post("/webhooks/acme/subscription/created", w.signed(body), body)
	letters := w.topics.since("recharge.deadletter.transformer", 0)
	require.Len(t, letters, 1)
	assert.Equal(t, "malformed", letters[0].Header(deadletter.HeaderReason))
	assert.Contains(t, letters[0].Header(deadletter.HeaderError), "store")
	assert.Equal(t, []string{"subscription created"}, w.eventNames())
}

// fieldWebhook is a subscription/created of a customer with a phone number.
func fieldWebhook(customer int, phone string) []byte {
	return fmt.Appendf(nil, `{"subscription":{"id":%d,"customer_id":%d,"status":"active","product_title":"House Blend",
"created_at":"2026-03-01T10:00:00+00:00","updated_at":"2026-03-01T10:00:00+00:00"},
"customer":{"id":%d,"email":"customer%d@example.com","phone":"%s","first_name":"Jo","hash":"f%d"}}`,
		customer+500, customer, customer, customer, phone, customer)
}

func (w *world) requires(want fieldWant) {
	w.t.Helper()
	var texts []string
	for _, m := range w.texts.Texts() {
		texts = append(texts, fmt.Sprintf("%s %s: %s", m.To, m.Flow, m.Body))
	}
	require.Len(w.t, texts, len(want.Texts), "%v\n%v", texts, w.outcomes.all())
	for i, pattern := range want.Texts {
		assert.Regexp(w.t, pattern, texts[i])
	}
	if want.Events != nil {
		assert.Equal(w.t, want.Events, w.eventNames())
	}
	for email, active := range want.Active {
		customer, found := w.bloomreach.Customer("registered", email)
		require.True(w.t, found, "profile %s", email)
		assert.Equal(w.t, active, customer[subscriber.PropertyActive], email)
	}
	if want.Commands > 0 {
		assert.Len(w.t, w.bloomreach.Received(), want.Commands)
	}
	assert.Zero(w.t, w.bloomreach.Deduplicated())
	assert.Empty(w.t, w.letters(), "dead letters of the tracking sink")
	w.requirePropertiesFit()
	out, outcomes := w.tracked()+strings.Join(texts, "\n"), w.outcomes.all()
	for _, text := range want.Absent {
		assert.NotContains(w.t, out, text)
	}
	for _, text := range want.Present {
		assert.Contains(w.t, out, text)
	}
	for _, line := range want.Outcomes {
		assert.Contains(w.t, outcomes, line)
	}
	for _, line := range want.Not {
		assert.NotContains(w.t, outcomes, line)
	}
	for _, text := range want.Tables {
		assert.NotContains(w.t, w.lastRows(), text)
	}
}

// requirePropertiesFit checks that each value is below Bloomreach's limit of 16 KB.
func (w *world) requirePropertiesFit() {
	for _, c := range w.bloomreach.Received() {
		var command struct {
			Properties map[string]json.RawMessage `json:"properties"`
		}
		require.NoError(w.t, json.Unmarshal(c.Data, &command))
		for name, value := range command.Properties {
			assert.Less(w.t, len(value), 16<<10, name)
		}
	}
}

// eventNames lists the events that Bloomreach received: type and status.
func (w *world) eventNames() []string {
	names := []string{}
	for _, c := range w.bloomreach.Received() {
		if c.Name != "customers/events" {
			continue
		}
		var e struct {
			Type       string `json:"event_type"`
			Properties struct {
				Status string `json:"status"`
			} `json:"properties"`
		}
		require.NoError(w.t, json.Unmarshal(c.Data, &e))
		names = append(names, strings.TrimSpace(e.Type+" "+e.Properties.Status))
	}
	return names
}

// lastRows returns the last row of each key of the tables.
func (w *world) lastRows() string {
	last := map[string]kafka.Record{}
	for _, topic := range []string{"recharge.customers", "recharge.subscriptions"} {
		for _, r := range w.topics.since(topic, 0) {
			last[topic+string(r.Key)] = r
		}
	}
	var rows strings.Builder
	for _, r := range last {
		rows.Write(r.Value)
	}
	return rows.String()
}
