package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

// A store can't have a name at whose address the console has a page of its own.
func TestReservedNames(t *testing.T) {
	for _, name := range config.ReservedNames() {
		path := filepath.Join(t.TempDir(), "rechargeflow.yaml")
		require.NoError(t, os.WriteFile(path, []byte("stores:\n  - {name: "+name+", recharge: {secrets: [s]}}\n"), 0o600))
		_, err := config.Load(path, nil, config.Roles()...)
		require.ErrorContains(t, err, `given "`+name+`", which is an address of the console`)
	}
}

// The file of people is named relative to the configuration file.
func TestPeopleFileIsBesideTheConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rechargeflow.yaml")
	require.NoError(t, os.WriteFile(path, []byte("console: {people_file: people.yaml}\n"), 0o600))
	loaded, err := config.Load(path, nil)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(filepath.Dir(path), "people.yaml"), loaded.Config.Console.PeopleFile)
}
