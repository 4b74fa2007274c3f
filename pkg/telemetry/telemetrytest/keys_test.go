package telemetrytest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry/telemetrytest"
)

func TestCheckKeys(t *testing.T) {
	for _, log := range []string{
		"", `{}`, `{"a":1,"b":[{"a":1},{"a":2}],"c":{"a":{"b":null}}}` + "\n" + `{"a":2}` + "\n",
	} {
		require.NoError(t, telemetrytest.CheckKeys(log), log)
	}
	for log, why := range map[string]string{
		`{"a":1,"b":2,"a":1}`:                    `has the key "a" twice`,
		`{"a":1}` + "\n" + `{"b":{"c":1,"c":2}}`: `{"b":{"c":1,"c":2}}: has the key "c" twice`,
		`{"b":[[{"c":1,"c":2}]]}`:                `has the key "c" twice`,
		`http: TLS handshake error`:              "is not a JSON object",
		`[1]`:                                    "is not a JSON object",
		`{"a":1} {"a":2}`:                        "has more than one object",
		`{"a":`:                                  "read value",
	} {
		assert.ErrorContains(t, telemetrytest.CheckKeys(log), why, log)
	}
}
