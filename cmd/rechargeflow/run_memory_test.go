package main

import (
	"bytes"
	"errors"
	"math"
	"os"
	"runtime/debug"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// The runtime's limit is below that of the container, unless the environment has one.
func TestLimitMemory(t *testing.T) {
	failing := func() (uint64, error) { return 0, errors.New("permission denied") }
	const mib = 1 << 20
	for name, test := range map[string]struct {
		container memlimit.Provider
		variable  string
		limit     int64
		log       string
	}{
		"a container":              {memlimit.Limit(1000 * mib), "", 900 * mib, `"gomemlimit":943718400`},
		"no limit":                 {func() (uint64, error) { return 0, memlimit.ErrNoLimit }, "", math.MaxInt64, ""},
		"no container":             {func() (uint64, error) { return 0, memlimit.ErrCgroupsNotSupported }, "", math.MaxInt64, ""},
		"a limit that is not read": {failing, "", math.MaxInt64, "permission denied"},
		"GOMEMLIMIT":               {memlimit.Limit(1000 * mib), "300MiB", 300 * mib, `"gomemlimit":314572800`},
	} {
		t.Run(name, func(t *testing.T) {
			before := debug.SetMemoryLimit(math.MaxInt64)
			defer debug.SetMemoryLimit(before)
			t.Setenv("GOMEMLIMIT", test.variable)
			if test.variable == "" {
				require.NoError(t, os.Unsetenv("GOMEMLIMIT"))
			} else {
				debug.SetMemoryLimit(test.limit) // as the runtime does at its start
			}
			var out bytes.Buffer
			log, _, err := telemetry.NewLogger("info", &out)
			require.NoError(t, err)
			limitMemory(test.container, log)
			assert.Equal(t, test.limit, debug.SetMemoryLimit(-1))
			assert.Contains(t, out.String(), test.log)
			assert.Equal(t, test.log == "", out.Len() == 0)
		})
	}
}
