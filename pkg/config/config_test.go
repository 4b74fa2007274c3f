package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

var update = flag.Bool("update", false, "write the golden files")

// minimal is the smallest file that loads for all roles.
const minimal = `
stores:
  - name: acme
    recharge:
      secrets: [client-secret]
      token: api-token
    bloomreach:
      url: https://api.exponea.com
      project: project-token
      key_id: key-1
      secret: key-secret
`

// load writes text to a file and loads it.
func load(t *testing.T, text string, environ ...string) (config.Loaded, error) {
	t.Helper()
	return config.Load(write(t, "rechargeflow.yaml", text), environ, config.Roles()...)
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// golden compares got with the file, or writes the file with -update.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}
