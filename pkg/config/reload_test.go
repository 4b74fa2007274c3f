package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

// rewrite writes a file that exists.
func rewrite(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestReload(t *testing.T) {
	path, secret := write(t, "rechargeflow.yaml", minimal), write(t, "secret", "first\n")
	loaded, err := config.Load(path, []string{"RECHARGEFLOW_STORE_ACME_BLOOMREACH_SECRET_FILE=" + secret, "RECHARGEFLOW_LOG_LEVEL=warn"}, config.Roles()...)
	require.NoError(t, err)
	assert.Equal(t, loaded.Digest(), loaded.DigestNow())

	rewrite(t, secret, "second\n")
	assert.NotEqual(t, loaded.Digest(), loaded.DigestNow())
	again, err := loaded.Reload()
	require.NoError(t, err)
	assert.Equal(t, again.Digest(), loaded.DigestNow())
	assert.Equal(t, "second", again.Config.Stores[0].Bloomreach.Secret.Reveal())
	assert.Equal(t, "warn", again.Config.Log.Level, "the environment is the same")

	rewrite(t, path, minimal+"logs: {}\n")
	faulty, err := again.Reload()
	require.ErrorContains(t, err, "logs: unknown key, did you mean log?")
	assert.Equal(t, faulty.Digest(), faulty.DigestNow(), "a fault is not loaded again and again")

	require.NoError(t, os.Remove(path))
	assert.NotEqual(t, faulty.Digest(), faulty.DigestNow())
	gone, err := again.Reload()
	require.ErrorContains(t, err, "can't be read")
	assert.Equal(t, gone.Digest(), gone.DigestNow())
}

// Kubernetes replaces the directory of a volume by a symbolic link to another one.
func TestDigestFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"..1": minimal, "..2": minimal + "log: {level: warn}\n"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o700))
		rewrite(t, filepath.Join(dir, name, "rechargeflow.yaml"), text)
	}
	require.NoError(t, os.Symlink("..1", filepath.Join(dir, "..data")))
	require.NoError(t, os.Symlink(filepath.Join("..data", "rechargeflow.yaml"), filepath.Join(dir, "rechargeflow.yaml")))
	loaded, err := config.Load(filepath.Join(dir, "rechargeflow.yaml"), nil, config.Roles()...)
	require.NoError(t, err)

	require.NoError(t, os.Symlink("..2", filepath.Join(dir, "..data_tmp")))
	require.NoError(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	assert.NotEqual(t, loaded.Digest(), loaded.DigestNow())
	again, err := loaded.Reload()
	require.NoError(t, err)
	assert.Equal(t, "warn", again.Config.Log.Level)
}

// The file of Kafka's password is read again for each connection: no reload, no restart.
func TestPasswordFileIsNoChange(t *testing.T) {
	file := write(t, "password", "first")
	loaded, err := load(t, minimal+"kafka: {brokers: ['kafka:9093'], sasl: {mechanism: PLAIN, username: us}}", "RECHARGEFLOW_KAFKA_SASL_PASSWORD_FILE="+file)
	require.NoError(t, err)
	rewrite(t, file, "second")
	assert.Equal(t, loaded.Digest(), loaded.DigestNow())
	again, err := loaded.Reload()
	require.NoError(t, err)
	assert.Empty(t, config.Difference(loaded.Config, again.Config))
}

// A store can be removed and come back although its variables stay in the environment. A variable that no store ever had is a fault.
func TestReloadWithoutAStoreOfTheEnvironment(t *testing.T) {
	const second = "  - {name: beta, recharge: {secrets: [s]}, bloomreach: {enabled: false}}\n"
	path := write(t, "rechargeflow.yaml", minimal+second)
	loaded, err := config.Load(path, []string{"RECHARGEFLOW_STORE_BETA_RECHARGE_TOKEN=api-token"}, config.Roles()...)
	require.NoError(t, err)
	rewrite(t, path, minimal)
	less, err := loaded.Reload()
	require.NoError(t, err)
	assert.Len(t, less.Config.Stores, 1)
	rewrite(t, path, minimal+second)
	more, err := less.Reload()
	require.NoError(t, err)
	assert.Equal(t, "api-token", more.Config.Stores[1].Recharge.Token.Reveal())

	rewrite(t, path, strings.ReplaceAll(minimal, "acme", "gamma"))
	_, err = config.Load(path, []string{"RECHARGEFLOW_STORE_BETA_RECHARGE_TOKEN=api-token"}, config.Roles()...)
	require.ErrorContains(t, err, "unknown variable")
}
