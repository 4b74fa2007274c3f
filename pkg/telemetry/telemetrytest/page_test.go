package telemetrytest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry/telemetrytest"
)

// Every name of a metric in the code of telemetry is on the page.
func TestPageIsComplete(t *testing.T) {
	page := telemetrytest.Page()
	files, err := filepath.Glob("../*.go")
	require.NoError(t, err)
	names := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		code, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, name := range regexp.MustCompile(`"(rechargeflow_\w+)"`).FindAllStringSubmatch(string(code), -1) {
			names++
			assert.Contains(t, page, "\n# TYPE "+name[1]+" ")
		}
	}
	assert.Greater(t, names, 25)
}
