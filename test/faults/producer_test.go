package faults_test

import (
	"bufio"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// TestProducer kills a process that produces numbered records, and injects faults of its brokers. Every number that it printed is
// stored, none twice, and those of each key are in order.
func TestProducer(t *testing.T) {
	parallelInSample(t)
	t.Run("embedded", func(t *testing.T) {
		produceUnderFaults(t, newSystem(t, nil), pick(t, "ROUNDS", 1, 4), networkFaults())
	})
	t.Run("one broker", func(t *testing.T) {
		skipInSample(t)
		brokers := kafkatest.One(t, kafkatest.WithProxies(), kafkatest.WithSession(brokerSession))
		produceUnderFaults(t, newSystem(t, &brokers), pick(t, "ROUNDS", 0, 10), producerFaults(brokerFaults(false)))
	})
	t.Run("three brokers", func(t *testing.T) {
		skipInSample(t)
		brokers := kafkatest.Three(t, kafkatest.WithProxies())
		produceUnderFaults(t, newSystem(t, &brokers), pick(t, "ROUNDS", 0, 10), producerFaults(brokerFaults(true)))
	})
}

// producerFaults are the broker faults that affect a producer; holding the answers to Produce is the most frequent.
func producerFaults(all []fault) []fault {
	held := fault{name: "produced, and not answered", least: 5 * time.Second, begin: func(w *system) func() {
		w.logf("hold the answers to Produce")
		w.eachProxy(func(p *kafkatest.Proxy) { p.Hold(0) })
		return func() {
			w.eachProxy((*kafkatest.Proxy).Cut)
			w.eachProxy((*kafkatest.Proxy).Release)
		}
	}}
	return append(only(all, "connections cut", "a broker can't be reached", "a broker stands still", "leaders move"), killBroker(), held, held)
}

func produceUnderFaults(t *testing.T, w *system, rounds int, faults []fault) {
	t.Helper()
	binary, topic := buildFrom(t, "./numbers"), w.topics.Webhooks()
	acknowledged := map[string]bool{}
	count := map[string]int{}
	records := 0
	for round := range rounds {
		n := startNumbers(t, binary, w.lab.Brokers, topic, fmt.Sprintf("run%d", round))
		w.inject(count, [][]fault{faults})
		w.wait(between(w.Rand, time.Second, 3*time.Second), nil)
		for _, line := range n.kill() {
			acknowledged[line] = true
		}
		records = w.auditNumbers(topic, acknowledged)
	}
	w.logf("%d rounds, %d records, %d of them acknowledged, 0 lost, 0 duplicated, 0 out of order; faults: %v", rounds, records, len(acknowledged), count)
	assert.NotEmpty(t, acknowledged)
}

// auditNumbers checks the records and returns their number.
func (w *system) auditNumbers(topic string, acknowledged map[string]bool) int {
	w.Helper()
	seen, last := map[string]bool{}, map[string]int{}
	doubled, outOfOrder, lost := 0, 0, 0
	for r, err := range kafka.Scan(w.Context(), w.cluster, topic, time.Time{}) {
		require.NoError(w, err)
		value := string(r.Value)
		n, err := strconv.Atoi(value[strings.LastIndexByte(value, '/')+1:])
		require.NoError(w, err)
		switch key := string(r.Key); {
		case seen[value]:
			doubled++
		case n <= last[key]:
			outOfOrder++
		default:
			last[key] = n
		}
		seen[value] = true
	}
	for line := range acknowledged {
		if !seen[line] {
			lost++
		}
	}
	require.Equal(w, [3]int{}, [3]int{lost, doubled, outOfOrder}, "lost, duplicated, out of order")
	return len(seen)
}

// counting is a process that produces numbered records.
type counting struct {
	t       *testing.T
	command *exec.Cmd
	mutex   sync.Mutex
	printed []string
	read    chan struct{}
}

func startNumbers(t *testing.T, binary string, brokers []string, topic, run string) *counting {
	t.Helper()
	c := &counting{t: t, command: exec.CommandContext(t.Context(), binary, "-brokers", strings.Join(brokers, ","), "-topic", topic, "-run", run), read: make(chan struct{})}
	out, err := c.command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.command.Start())
	go func() {
		defer close(c.read)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			c.mutex.Lock()
			c.printed = append(c.printed, lines.Text())
			c.mutex.Unlock()
		}
	}()
	require.Eventually(t, func() bool {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		return len(c.printed) > 0
	}, 30*time.Second, 10*time.Millisecond)
	return c
}

// kill kills the process (SIGKILL) and returns its output.
func (c *counting) kill() []string {
	c.t.Helper()
	require.NoError(c.t, c.command.Process.Kill())
	<-c.read
	_ = c.command.Wait() // the error is the kill
	return c.printed
}
