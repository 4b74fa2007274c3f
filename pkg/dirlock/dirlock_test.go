package dirlock_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/dirlock"
)

func TestADirectoryHasOneLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "does", "not exist")
	first, err := dirlock.Acquire(dir)
	require.NoError(t, err)
	_, err = dirlock.Acquire(dir)
	require.ErrorIs(t, err, dirlock.ErrLocked)
	require.NoError(t, first.Close())
	second, err := dirlock.Acquire(dir)
	require.NoError(t, err)
	require.NoError(t, second.Close())
}

func TestAcquireFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := dirlock.Acquire(file)
	require.ErrorContains(t, err, "create directory")
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "lock"), 0o700))
	_, err = dirlock.Acquire(dir)
	require.ErrorContains(t, err, "open lock file")
}

const childVariable = "RECHARGEFLOW_TEST_CHILD_DIR"

// The lock of a process that is killed is free.
func TestAKilledProcessReleasesItsLock(t *testing.T) {
	if dir := os.Getenv(childVariable); dir != "" {
		_, err := dirlock.Acquire(dir)
		require.NoError(t, err)
		_, err = os.Stdout.WriteString("locked\n")
		require.NoError(t, err)
		select {} // until the test kills it
	}
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAKilledProcessReleasesItsLock$") //nolint:gosec // this test
	child.Env = append(os.Environ(), childVariable+"="+dir)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	_, err = out.Read(make([]byte, 1))
	require.NoError(t, err)
	_, err = dirlock.Acquire(dir)
	require.ErrorIs(t, err, dirlock.ErrLocked)
	require.NoError(t, child.Process.Kill())
	require.Error(t, child.Wait())
	lock, err := dirlock.Acquire(dir)
	require.NoError(t, err)
	assert.NoError(t, lock.Close())
}
