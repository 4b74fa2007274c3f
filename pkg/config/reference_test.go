package config_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

// docs/configuration.md is as `make docs` writes it.
func TestReferenceIsFresh(t *testing.T) {
	var want bytes.Buffer
	require.NoError(t, config.WriteReference(&want))
	have, err := os.ReadFile("../../docs/configuration.md")
	require.NoError(t, err)
	assert.Equal(t, want.String(), string(have), "docs/configuration.md is stale: run make docs")
	for _, k := range config.Keys() {
		assert.Contains(t, want.String(), "`"+k.Path+"`")
		assert.Contains(t, want.String(), k.Doc)
	}
}
