package image_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	root     = "../.."
	patience = 90 * time.Second
)

// needEngine skips the test where no Docker engine answers.
func needEngine(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs images; run without -short")
	}
	if os.Getenv("RECHARGEFLOW_TEST_CONTAINERS") == "none" {
		t.Skip("RECHARGEFLOW_TEST_CONTAINERS allows no containers")
	}
	for _, tool := range []string{"docker", "make"} {
		if _, err := exec.LookPath(tool); err != nil {
			lacking(t, "no %s on PATH", tool)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "docker", "info", "-f", "{{.ServerVersion}}").CombinedOutput(); err != nil {
		lacking(t, "no Docker engine answers: %s", strings.TrimSpace(string(out)))
	}
}

// lacking skips a test that lacks something; where the environment requires containers it fails.
func lacking(t *testing.T, format string, args ...any) {
	t.Helper()
	if required := os.Getenv("RECHARGEFLOW_TEST_CONTAINERS"); required != "" && required != "none" {
		t.Fatalf(format+", and RECHARGEFLOW_TEST_CONTAINERS requires %s", append(args, required)...)
	}
	t.Skipf(format, args...)
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	return command(t, "docker", args...)
}

// command runs a program to its end, which must be good, and returns what it printed. It is used by cleanups, too.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput() //nolint:gosec // the test's own words
	require.NoError(t, err, "%s %s: %s", name, strings.Join(args, " "), out)
	return strings.TrimSpace(string(out))
}

// healthy reads the container's own health check.
func healthy(t *testing.T, id string) bool {
	t.Helper()
	state := docker(t, "inspect", "-f", "{{.State.Status}} {{.State.Health.Status}}", id)
	require.True(t, strings.HasPrefix(state, "running "), "%s: %s", state, docker(t, "logs", id))
	return state == "running healthy"
}

// published is the host's address of a container's port.
func published(t *testing.T, id, port string) string {
	t.Helper()
	return docker(t, "port", id, port)
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !condition() {
		require.True(t, time.Now().Before(deadline), "not in time")
		time.Sleep(100 * time.Millisecond)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644)) //nolint:gosec // read by another user, in a container
}
