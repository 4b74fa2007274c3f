package webhookdocs_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/webhookdocs"
	"github.com/rechargeflow/rechargeflow/schemas"
)

var update = flag.Bool("update", false, "rewrite the enums of the schemas")

// The pages are what `make docs` writes.
func TestPagesAreFresh(t *testing.T) {
	for name, write := range map[string]func() (string, error){"flows.md": webhookdocs.FlowsPage, "webhooks.md": webhookdocs.WebhooksPage} {
		want, err := write()
		require.NoError(t, err)
		have, err := os.ReadFile("../../docs/" + name)
		require.NoError(t, err)
		assert.Equal(t, want, string(have), "docs/%s is out of date: run make docs", name)
	}
}

// Every topic has an explanation. A topic produces something exactly when it is used.
func TestEveryTopicIsExplained(t *testing.T) {
	for _, topic := range recharge.Topics() {
		e, err := webhookdocs.Explain(topic)
		require.NoError(t, err, topic)
		assert.NotEmpty(t, e.Why, topic)
		something := len(e.Events)+len(e.Facts)+len(e.Flows)+len(e.Revokes) > 0 || e.Charges
		assert.Equal(t, subscriber.AllSwitches().Uses(topic), something, topic)
	}
}

// The flows that the schemas allow are those of the table, and the causes of a revocation the topics that revoke one.
func TestSchemasNameTheFlows(t *testing.T) {
	var causes []recharge.Topic
	for _, topic := range recharge.Topics() {
		e, err := webhookdocs.Explain(topic)
		require.NoError(t, err)
		if len(e.Revokes) > 0 && topic == topic.Current() {
			causes = append(causes, topic)
		}
	}
	causes = append(causes, "customer/updated", "customer/deleted", "charge/updated") // of an erasure, and of a backfill
	withHelp := append(flow.Keys(), flow.Help)
	for _, subject := range []string{schemas.SMSTrigger, schemas.Message, schemas.MessageText} {
		requireEnum(t, subject, "flow", withHelp)
	}
	requireEnum(t, schemas.SMSRevocation, "flows", flow.Keys())
	requireEnum(t, schemas.SettingsFlow, "flow", flow.Keys())
	requireEnum(t, schemas.SettingsSending, "paused_flows", flow.Keys())
	requireEnum(t, schemas.SMSRevocation, "cause", causes)
}

// requireEnum wants the first enum of a property to have these values. With -update it writes them.
func requireEnum[T ~string](t *testing.T, subject, property string, want []T) {
	t.Helper()
	path := filepath.Join("../../schemas", subject, "v1.json")
	document, err := os.ReadFile(path)
	require.NoError(t, err)
	enum := regexp.MustCompile(`(?s)("` + property + `": \{.*?"enum": )(\[.*?\n *\])`)
	parts := enum.FindSubmatchIndex(document)
	require.NotNil(t, parts, "%s has no enum of %s", path, property)
	if *update {
		line := document[bytes.LastIndexByte(document[:parts[4]], '\n')+1:]
		indent := string(line[:len(line)-len(bytes.TrimLeft(line, " "))])
		var list bytes.Buffer
		encoded, err := json.Marshal(want)
		require.NoError(t, err)
		require.NoError(t, json.Indent(&list, encoded, indent, "  "))
		document = append(append(bytes.Clone(document[:parts[4]]), list.Bytes()...), document[parts[5]:]...)
		require.NoError(t, os.WriteFile(path, document, 0o600))
		return
	}
	var have []T
	require.NoError(t, json.Unmarshal(document[parts[4]:parts[5]], &have))
	assert.Equal(t, want, have, "%s: run make update", path)
}
