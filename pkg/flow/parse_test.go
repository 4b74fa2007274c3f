package flow_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

func TestParseOverridesDefaults(t *testing.T) {
	flows, err := flow.Parse([]byte("- key: charge_failed\n  active: true\n- key: charge_paid\n  text: \"{{ shop_name }}: thanks\"\n"), defaults(t))
	require.NoError(t, err)
	want := defaults(t)
	want[9].Active = true
	want[10].Text = "{{ shop_name }}: thanks"
	assert.Equal(t, want, flows)
}

// What a file leaves out stays as it is.
func TestParseKeepsWhatTheFileLeavesOut(t *testing.T) {
	base := defaults(t)
	base[9].Active, base[9].Text = true, "{{ shop_name }}: failed"
	flows, err := flow.Parse([]byte("- key: charge_failed\n  name: Failed\n"), base)
	require.NoError(t, err)
	base[9].Name = "Failed"
	assert.Equal(t, base, flows)
}

// The spelling of a list of Recart's flows.
func TestParseUnderstandsAnAlias(t *testing.T) {
	flows, err := flow.Parse([]byte("- key: charge_will_be_retired\n  active: true\n"), defaults(t))
	require.NoError(t, err)
	assert.Equal(t, flow.ChargeWillBeRetried, flows[8].Key)
	assert.True(t, flows[8].Active)
	_, err = flow.Parse([]byte("- key: charge_will_be_retired\n- key: charge_will_be_retried\n"), defaults(t))
	require.ErrorContains(t, err, "flow charge_will_be_retried: key: line 2: already on line 1")
}

// What Format writes, Parse reads.
func TestFormat(t *testing.T) {
	flows := defaults(t)
	flows[0].Text, flows[1].Active = "  a: \"b\" # {{ shop_name }}\n\n'✨'\t", true
	file, err := flow.Format(flows)
	require.NoError(t, err)
	parsed, err := flow.Parse(file, defaults(t))
	require.NoError(t, err)
	assert.Equal(t, flows, parsed)
}

func TestParseOfDefaultsOrEmptyFileIsDefaults(t *testing.T) {
	for _, file := range []string{string(configs.Flows()), "", "\n", "# only a comment\n", "null\n", "[]\n"} {
		flows, err := flow.Parse([]byte(file), defaults(t))
		require.NoError(t, err, file)
		assert.Equal(t, defaults(t), flows)
	}
}

func TestParseReportsAllFaults(t *testing.T) {
	_, err := flow.Parse([]byte(`
- key: charge_failed
  active: "yes"
  colour: blue
  text: 12
- key: charge_will_be_repaired
- name: nobody
- key: charge_failed
- charge_paid
- key: charge_paid
  active: true
  active: false
  quiet_hours: [true]
`), defaults(t))
	require.Error(t, err)
	for _, want := range []string{
		"flow charge_failed: active: line 3: want true or false",
		"flow charge_failed: colour: line 4: no such field; a flow has key, name, text, active, quiet_hours, window, per_charge, daily_cap",
		"flow charge_failed: text: line 5: want a text; put it in quotes",
		`flow number 2: key: line 6: no flow has the key "charge_will_be_repaired"; the keys are subscription_started`,
		"flow number 3: key: line 7: missing; the keys are",
		"flow charge_failed: key: line 8: already on line 2; remove one of the two",
		"flow number 5: line 9: want the fields key",
		"flow charge_paid: active: line 12: given twice; remove one",
		"flow charge_paid: quiet_hours: line 13: want true or false",
	} {
		require.ErrorContains(t, err, want)
	}
	var first flow.Fault
	require.ErrorAs(t, err, &first)
	assert.Equal(t, "charge_failed", first.Flow)
	assert.Equal(t, "active", first.Field)
}

func TestParseRejectsOtherFiles(t *testing.T) {
	tests := map[string]string{
		"key: charge_failed\n":         "want a list of flows",
		"just text":                    "want a list of flows",
		"- key: [\n":                   "parse flows: yaml",
		"[]\n---\n[]\n":                "several YAML documents",
		strings.Repeat("# x\n", 40000): "at most 131072 are allowed",
	}
	for file, want := range tests {
		_, err := flow.Parse([]byte(file), defaults(t))
		assert.ErrorContains(t, err, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(configs.Flows())
	f.Add([]byte("- key: charge_failed\n  active: true\n"))
	f.Add([]byte("- &a [*a, *a]\n- <<: *a\n"))
	f.Add([]byte("- key: charge_failed\n  text: !!binary aGk=\n"))
	f.Add([]byte("\x00: - {"))
	f.Fuzz(func(t *testing.T, file []byte) {
		flows, err := flow.Parse(file, defaults(t))
		if err != nil {
			return
		}
		formatted, err := flow.Format(flows)
		require.NoError(t, err)
		again, err := flow.Parse(formatted, defaults(t))
		require.NoError(t, err)
		require.Equal(t, flows, again, "what is written can be read")
		require.Len(t, flows, len(flow.Keys()))
		for i, f := range flows {
			require.Equal(t, flow.Keys()[i], f.Key)
		}
		_ = flow.Check(flows, "acme", flow.Shop{})
	})
}
