package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/ledger/ledgertest"
	"github.com/rechargeflow/rechargeflow/pkg/ledger/sqlite"
)

// childLedger makes this test program a child that claims a trigger in the ledger at that path.
const childLedger = "LEDGER_TEST_CHILD"

// claimAndWaitToBeKilled is the child: it claims, accepts one of two, says so, and then hangs in its call to the provider.
func claimAndWaitToBeKilled(path string) int {
	ctx := context.Background()
	l, err := sqlite.Open(ctx, path, ledger.Options{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	done, err := l.Claim(ctx, ledgertest.Trigger("accepted before the crash"))
	if err == nil {
		err = l.Accept(ctx, done.MessageID, "p-1")
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	c, err := l.Claim(ctx, ledgertest.Trigger("in the provider's hands"))
	fmt.Println(c.Outcome, err)
	_, _ = os.Stdin.Read(make([]byte, 1)) // until killed: nothing is ever written
	return 1
}

// killedWhileSending runs a child until it is between claim and answer, and kills it.
func killedWhileSending(t *testing.T, path string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childLedger+"="+path)
	_, err := child.StdinPipe()
	require.NoError(t, err)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "claimed <nil>\n", line)
	require.NoError(t, child.Process.Kill())
	require.ErrorContains(t, child.Wait(), "killed")
}

func TestKilledBetweenClaimAndAnswer(t *testing.T) {
	t.Run("another process may be alive", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "ledger.db")
		killedWhileSending(t, path)
		var ahead time.Duration
		l := open(t, path, ledger.Options{Now: func() time.Time { return time.Now().Add(ahead) }})
		assert.Equal(t, ledger.InFlight, outcome(t, l, "in the provider's hands"))
		ahead = ledger.DefaultLease
		assert.Equal(t, ledger.Unknown, outcome(t, l, "in the provider's hands"))
		assert.Equal(t, ledger.Unknown, outcome(t, l, "in the provider's hands"))
		assert.Equal(t, ledger.AlreadyAccepted, outcome(t, l, "accepted before the crash"))
	})
	t.Run("no other process sends", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "ledger.db")
		killedWhileSending(t, path)
		l := open(t, path, ledger.Options{Sole: true})
		assert.Equal(t, ledger.Unknown, outcome(t, l, "in the provider's hands"))
		assert.Equal(t, ledger.AlreadyAccepted, outcome(t, l, "accepted before the crash"))
		messages, err := l.Messages(t.Context(), ledger.Filter{State: ledger.StateUnknown})
		require.NoError(t, err)
		require.Len(t, messages, 1)
		assert.Equal(t, "no_answer_noted", messages[0].Code)
	})
}

func outcome(t *testing.T, l ledger.Ledger, id string) ledger.Outcome {
	t.Helper()
	c, err := l.Claim(t.Context(), ledgertest.Trigger(id))
	require.NoError(t, err)
	return c.Outcome
}
