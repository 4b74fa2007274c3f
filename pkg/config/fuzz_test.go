package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

// Load returns a configuration or faults for any file.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/faulty/*.yaml")
	require.NoError(f, err)
	for _, path := range files {
		text, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(string(text), "RECHARGEFLOW_LOG_LEVEL=info")
	}
	f.Add(minimal, "RECHARGEFLOW_STORE_ACME_SMS_FROM=1")
	f.Add("a: &a {<<: *a}\nstores: &s [*s]\n", "RECHARGEFLOW_")
	f.Add("stores: [&a {<<: &b {<<: *a}, recharge: *a}]\n", "=")
	f.Fuzz(func(t *testing.T, text, variable string) {
		if strings.Contains(variable, "_FILE=") {
			t.Skip("would read any file of this machine")
		}
		path := write(t, "rechargeflow.yaml", text)
		if _, err := config.Load(path, []string{variable}, config.Roles()...); err != nil {
			var faults *config.Faults
			require.ErrorAs(t, err, &faults)
			require.NotEmpty(t, faults.List)
		}
	})
}

// No fault contains the value of a secret, whatever its type.
func FuzzSecretsStayOutOfFaults(f *testing.F) {
	const marker = "h1dd3n"
	shapes := []func(string) any{
		func(s string) any { return s },
		func(s string) any { return []string{s} },
		func(s string) any { return map[string]string{"value": s} },
		func(s string) any { return []any{[]string{s}} },
		func(s string) any { return []any{map[string]string{"value": s}, nil} },
	}
	keys := []string{"recharge.secrets", "recharge.token", "bloomreach.project", "bloomreach.secret", "bloomreach.token", "sms.webhook"}
	for i := range shapes {
		f.Add(uint8(i), uint8(i), "", "\n")
	}
	f.Add(uint8(0), uint8(1), "&*!@`'\"", "\x00")
	f.Fuzz(func(t *testing.T, shape, key uint8, before, after string) {
		section, name, _ := strings.Cut(keys[int(key)%len(keys)], ".")
		value, err := json.Marshal(shapes[int(shape)%len(shapes)](before + marker + after))
		require.NoError(t, err)
		_, err = load(t, "stores:\n  - name: acme\n    "+section+":\n      "+name+": "+string(value)+"\n",
			"RECHARGEFLOW_STORE_ACME_"+strings.ToUpper(section+"_"+name)+"="+before+marker+after)
		require.Error(t, err, "the store lacks what is required")
		require.NotContains(t, err.Error(), marker)

		_, err = load(t, "stores:\n  - name: acme\n    "+section+":\n      "+name+": "+before+marker+after+"\n")
		if err != nil && !strings.ContainsAny(before+after, ":?\n\r\u0085\u2028\u2029") {
			require.NotContains(t, err.Error(), marker)
		}
	})
}
