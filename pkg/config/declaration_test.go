package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

const configs = "../../configs"

func TestEveryKeyIsDeclaredInFull(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range config.Keys() {
		t.Run(k.Path, func(t *testing.T) {
			assert.Regexp(t, `^[a-z_]+(\[\])?(\.[a-z_]+)*$`, k.Path)
			assert.True(t, strings.HasSuffix(k.Doc, "."), "doc ends in a period")
			assert.False(t, seen[k.Env], "variable is its own")
			if k.Path != "stores[].name" {
				seen[k.Env] = true
				assert.True(t, strings.HasPrefix(k.Env, "RECHARGEFLOW_"))
			}
			switch k.Kind {
			case config.KindText, config.KindList:
			case config.KindBool:
				assert.NotEmpty(t, k.Default)
			default:
				assert.NotEmpty(t, k.Default)
				assert.NotEmpty(t, k.Min)
			}
		})
	}
}

// An example in the declaration is a value that loads.
func TestExamplesLoad(t *testing.T) {
	for _, k := range config.Keys() {
		if k.Example == "" || k.Env == "" {
			continue
		}
		t.Run(k.Path, func(t *testing.T) {
			_, err := load(t, minimal, strings.Replace(k.Env, "{NAME}", "ACME", 1)+"="+k.Example)
			require.NoError(t, err)
		})
	}
}

func TestMinimalFileLoads(t *testing.T) {
	loaded, err := config.Load(filepath.Join(configs, "minimal.yaml"), nil)
	require.NoError(t, err)
	assert.Len(t, loaded.Config.Stores, 1)
	assert.Empty(t, loaded.Config.Kafka.Brokers)
}

// An unchanged example must not load: the gateway would accept webhooks that anybody can sign.
func TestPlaceholdersAreNoSecrets(t *testing.T) {
	_, err := config.Load(filepath.Join(configs, "minimal.yaml"), nil, config.Roles()...)
	for _, key := range []string{"recharge.secrets", "recharge.token", "bloomreach.project", "bloomreach.key_id", "bloomreach.secret"} {
		require.ErrorContains(t, err, key+": is still the placeholder")
	}
}

// The full file has every key, each with its default where there is one.
func TestFullFileHasEveryKey(t *testing.T) {
	path := filepath.Join(configs, "rechargeflow.yaml")
	full, err := config.Load(path, nil)
	require.NoError(t, err)
	var printed, defaults bytes.Buffer
	require.NoError(t, full.Print(&printed))

	fallback, err := load(t, strings.Replace(minimal, "acme", full.Config.Stores[0].Name, 1))
	require.NoError(t, err)
	require.NoError(t, fallback.Print(&defaults))

	want := rows(t, defaults.String())
	got := rows(t, printed.String())
	for _, k := range config.Keys() {
		row := got[strings.Replace(k.Path, "stores[]", "stores["+full.Config.Stores[0].Name+"]", 1)]
		assert.Contains(t, row.origin, path, "%s is in the file", k.Path)
		if k.Default != "" {
			assert.Equal(t, want[row.path].value, row.value, k.Path)
		}
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, k := range config.Keys() {
		assert.Contains(t, string(text), k.Doc, "%s is explained", k.Path)
	}
}

type row struct{ path, value, origin string }

func rows(t *testing.T, printed string) map[string]row {
	t.Helper()
	all := map[string]row{}
	for line := range strings.Lines(printed) {
		settings, origin, ok := strings.Cut(line, "  # ")
		require.True(t, ok, line)
		path, value, _ := strings.Cut(settings, " ")
		all[path] = row{path, strings.TrimSpace(value), origin}
	}
	return all
}

func TestPrint(t *testing.T) {
	path := write(t, "rechargeflow.yaml", minimal+"    sms: {webhook: {secret: ''}}\nkafka: {brokers: [b:9092, a:9092]}\n")
	secret := write(t, "secret", "hidden-in-file\n")
	loaded, err := config.Load(path, []string{
		"RECHARGEFLOW_STORE_ACME_RECHARGE_SECRETS=hidden-new,hidden-old",
		"RECHARGEFLOW_STORE_ACME_BLOOMREACH_SECRET_FILE=" + secret,
		"RECHARGEFLOW_TRANSFORMER_STATE_CACHE=64MiB",
	})
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, loaded.Print(&out))
	for _, s := range []string{"hidden", "client-secret", "api-token", "project-token", "key-secret"} {
		assert.NotContains(t, out.String(), s)
	}
	golden(t, "testdata/print.golden", strings.ReplaceAll(out.String(), path, "rechargeflow.yaml"))
}

func TestSecretIsMaskedInEveryFormat(t *testing.T) {
	store := config.Recharge{Secrets: []config.Secret{"hidden"}, Token: "hidden"}
	encoded, err := json.Marshal(store)
	require.NoError(t, err)
	for _, shown := range []string{
		fmt.Sprint(store), fmt.Sprintf("%+v", store), fmt.Sprintf("%#v", store), fmt.Sprintf("%q", store.Token), string(encoded),
	} {
		assert.NotContains(t, shown, "hidden")
		assert.Contains(t, shown, "***")
	}
	assert.Empty(t, config.Secret("").String())
}

func TestSize(t *testing.T) {
	for text, want := range map[string]config.Size{"0": 0, "1": 1, "1000": 1000, "512KiB": 512 << 10, "1MiB": 1 << 20, "3 MiB": 3 << 20} {
		got, err := config.ParseSize(text)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		again, err := config.ParseSize(got.String())
		require.NoError(t, err)
		assert.Equal(t, got, again)
	}
	for _, text := range []string{"", "MiB", "-1", "1MB", "1.5MiB", "9223372036854775807KiB", "99999999999999999999"} {
		_, err := config.ParseSize(text)
		require.Error(t, err, text)
	}
}
