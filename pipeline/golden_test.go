package pipeline_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"

	"github.com/rechargeflow/rechargeflow/pkg/backfill"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

var update = flag.Bool("update", false, "rewrite the expected sections of the golden cases")

// TestGolden runs the cases of testdata/*.txtar; testdata/README.md explains
// their format.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			require.NoError(t, err)
			given, wanted := split(t, archive)
			got := play(t, given)
			if *update {
				archive.Files = append(given, got...)
				require.NoError(t, os.WriteFile(file, txtar.Format(archive), 0o600))
				return
			}
			assert.Equal(t, text(wanted), text(got))
		})
	}
}

func wants() []string { return []string{"answers", "outcomes", "records", "bloomreach", "texts"} }

func split(t *testing.T, archive *txtar.Archive) (given, wanted []txtar.File) {
	for _, f := range archive.Files {
		if strings.Contains(" "+strings.Join(wants(), " ")+" ", " "+f.Name+" ") {
			wanted = append(wanted, f)
			continue
		}
		require.Regexp(t, `^(store\.yaml|(customers|subscriptions)/[0-9]+\.json|[0-9]+\.(webhook|wait|import|backfill))$`, f.Name, "no such section in a golden case")
		given = append(given, f)
	}
	return given, wanted
}

func text(files []txtar.File) string { return string(txtar.Format(&txtar.Archive{Files: files})) }

// play sends the webhooks of a case, and returns the sections of the outputs.
func play(t *testing.T, given []txtar.File) []txtar.File {
	t.Helper()
	w := newWorld(t, configOf(t, given))
	var answers strings.Builder
	for _, f := range given {
		if id, ok := strings.CutPrefix(f.Name, "customers/"); ok {
			w.api.PutCustomer(strings.TrimSuffix(id, ".json"), f.Data)
		}
		if strings.HasPrefix(f.Name, "subscriptions/") {
			w.putSubscriptions(f.Data)
		}
	}
	for _, f := range given {
		switch name, what, _ := strings.Cut(f.Name, "."); what {
		case "webhook":
			fmt.Fprintf(&answers, "%s %s\n", name, w.play(f.Data))
		case "wait":
			w.wait(f.Data)
		case "import":
			w.bring(f.Data)
		case "backfill":
			w.backfill(f.Data)
		}
	}
	w.sendPlanned()
	got := map[string]string{
		"answers": answers.String(), "outcomes": strings.Join(w.outcomes.lines, "\n"),
		"records": w.records(), "bloomreach": w.tracked(), "texts": w.texted(),
	}
	var files []txtar.File
	for _, name := range wants() {
		if content := strings.TrimSpace(got[name]); content != "" {
			files = append(files, txtar.File{Name: name, Data: []byte(content + "\n")})
		}
	}
	return files
}

func configOf(t *testing.T, given []txtar.File) storeConfig {
	t.Helper()
	var cfg storeConfig
	for _, f := range given {
		if f.Name == "store.yaml" {
			decoder := yaml.NewDecoder(bytes.NewReader(f.Data))
			decoder.KnownFields(true)
			require.NoError(t, decoder.Decode(&cfg))
		}
	}
	return cfg
}

// play sends one webhook file: settings, an empty line, the body.
func (w *world) play(raw []byte) string {
	head, body, _ := bytes.Cut(raw, []byte("\n\n"))
	var settings struct {
		Topic  string            `yaml:"topic"`
		Path   string            `yaml:"path"`
		At     time.Time         `yaml:"at"`
		Sign   string            `yaml:"sign"`
		Header map[string]string `yaml:"header"`
		Pad    int               `yaml:"pad"`
	}
	decodeYAML(w.t, head, &settings)
	if !settings.At.IsZero() {
		w.goTo(settings.At)
	}
	if settings.Path == "" {
		settings.Path = "/webhooks/" + store + "/" + settings.Topic
	}
	body = append(bytes.TrimSpace(body), bytes.Repeat([]byte(" "), settings.Pad)...)
	header := w.sign(settings.Sign, body)
	for key, value := range settings.Header {
		header.Set(key, value)
	}
	answer := w.post(settings.Path, header, body)
	line := strings.TrimSpace(fmt.Sprintf("%d %s", answer.Code, answer.Body))
	if after := answer.Header().Get("Retry-After"); after != "" {
		line += " Retry-After: " + after
	}
	return line
}

// wait moves the clock: settings, and after an empty line, if there is one, the API's subscriptions from then on.
func (w *world) wait(raw []byte) {
	body := w.until(raw)
	if len(body) > 0 {
		w.putSubscriptions(body)
	}
	w.handleAll()
}

// bring writes a record of an import: settings, an empty line, the body.
func (w *world) bring(raw []byte) {
	body := w.until(raw)
	known := w.lookup(body)
	known.Store, known.AnsweredAt = store, w.clock()
	record, err := backfill.CustomerRecord("recharge.webhooks", known)
	require.NoError(w.t, err)
	record.Value = body
	w.produce(record)
	w.handleAll()
}

// backfill writes a record of a backfill: settings, an empty line, the body.
func (w *world) backfill(raw []byte) {
	head, body, _ := bytes.Cut(raw, []byte("\n\n"))
	var settings struct {
		At       time.Time      `yaml:"at"`
		Topic    recharge.Topic `yaml:"topic"`
		Customer string         `yaml:"customer"`
		Since    time.Time      `yaml:"facts_since"`
	}
	decodeYAML(w.t, head, &settings)
	w.goTo(settings.At)
	w.produce(backfill.ResourceRecord("recharge.webhooks", backfill.Resource{
		Store: store, CustomerID: settings.Customer, Topic: settings.Topic, Body: bytes.TrimSpace(body), ReadAt: w.clock(), FactsSince: settings.Since,
	}))
	w.handleAll()
}

// until reads settings that are a time, sets the clock, and returns what follows them.
func (w *world) until(raw []byte) []byte {
	head, body, _ := bytes.Cut(raw, []byte("\n\n"))
	var settings struct {
		At time.Time `yaml:"at"`
	}
	decodeYAML(w.t, head, &settings)
	require.True(w.t, settings.At.After(w.clock()), "at: time moves forward")
	w.goTo(settings.At)
	return bytes.TrimSpace(body)
}

func decodeYAML(t testing.TB, raw []byte, into any) {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(into))
}

func (w *world) lookup(body []byte) recharge.Lookup {
	decoder, err := recharge.NewDecoder()
	require.NoError(w.t, err)
	lookup, err := decoder.Lookup(body, time.Now())
	require.NoError(w.t, err)
	return lookup
}

// putSubscriptions gives the API a {"subscriptions": [...]}.
func (w *world) putSubscriptions(raw []byte) {
	var list struct {
		Subscriptions []json.RawMessage `json:"subscriptions"`
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	require.NoError(w.t, decoder.Decode(&list))
	for _, s := range list.Subscriptions {
		require.NoError(w.t, w.api.Put(slices.Concat([]byte(`{"subscription":`), s, []byte("}"))))
	}
}

func (w *world) sign(how string, body []byte) http.Header {
	h := http.Header{}
	switch how {
	case "", "both":
		rechargetest.Sign(h, body, secret, w.now)
	case "legacy":
		rechargetest.SignLegacy(h, body, secret)
	case "wrong":
		rechargetest.Sign(h, body, "another secret", w.now)
	case "expired":
		rechargetest.Sign(h, body, secret, w.now.Add(-49*time.Hour))
	case "wrong timestamped, right legacy":
		rechargetest.Sign(h, body, "another secret", w.now)
		rechargetest.SignLegacy(h, body, secret)
	case "none":
	default:
		require.Fail(w.t, "unknown way to sign", how)
	}
	return h
}

// records lists the records written, raw ones without their bodies, which are the webhooks.
func (w *world) records() string {
	var out strings.Builder
	for _, r := range w.topics.since("recharge.webhooks", 0) {
		fmt.Fprintf(&out, "recharge.webhooks %s %s\n", r.Key, cmp.Or(r.Header(envelope.HeaderRechargeTopic), r.Header(envelope.HeaderSource)))
	}
	for _, topic := range []string{"recharge.events", "recharge.facts", "recharge.sms-triggers"} {
		for _, r := range w.topics.since(topic, 0) {
			fmt.Fprintf(&out, "%s %s %s from %s\n%s\n", topic, r.Key, r.Header(envelope.HeaderCEType), r.Header(envelope.HeaderRawOffset), indented(w.t, r.Value))
		}
	}
	for _, topic := range []string{"recharge.customers", "recharge.subscriptions", "recharge.charges"} {
		for _, r := range w.topics.since(topic, 0) {
			fmt.Fprintf(&out, "%s %s from %s\n%s\n", topic, r.Key, r.Header(envelope.HeaderRawOffset), row(w.t, r.Value))
		}
	}
	for _, role := range topology.Roles() {
		for _, r := range w.topics.since(topology.Topics{}.DeadLetters(role), 0) {
			w.checkDeadLetter(r)
			fmt.Fprintf(&out, "%s %s %s: %s\n", r.Topic, r.Key, r.Header(deadletter.HeaderReason), r.Header(deadletter.HeaderError))
		}
	}
	return out.String()
}

// checkDeadLetter checks that a dead letter has the bytes and headers of its record.
func (w *world) checkDeadLetter(r kafka.Record) {
	var offset int
	_, err := fmt.Sscan(r.Header(deadletter.HeaderOffset), &offset)
	require.NoError(w.t, err)
	origin := w.topics.since(r.Header(deadletter.HeaderTopic), offset)[0]
	require.Equal(w.t, origin.Value, r.Value)
	require.Equal(w.t, origin.Headers, r.Headers[:len(origin.Headers)])
}

func (w *world) tracked() string {
	var out strings.Builder
	for _, c := range w.bloomreach.Received() {
		fmt.Fprintf(&out, "%s %s\n", c.Name, indented(w.t, c.Data))
	}
	if n := w.bloomreach.Deduplicated(); n > 0 {
		fmt.Fprintf(&out, "deduplicated by bloomreach: %d\n", n)
	}
	return out.String()
}

func (w *world) texted() string {
	var out strings.Builder
	for _, m := range w.texts.Texts() {
		fmt.Fprintf(&out, "%s %s: %s\n", m.To, m.Flow, m.Body)
	}
	return out.String()
}

// row formats a row of a table, "(tombstone)" for a tombstone.
func row(t testing.TB, raw []byte) string {
	t.Helper()
	if raw == nil {
		return "(tombstone)"
	}
	return indented(t, raw)
}

func indented(t testing.TB, raw []byte) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, json.Indent(&out, raw, "", "  "))
	return out.String()
}
