package app

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

// TestStateDiskFull: /readyz and a metric say that the disk of the state is full. The gateway goes on, and the transformer continues
// when there is space.
func TestStateDiskFull(t *testing.T) {
	bloomreach := bloomreachtest.New()
	t.Cleanup(bloomreach.Close)
	cfg := trial(t, bloomreach.BaseURL())
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("mount a small tmpfs: %v; needs root", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	cfg.Transformer.StateDir = filepath.Join(dir, "state")
	p := start(t, cfg)
	p.awaitReady()

	ballast := filepath.Join(dir, "ballast")
	err := os.WriteFile(ballast, make([]byte, 64<<20), 0o600)
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.Eventually(t, func() bool {
		return strings.Contains(p.readiness("state disk of transformer"), "no space left on the disk of the local state")
	}, patience, 10*time.Millisecond)
	assert.Contains(t, p.get("/metrics"), `rechargeflow_state_disk_full{role="transformer"} 1`)
	assert.Contains(t, p.get("/readyz"), `"status":"ready"`, "the gateway is ready")
	for customer := range 3 {
		assert.Equal(t, http.StatusOK, p.send(1+customer))
	}
	require.NoError(t, os.Remove(ballast))
	require.Eventually(t, func() bool { return len(bloomreach.Events()) == 3 }, patience, 10*time.Millisecond, "%v", p.log)
	require.Eventually(t, func() bool { return p.readiness("state disk of transformer") == "" }, patience, 10*time.Millisecond)
	assert.Contains(t, p.get("/metrics"), `rechargeflow_state_disk_full{role="transformer"} 0`)
	p.stop()
	require.NoError(t, p.end())
}

// readiness is the error of a check of /readyz, "" if it is ok.
func (p *process) readiness(name string) string {
	for _, check := range p.app.health.Report().Checks {
		if check.Name == name {
			return check.Error
		}
	}
	return "there is no such check"
}
