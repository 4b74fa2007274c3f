package config_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

// Each file has one fault; its .golden file has the error.
func TestFaultyFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/faulty/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			_, err := config.Load(path, nil, config.Roles()...)
			var faults *config.Faults
			require.ErrorAs(t, err, &faults)
			require.Len(t, faults.List, 1, err.Error())
			assert.NotContains(t, err.Error(), "hidden", "secrets stay out of faults")
			golden(t, filepath.Join("testdata/faulty", name+".golden"), err.Error()+"\n")
		})
	}
}

func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	_, err := load(t, `
gateway:
  publish_timeout: 9s
log:
  levl: debug
stores:
  - name: acme
    customer_id: phone
  - name: Other
`, "RECHARGEFLOW_SHUTDOWN_TIMEOUT=soon", "RECHARGEFLOW_KAFKA_BROKER=kafka:9092")
	var faults *config.Faults
	require.ErrorAs(t, err, &faults)
	var keys []string
	for _, f := range faults.List {
		keys = append(keys, f.Key)
	}
	assert.Equal(t, []string{
		"gateway.publish_timeout", "log.levl", "stores[acme].customer_id", "stores[1].name",
		"", "shutdown_timeout",
		"stores[acme].recharge.secrets", "stores[acme].bloomreach.url", "stores[acme].bloomreach.project", "stores[acme].bloomreach.key_id",
		"stores[1].recharge.secrets", "stores[1].recharge.token", "stores[1].bloomreach.url", "stores[1].bloomreach.project", "stores[1].bloomreach.key_id",
	}, keys)
	assert.Len(t, strings.Split(err.Error(), "\n"), len(keys), "one line each")
}

func TestMissingFile(t *testing.T) {
	_, err := config.Load(filepath.Join("testdata", "absent.yaml"), []string{"RECHARGEFLOW_STORE_ACME_RECHARGE_TOKEN=x"}, config.Roles()...)
	require.EqualError(t, err, "testdata/absent.yaml: can't be read: no such file or directory")
}

func TestNoFileNeedsNoStoresUnlessAsked(t *testing.T) {
	loaded, err := config.Load("", nil)
	require.NoError(t, err)
	assert.Empty(t, loaded.Config.Stores)

	_, err = config.Load("", nil, config.Roles()...)
	require.EqualError(t, err, "configuration: stores: none configured; name a file that lists one with --config or RECHARGEFLOW_CONFIG, see configs/minimal.yaml")
}
