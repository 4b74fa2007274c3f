package settings_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/schemas/schematest"
)

// newSettings creates recharge.settings under a random prefix.
func newSettings(t *testing.T, b kafkatest.Broker) settings.Settings {
	t.Helper()
	s := settings.New(kafkatest.Topic(t, b.Addr(), 1) + ".")
	_, err := admin.Apply(t.Context(), b.Cluster(), admin.Spec{Topics: []admin.TopicSpec{{Name: s.Name, Partitions: 1, Replication: 1}}})
	require.NoError(t, err)
	return s
}

// at is the time of a change; the flows keep it in UTC.
func at(day int) time.Time {
	return time.Date(2026, 3, day, 10, 0, 0, 0, time.FixedZone("EST", -5*60*60))
}

// text is a change of the text of charge_paid.
func text(text string, day int) settings.FlowChange {
	return settings.FlowChange{Store: "acme", By: "ann", At: at(day), Decide: func(flows []settings.Flow) error {
		flows[10].Text = text
		return nil
	}}
}

func TestFlowsOnTheEmbeddedBroker(t *testing.T) {
	b := kafkatest.Embedded(t)
	s := newSettings(t, b)
	change := func(c settings.FlowChange) ([]settings.Flow, error) {
		return s.ChangeFlows(t.Context(), b.Cluster(), c)
	}
	read := func() *settings.Rows[settings.Setting] {
		rows, err := s.Read(t.Context(), b.Cluster())
		require.NoError(t, err)
		require.NoError(t, rows.Unreadable())
		return rows
	}

	flows, err := settings.FlowsOf(read(), "acme")
	require.NoError(t, err)
	require.Len(t, flows, 12)
	assert.Equal(t, 0, flows[10].Version, "the built-in flow")

	changed, err := change(text("{{ shop_name }}: one", 1))
	require.NoError(t, err)
	assert.Equal(t, []settings.Flow{{
		Store: "acme", Key: flow.ChargePaid, Version: 1, At: at(1).UTC(), By: "ann", Name: "Charge Paid", Text: "{{ shop_name }}: one", WindowSeconds: 60, DailyCap: true,
	}}, changed)
	again, err := change(text("{{ shop_name }}: one", 2))
	require.NoError(t, err)
	assert.Empty(t, again, "the same text is no change")
	_, err = change(text("{{ shop_name }}: two", 3))
	require.NoError(t, err)

	both := text("{{ shop_name }}: three", 4)
	decide := both.Decide
	both.Decide = func(flows []settings.Flow) error {
		flows[9].Active = true
		return decide(flows)
	}
	changed, err = change(both)
	require.NoError(t, err)
	assert.Len(t, changed, 2)

	rows := read()
	flows, err = settings.FlowsOf(rows, "acme")
	require.NoError(t, err)
	assert.Equal(t, []settings.Flow{flows[9], flows[10]}, changed)
	versions, err := settings.HistoryOf(rows, "acme", flow.ChargePaid)
	require.NoError(t, err)
	var texts []string
	for i, v := range versions {
		assert.Equal(t, i, v.Version)
		texts = append(texts, v.Text)
	}
	assert.Equal(t, []string{versions[0].Text, "{{ shop_name }}: one", "{{ shop_name }}: two", "{{ shop_name }}: three"}, texts)
	others, err := settings.FlowsOf(rows, "acme-2")
	require.NoError(t, err)
	assert.Equal(t, 0, others[10].Version, "another store")

	requireSchemas(t, b, s.Name)
}

// requireSchemas validates the values of a topic.
func requireSchemas(t *testing.T, b kafkatest.Broker, topic string) {
	t.Helper()
	validator, err := schematest.New()
	require.NoError(t, err)
	records := kafkatest.All(t, b.Addr(), topic)
	require.NotEmpty(t, records)
	for _, r := range records {
		require.NoError(t, validator.Check(r.Header(envelope.HeaderCEDataSchema), r.Value), "%s", r.Key)
	}
}

func TestExpect(t *testing.T) {
	f := settings.Flow{Store: "acme", Key: flow.ChargePaid, Version: 3, At: at(1).UTC(), By: "bob"}
	require.NoError(t, f.Expect(3))
	err := f.Expect(2)
	require.ErrorIs(t, err, settings.ErrVersion)
	require.EqualError(t, err, "flow charge_paid of store acme has version 3, by bob at 2026-03-01T15:00:00Z, not 2: somebody else has changed it")
	require.EqualError(t, settings.Flow{Store: "acme", Key: flow.ChargePaid}.Expect(1), "flow charge_paid of store acme has version 0, not 1: somebody else has changed it")
}

// Rows of other kinds and of other keys do not disturb.
func TestDecode(t *testing.T) {
	decode := settings.New("").Decode
	for key, value := range map[string]string{
		"acme/flow/charge_paid":      `{"store":"acme","flow":"charge_failed","version":1}`,
		"acme/flow/charge_paid/v/2":  `{"store":"acme","flow":"charge_paid","version":1}`,
		"beta/flow/charge_paid":      `{"store":"acme","flow":"charge_paid","version":1}`,
		"acme/flow/charge_failed":    `{"store":"acme","flow":"charge_failed"}`,
		"acme/flow/charge_will_fail": `[]`,
		"acme/sending":               `{"store":"beta","version":1}`,
		"acme/sending/v/2":           `{"store":"acme","version":1}`,
		"beta/sending":               `{"store":"beta","version":1,"quiet_hours":{"from":"8pm"}}`,
	} {
		_, err := decode(key, []byte(value))
		require.Error(t, err, key)
	}
	later, err := decode("acme/later/1", []byte(`{"of":"a later version"}`))
	require.NoError(t, err)
	assert.Zero(t, later)
}
