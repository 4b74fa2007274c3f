package story_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const refused = 4 // customers whose subscriptions Bloomreach refuses

// TestRedrive makes dead letters: Bloomreach refuses some events, and the transformer a webhook of an unknown customer. After the
// causes are fixed an operator lists the dead letters and replays them, is interrupted, and replays the rest. Each is delivered
// once, and the events have the lineage of their original webhooks.
func TestRedrive(t *testing.T) {
	eachBroker(t, func(t *testing.T, l *lab.Lab, processes map[string]*lab.Process) {
		l.Bloomreach.RejectWhen(func(c bloomreachtest.Command) []string {
			for id := 1; id <= refused; id++ {
				if bytes.Contains(c.Data, fmt.Appendf(nil, `"%d"`, 1000+id)) {
					return []string{"event type is not in the project"}
				}
			}
			return nil
		})
		now := time.Now().UTC()
		for id := 1; id <= refused+2; id++ {
			require.NoError(t, deliver(t.Context(), l, webhook(0, id, now)))
		}
		unknown := webhook(0, 99, now)
		unknown.Body, _, _ = bytes.Cut(unknown.Body, []byte(`,"customer":`))
		unknown.Body = append(unknown.Body, '}')
		require.NoError(t, deliver(t.Context(), l, unknown))

		topics := topology.Topics{Prefix: l.Prefix}
		dead := func(role topology.Role) int { return len(read(t, l, topics.DeadLetters(role))) }
		eventually(t, func() bool { return dead(topology.RoleTracking) == refused && dead(topology.RoleTransformer) == 1 })
		out, _ := command(t, l, "deadletter", "list")
		assert.Contains(t, out, fmt.Sprintf("dead letters: %d\n", refused+1))
		assert.Contains(t, out, fmt.Sprintf("tracking refused: %d, sent again: 0\n", refused))
		assert.Contains(t, out, "transformer customer_unknown: 1, sent again: 0\n")
		before := len(trackedFacts(l))

		l.Bloomreach.RejectWhen(nil)
		l.API.PutCustomer("99", []byte(`{"customer":{"id":99,"email":"c99@example.com","subscriptions_active_count":1,"updated_at":"2026-03-01T10:00:00+00:00"}}`))
		out, code := command(t, l, "deadletter", "replay")
		assert.Zero(t, code, "a preview: "+out)
		assert.Empty(t, read(t, l, topics.Redrive(topology.RoleTracking)))
		interruptReplay(t, l, topics)
		out, code = command(t, l, "deadletter", "replay", "--yes")
		assert.Zero(t, code, out)

		eventually(t, func() bool {
			return trackedFacts(l)["subscriptioncreated1099<nil>"] == 1 && len(trackedFacts(l)) == before+refused+1
		})
		out, _ = command(t, l, "deadletter", "list")
		assert.Contains(t, out, fmt.Sprintf("dead letters: %d\n", refused+1), "no new dead letter")
		assert.Contains(t, out, fmt.Sprintf("tracking refused: %d, sent again: %d\n", refused, refused))
		assert.Len(t, read(t, l, topics.Redrive(topology.RoleTracking)), refused)
		for _, e := range read(t, l, topics.Events()) {
			assert.Equal(t, topics.Webhooks(), e.Header(envelope.HeaderRawTopic))
		}
		stop(t, processes)
		checkTracked(t, l)
		assert.Zero(t, l.Bloomreach.Deduplicated())
	})
}

// interruptReplay replays the dead letters, one every half second, and sends Ctrl-C after the first.
func interruptReplay(t *testing.T, l *lab.Lab, topics topology.Topics) {
	t.Helper()
	var out bytes.Buffer
	replay := exec.CommandContext(t.Context(), l.Binary, "deadletter", "replay", "--config", l.Config(), "--yes", "--rate", "2", "--role", "tracking")
	replay.Stdout, replay.Stderr = &out, &out
	require.NoError(t, replay.Start())
	eventually(t, func() bool { return len(read(t, l, topics.Redrive(topology.RoleTracking))) > 0 })
	require.NoError(t, replay.Process.Signal(os.Interrupt))
	require.Error(t, replay.Wait())
	assert.Equal(t, 1, replay.ProcessState.ExitCode(), out.String())
	there := len(read(t, l, topics.Redrive(topology.RoleTracking)))
	assert.Less(t, there, refused)
	assert.Contains(t, out.String(), fmt.Sprintf("sent: %d of %d\nsent last: tracking/", there, refused))
	assert.Contains(t, out.String(), "the same call continues with the next one: what was sent is skipped\n")
}

// command calls the binary with the lab's configuration, and returns its standard output and exit code.
func command(t *testing.T, l *lab.Lab, words ...string) (string, int) {
	t.Helper()
	args := append([]string{words[0], words[1], "--config", l.Config()}, words[2:]...)
	cmd := exec.CommandContext(t.Context(), l.Binary, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		require.NotZero(t, cmd.ProcessState.ExitCode(), "%v: %s", err, stderr.String())
	}
	return string(out) + stderr.String(), cmd.ProcessState.ExitCode()
}
