package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/ledger/ledgertest"
	"github.com/rechargeflow/rechargeflow/pkg/ledger/sqlite"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childLedger); path != "" {
		os.Exit(claimAndWaitToBeKilled(path))
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, path string, o ledger.Options) *sqlite.Ledger {
	t.Helper()
	l, err := sqlite.Open(t.Context(), path, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	return l
}

func TestLedger(t *testing.T) {
	ledgertest.Run(t, func(t testing.TB) ledgertest.Open {
		path := filepath.Join(t.TempDir(), "ledger.db")
		return func(o ledger.Options) ledger.Ledger { return open(t, path, o) }
	})
}

func TestFileIsForThisUserOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new folder", "what? a #1 100% ledger.db")
	l := open(t, path, ledger.Options{})
	_, err := l.Claim(t.Context(), ledgertest.Trigger("t1"))
	require.NoError(t, err)
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		found, err := f.Info()
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), found.Mode().Perm(), f.Name())
		assert.Contains(t, f.Name(), "what? a #1 100% ledger.db")
	}
}

func TestClaimsAreOnTheDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	open(t, path, ledger.Options{})
	// The settings belong to a connection: this one is opened in the same way.
	db, err := sql.Open("sqlite", sqlite.Source(path))
	require.NoError(t, err)
	defer func() { assert.NoError(t, db.Close()) }()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"} {
		var got string
		require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		assert.Equal(t, want, got, pragma)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	_, err := sqlite.Open(t.Context(), dir, ledger.Options{})
	require.ErrorContains(t, err, "open ledger "+dir)

	text := filepath.Join(dir, "text.db")
	require.NoError(t, os.WriteFile(text, []byte("this is no database, but a text that is long enough to be looked at"), 0o600))
	_, err = sqlite.Open(t.Context(), text, ledger.Options{})
	require.ErrorContains(t, err, "not a database")

	newer := filepath.Join(dir, "newer.db")
	require.NoError(t, open(t, newer, ledger.Options{}).Close())
	db, err := sql.Open("sqlite", newer)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "PRAGMA user_version = 7")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = sqlite.Open(t.Context(), newer, ledger.Options{})
	require.ErrorContains(t, err, "the file has version 7, this program supports 1")
}

func BenchmarkClaimAndAccept(b *testing.B) {
	l := open(b, filepath.Join(b.TempDir(), "ledger.db"), ledger.Options{})
	tr := ledgertest.Trigger("")
	for b.Loop() {
		tr.ID = time.Now().String()
		c, err := l.Claim(b.Context(), tr)
		if err == nil {
			err = l.Accept(b.Context(), c.MessageID, "p")
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
