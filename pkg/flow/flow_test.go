package flow_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func defaults(t *testing.T) []flow.Flow {
	t.Helper()
	flows, err := flow.Defaults()
	require.NoError(t, err)
	return flows
}

func TestDefaultsFollowTheRules(t *testing.T) {
	for i, f := range defaults(t) {
		assert.Equal(t, flow.Keys()[i], f.Key)
		assert.False(t, f.Active, f.Key)
		assert.Equal(t, flow.RuleOf(f.Key).QuietHours, f.QuietHours, f.Key)
	}
	assert.NoError(t, flow.Check(defaults(t), "acme", flow.Shop{}))
}

// The golden file has the default flows, their texts with long sample values, and with only shop and links known.
func TestDefaultTexts(t *testing.T) {
	bare := flow.Variables{Shop: flow.Shop{Name: "Acme"}, Customer: flow.Customer{
		PortalURL: "https://acme.example/p", ActivationURL: "https://acme.example/a",
	}, Charge: flow.Charge{PaymentUpdateURL: "https://acme.example/c"}}
	var b strings.Builder
	for _, f := range defaults(t) {
		full, err := flow.Render(f, flow.Sample())
		require.NoError(t, err)
		encoding, segments := flow.Segments(full)
		assert.Equal(t, flow.GSM7, encoding, full)
		assert.Equal(t, 1, segments, "%d characters: %s", len(full), full)
		assert.True(t, strings.HasPrefix(full, flow.Sample().Shop.Name+": "), "the brand comes first: %s", full)
		assert.Equal(t, 1, strings.Count(full, "https://"), "one link: %s", full)

		short, err := flow.Render(f, bare)
		require.NoError(t, err)
		quiet := ""
		if f.QuietHours {
			quiet = ", quiet hours"
		}
		fmt.Fprintf(&b, "%s: %s%s (%d characters)\n%s\n%s\n\n", f.Key, f.Name, quiet, len(full), full, short)
	}
	path := filepath.Join("testdata", "default_texts.golden")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), b.String(), "run the test with -update when the change is meant")
}
