package story_test

import (
	"context"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// TestStopWithoutKafka: the brokers are gone, or hang, under load. The gateway says so in /readyz. SIGHUP ends no process, SIGTERM
// ends each within shutdown_timeout, and a second one at once. When brokers and processes are back, no accepted webhook is lost and
// each fact was sent once.
func TestStopWithoutKafka(t *testing.T) {
	atOnce(t, map[string]func(*testing.T){
		"brokers refuse connections": func(t *testing.T) {
			broker := kafkatest.Embedded(t, kafkatest.WithProxies())
			stopWithoutKafka(t, broker.Addr(), broker.Proxy().Refuse, broker.Proxy().Accept)
		},
		"brokers are frozen": func(t *testing.T) {
			if testing.Short() {
				t.Skip("starts Apache Kafka; run without -short")
			}
			broker := kafkatest.One(t).Broker(1)
			stopWithoutKafka(t, broker.Addr(), broker.Freeze, broker.Thaw)
		},
	})
}

func stopWithoutKafka(t *testing.T, addr string, down, up func()) {
	l := newLab(t, "subscription_started")
	l.Brokers, l.Prefix = []string{addr}, lab.RandomPrefix("stop")
	require.NoError(t, l.ApplyTopics(t.Context()))
	const timeout = 10 * time.Second
	run := func() map[string]*lab.Process {
		processes := map[string]*lab.Process{}
		for _, role := range topology.Roles() {
			p, err := l.Launch(t.Context(), []string{"RECHARGEFLOW_SHUTDOWN_TIMEOUT=" + timeout.String()}, string(role))
			require.NoError(t, err)
			t.Cleanup(p.Kill)
			processes[string(role)] = p
		}
		for role, p := range processes {
			require.NoError(t, p.AwaitReady(t.Context()), "%s: %s", role, p.Output())
		}
		return processes
	}
	processes := run()
	sent := make(chan error, 1)
	go func() { sent <- sendFirst(t.Context(), l) }()
	eventually(t, func() bool { return len(trackedFacts(l)) > customers/4 })
	down()
	eventually(t, func() bool {
		body, err := processes["gateway"].Readiness(t.Context())
		return err == nil && strings.Contains(body, `"status":"not ready"`)
	})
	for _, p := range processes {
		require.NoError(t, p.Signal(syscall.SIGHUP))
		eventually(t, func() bool { return strings.Contains(p.Output(), "configuration reloaded, nothing to take up") })
	}
	require.NoError(t, processes["tracking"].Signal(syscall.SIGTERM))
	eventually(t, func() bool { return strings.Contains(processes["tracking"].Output(), "stopping: ") })
	endsWithin(t, "tracking", processes["tracking"], 2*time.Second)
	delete(processes, "tracking")
	var stops sync.WaitGroup
	for role, p := range processes {
		stops.Go(func() { endsWithin(t, role, p, timeout+time.Second) })
	}
	stops.Wait()

	up()
	processes = run()
	require.NoError(t, <-sent)
	// a text that was claimed when Kafka went away is unknown if its receipt could not be written
	eventually(t, func() bool { return len(trackedFacts(l)) == customers && settledTexts(t, l) == customers })
	counts := statuses(t, l)
	t.Logf("texts: %v", counts)
	checkTracked(t, l)
	assert.Empty(t, l.Texts.Duplicates())
	assert.GreaterOrEqual(t, len(l.Texts.Texts()), counts[message.Accepted])
	assert.LessOrEqual(t, counts[message.Unknown], 10, "texts at once")
	stop(t, processes)
}

// endsWithin sends SIGTERM and checks how long the process takes to end.
func endsWithin(t *testing.T, role string, p *lab.Process, limit time.Duration) {
	t.Helper()
	began := time.Now()
	err := p.Stop(40 * time.Second)
	took := time.Since(began)
	t.Logf("%s ended after %v (%v)", role, took.Round(time.Millisecond), err)
	assert.Less(t, took, limit, "%s: %s", role, p.Output())
}

// sendFirst sends the first webhook of each customer, each until it is accepted.
func sendFirst(ctx context.Context, l *lab.Lab) error {
	now := time.Now().UTC()
	for id := 1; id <= customers; id++ {
		if err := deliver(ctx, l, webhook(0, id, now)); err != nil {
			return err
		}
	}
	return nil
}
