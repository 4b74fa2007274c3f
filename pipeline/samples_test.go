package pipeline_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// topicsOf are the topics of a resource, used ones and others.
func topicsOf(resource string) []string {
	actions := map[string]string{
		"subscription": "created activated cancelled deleted updated paused skipped unskipped swapped",
		"charge":       "created paid upcoming failed max_retries_reached updated refunded deleted",
		"order":        "created processed upcoming updated cancelled deleted",
		"customer":     "created updated activated deactivated deleted payment_method_updated",
	}
	var topics []string
	for _, action := range strings.Fields(actions[resource]) {
		topics = append(topics, resource+"/"+action)
	}
	if topics == nil {
		topics = []string{resource + "/created"}
	}
	return topics
}

// Every recorded payload, under every topic of its resource, passes the whole pipeline
// without a panic. Each webhook has exactly one outcome, with a reason unless it is
// done.
func TestSamples(t *testing.T) {
	bodies := sampleBodies(t)
	for _, settings := range []storeConfig{
		{SMS: true, Flows: flowKeys()},
		{SMS: true, Flows: flowKeys(), CustomerID: "recharge_id"},
		{NoAPI: true},
	} {
		w := newWorld(t, settings)
		w.addCustomers(bodies)
		sent := 0
		for _, b := range bodies {
			for _, topic := range topicsOf(b.resource) {
				before, raw := len(w.outcomes.all()), len(w.topics.since("recharge.webhooks", 0))
				answer := w.post("/webhooks/acme/"+topic, w.signed(b.body), b.body)
				require.Equal(t, http.StatusOK, answer.Code, "%s as %s: %s", b.file, topic, answer.Body)
				sent++
				requireOneOutcome(t, w.outcomes.all()[before:], len(w.topics.since("recharge.webhooks", raw)), b.file+" as "+topic)
			}
		}
		require.Greater(t, sent, 100)
		assert.Equal(t, len(w.topics.since("recharge.webhooks", 0)), w.handledBy(topology.RoleTransformer))
		assert.Empty(t, w.texts.Refused())
		assert.Zero(t, w.outcomes.count("tracking rejected malformed"))
		assert.Zero(t, w.outcomes.count("sms rejected malformed"))
		assert.NotZero(t, w.outcomes.count("tracking done"))
	}
}

func flowKeys() []string {
	var keys []string
	for _, key := range flow.Keys() {
		keys = append(keys, string(key))
	}
	return keys
}

// requireOneOutcome checks the outcomes of the raw records that one webhook caused: itself and lookups.
func requireOneOutcome(t *testing.T, lines []string, records int, what string) {
	t.Helper()
	require.Equal(t, "gateway accepted", lines[0], what)
	outcomes := 0
	for _, line := range lines {
		require.NotContains(t, line, "waits", what)
		require.NotContains(t, line, "panic", what)
		role, outcome, _ := strings.Cut(line, " ")
		if role != string(topology.RoleTransformer) || strings.HasPrefix(outcome, "parked") { // counted again when it is replayed
			continue
		}
		outcomes++
		outcome, reason, _ := strings.Cut(outcome, " ")
		require.True(t, outcome == "done" || reason != "", "%s: %s", what, line)
	}
	require.Equal(t, records, outcomes, what)
}

// handledBy counts the records for which a role has an outcome.
func (w *world) handledBy(role topology.Role) int {
	n := 0
	for _, line := range w.outcomes.all() {
		for _, outcome := range []stage.Kind{stage.KindDone, stage.KindSkipped, stage.KindRejected} {
			if strings.HasPrefix(line, string(role)+" "+string(outcome)) {
				n++
			}
		}
	}
	return n
}

// addCustomers adds the customers among the bodies to the API.
func (w *world) addCustomers(bodies []sampleBody) {
	for _, b := range bodies {
		var document struct{ Customer struct{ ID json.Number } }
		if json.Unmarshal(b.body, &document) == nil && document.Customer.ID != "" {
			w.api.PutCustomer(document.Customer.ID.String(), b.body)
		}
	}
}

type sampleBody struct {
	file, resource string
	body           []byte
}

// sampleBodies are all recorded payloads: each file, and each element of the lists of
// the four resources.
func sampleBodies(t *testing.T) []sampleBody {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repositoryRoot(t), "..", "shared", "samples", "recharge", "*.json"))
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("no recorded payloads at ../shared/samples/recharge, seen from the repository")
	}
	var bodies []sampleBody
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		var parts map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(raw, &parts), file)
		for _, name := range slices.Sorted(maps.Keys(parts)) {
			bodies = append(bodies, bodiesOf(filepath.Base(file), name, parts[name], raw)...)
		}
	}
	return bodies
}

func bodiesOf(file, name string, part, whole json.RawMessage) []sampleBody {
	if !strings.HasPrefix(string(part), "{") && !strings.HasPrefix(string(part), "[") {
		return nil // a cursor, a header
	}
	bodies := []sampleBody{{file, name, whole}}
	var elements []json.RawMessage
	if resource, isList := strings.CutSuffix(name, "s"); isList && json.Unmarshal(part, &elements) == nil {
		for _, element := range elements {
			bodies = append(bodies, sampleBody{file, resource, []byte(`{"` + resource + `":` + string(element) + `}`)})
		}
	}
	return bodies
}

// repositoryRoot is the directory of go.mod.
func repositoryRoot(t *testing.T) string {
	t.Helper()
	folder, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		require.NotEqual(t, folder, filepath.Dir(folder), "no go.mod above")
		folder = filepath.Dir(folder)
	}
}
