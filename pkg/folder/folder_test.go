package folder_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/folder"
)

func TestAFolderHasOneOwner(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "for it")
	first, err := folder.Take(dir)
	require.NoError(t, err)
	_, err = folder.Take(dir)
	require.ErrorIs(t, err, folder.ErrLocked)
	require.NoError(t, first.Close())
	second, err := folder.Take(dir)
	require.NoError(t, err)
	require.NoError(t, second.Close())
}

func TestWhatIsNoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := folder.Take(file)
	require.ErrorContains(t, err, "make folder")
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "lock"), 0o700))
	_, err = folder.Take(dir)
	require.ErrorContains(t, err, "open lock")
}

const childVariable = "RECHARGEFLOW_TEST_CHILD_DIR"

// A process that is killed leaves its folder to the next.
func TestAKilledOwnerHasItNoMore(t *testing.T) {
	if dir := os.Getenv(childVariable); dir != "" {
		_, err := folder.Take(dir)
		require.NoError(t, err)
		_, err = os.Stdout.WriteString("taken\n")
		require.NoError(t, err)
		select {} // until it is killed
	}
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAKilledOwnerHasItNoMore$") //nolint:gosec // this test
	child.Env = append(os.Environ(), childVariable+"="+dir)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	_, err = out.Read(make([]byte, 1))
	require.NoError(t, err)
	_, err = folder.Take(dir)
	require.ErrorIs(t, err, folder.ErrLocked)
	require.NoError(t, child.Process.Kill())
	require.Error(t, child.Wait())
	lock, err := folder.Take(dir)
	require.NoError(t, err)
	assert.NoError(t, lock.Close())
}
