package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLoggerWritesOneObjectPerLine(t *testing.T) {
	var out bytes.Buffer
	log, _, err := telemetry.NewLogger("info", &out)
	require.NoError(t, err)
	log.Debug("left out")
	log.Info("webhook taken", zap.String("store", "acme"), zap.Duration("took", 1500*time.Millisecond))
	log.Error("stopped", zap.Error(errors.New("broker gone")))

	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 2)
	var entry map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &entry))
	at, err := time.Parse(time.RFC3339, entry["ts"].(string))
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), at, time.Minute)
	delete(entry, "ts")
	assert.Equal(t, map[string]any{"level": "info", "msg": "webhook taken", "store": "acme", "took": "1.5s"}, entry)
	assert.Regexp(t, `^\{"level":"error","ts":"[^"]+Z","msg":"stopped","error":"broker gone"\}$`, lines[1], "no caller, no stack")
}

func TestLoggerLevels(t *testing.T) {
	for _, level := range []string{"debug", "info", "warn", "error"} {
		_, _, err := telemetry.NewLogger(level, &bytes.Buffer{})
		require.NoError(t, err)
	}
	for _, level := range []string{"loud", "fatal", "panic"} {
		_, _, err := telemetry.NewLogger(level, &bytes.Buffer{})
		require.EqualError(t, err, `parse log level "`+level+`": expected debug, info, warn or error`)
	}
}

func TestReadVersion(t *testing.T) {
	assert.Equal(t, "v1.2.3", telemetry.ReadVersion("v1.2.3").Version)
	v := telemetry.ReadVersion("")
	assert.Equal(t, "devel", v.Version)
	assert.NotEmpty(t, v.Commit)
	assert.Regexp(t, `^go1\.`, v.Go)
}

func TestTraceparent(t *testing.T) {
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	const given = "00-" + trace + "-" + parent + "-01"
	t.Run("kept", func(t *testing.T) {
		for header, want := range map[string]string{
			given:                                given,
			"00-" + trace + "-" + parent + "-00": "00-" + trace + "-" + parent + "-00",
			"cc-" + trace + "-" + parent + "-01": given,
			"cc-" + trace + "-" + parent + "-01-what-comes-later": given,
		} {
			assert.Equal(t, want, telemetry.EnsureTraceparent(header))
		}
	})
	t.Run("replaced", func(t *testing.T) {
		for _, header := range []string{
			"", "00", given + "-more", given + "x", "cc" + given[2:] + "x", "ff" + given[2:], strings.ToUpper(given), " " + given,
			"00-" + strings.Repeat("0", 32) + "-" + parent + "-01", "00-" + trace + "-" + strings.Repeat("0", 16) + "-01",
			strings.Replace(given, "4", "g", 1), strings.ReplaceAll(given, "-", "_"),
		} {
			got := telemetry.EnsureTraceparent(header)
			assert.Regexp(t, `^00-[0-9a-f]{32}-[0-9a-f]{16}-00$`, got)
			assert.NotContains(t, got, trace, header)
			assert.Equal(t, got, telemetry.EnsureTraceparent(got), "a new one is valid")
			assert.NotEqual(t, got, telemetry.EnsureTraceparent(header), "and its own")
		}
	})
}

func FuzzTraceparent(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Add("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x")
	f.Add("")
	valid := regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)
	f.Fuzz(func(t *testing.T, header string) {
		got := telemetry.EnsureTraceparent(header)
		require.Regexp(t, valid, got)
		if valid.MatchString(header) && !strings.Contains(header, strings.Repeat("0", 16)) {
			require.Equal(t, header, got)
		}
	})
}
