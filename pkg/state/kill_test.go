package state_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/state"
)

const (
	chainPartitions = 3
	chainKeys       = 20
)

// newChain makes the topics of a transformer.
func newChain(t *testing.T, cluster kafka.Cluster) chain {
	t.Helper()
	c := chain{prefix: "chain-" + strings.ToLower(rand.Text()), cluster: cluster, step: func(string) {}}
	topic(t, cluster, c.input(), chainPartitions, nil)
	topic(t, cluster, c.output(), chainPartitions, nil)
	topic(t, cluster, c.state(), chainPartitions, map[string]string{"cleanup.policy": "compact"})
	return c
}

// feed writes records for all partitions.
func (c chain) feed(t *testing.T, producer *kafka.Producer, rounds int) {
	t.Helper()
	var records []kafka.Record
	for i := range rounds {
		for partition := range chainPartitions {
			records = append(records, kafka.Record{
				Topic: c.input(), Partition: partition, Key: fmt.Appendf(nil, "key %d", i%chainKeys), Value: []byte(rand.Text()),
			})
		}
	}
	require.NoError(t, producer.Produce(t.Context(), records...))
}

// running is a transformer in this process.
func running(t *testing.T, c chain, dir string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.run(ctx, dir, zap.NewNop()) }()
	return func() {
		cancel()
		require.NoError(t, <-ended)
	}
}

func count(outputs map[int][]string) (n int) {
	for _, each := range outputs {
		n += len(each)
	}
	return n
}

// awaitOutputs waits until all input has its output.
func (c chain) awaitOutputs(t *testing.T) {
	t.Helper()
	want, _ := c.expected(t)
	require.Eventually(t, func() bool { return count(c.outputs(t)) >= count(want) }, time.Minute, 20*time.Millisecond)
}

// check compares outputs, and the state that each of the directories comes to, with what they must be. The copies must be
// continued, but for those that are new.
func (c chain) check(t *testing.T, dirs ...string) {
	t.Helper()
	outputs, rows := c.expected(t)
	assert.Equal(t, outputs, c.outputs(t), "each record has its output once, in order")
	for _, dir := range append(dirs, t.TempDir()) {
		for partition := range chainPartitions {
			log, seen := observed()
			store, err := state.Open(state.Config{Dir: dir, Topic: c.state(), Cluster: c.cluster, Log: log})
			require.NoError(t, err)
			p := store.Partition(partition)
			require.NoError(t, p.TakeOver(t.Context()))
			overlay := p.Begin()
			assert.Equal(t, rows[partition], contents(overlay, ""))
			overlay.Drop()
			for _, entry := range seen.FilterMessageSnippet("restoring state").All() {
				assert.Equal(t, "none", entry.ContextMap()["local_copy"])
			}
			require.NoError(t, store.Close())
		}
	}
	for partition := range chainPartitions {
		assert.Equal(t, rows[partition], fold(t, c.cluster, c.state(), partition))
	}
}

// crashes is what must hold on both brokers.
var crashes = map[string]func(*testing.T, kafka.Cluster){
	"killed before it writes":     killedAt("caught up", "transformed", "partitions added"),
	"killed while it writes":      killedAt("offsets added", "outputs written", "transaction ended"),
	"killed around its Apply":     killedAt(beforeApply, afterApply),
	"a zombie in its transaction": zombieAt("outputs written"),
	"a zombie before its Apply":   zombieAt(beforeApply),
	"a zombie after its takeover": zombieAt("caught up"),
}

func TestCrashesOnTheEmbeddedBroker(t *testing.T) { crash(t, kafkatest.Embedded(t).Cluster()) }

func TestCrashesOnApacheKafka(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Apache Kafka; run without -short")
	}
	crash(t, kafkatest.Real(t).Cluster())
}

func crash(t *testing.T, cluster kafka.Cluster) {
	for name, test := range crashes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, cluster)
		})
	}
}

// A process is killed at each of some points of its third takeover or transaction, and starts again in its directory.
func killedAt(points ...string) func(*testing.T, kafka.Cluster) {
	return func(t *testing.T, cluster kafka.Cluster) {
		c, dir, producer := newChain(t, cluster), t.TempDir(), producerFor(t, cluster)
		for _, at := range points {
			c.feed(t, producer, 100)
			err := startChild(t, c, dir, at, "KILL").Wait()
			require.ErrorContains(t, err, "killed", at)
		}
		stop := running(t, c, dir)
		c.awaitOutputs(t)
		stop()
		c.check(t, dir)
	}
}

// A process is stopped where it is, before or after its transaction becomes visible, long enough for another to take its
// partitions over and to go on; then it wakes up, and gets them back.
func zombieAt(at string) func(*testing.T, kafka.Cluster) {
	return func(t *testing.T, cluster kafka.Cluster) {
		c, dir, other, producer := newChain(t, cluster), t.TempDir(), t.TempDir(), producerFor(t, cluster)
		c.feed(t, producer, 100)
		zombie := startChild(t, c, dir, at, "STOP")
		awaitStopped(t, zombie.Process.Pid)
		c.feed(t, producer, 100)
		stop := running(t, c, other)
		c.awaitOutputs(t)
		c.feed(t, producer, 100)
		require.NoError(t, zombie.Process.Signal(syscall.SIGCONT))
		c.awaitOutputs(t)
		stop()
		c.feed(t, producer, 100)
		c.awaitOutputs(t)
		require.NoError(t, zombie.Process.Signal(syscall.SIGTERM))
		require.NoError(t, zombie.Wait())
		c.check(t, dir, other)
	}
}

// awaitStopped waits until a child of ours has stopped itself.
func awaitStopped(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(pid, &status, syscall.WUNTRACED|syscall.WNOHANG, nil)
		return err == nil && got == pid && status.Stopped()
	}, patience, 10*time.Millisecond)
}

func producerFor(t *testing.T, cluster kafka.Cluster) *kafka.Producer {
	t.Helper()
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	t.Cleanup(func() { assert.NoError(t, producer.Close()) })
	return producer
}

// Files that are damaged while a transformer runs are restored by a takeover.
func TestDamageUnderATransformerIsMended(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	c, dir, producer := newChain(t, cluster), t.TempDir(), producerFor(t, cluster)
	c.cache = 1 // so that all is read from the files
	var takeovers atomic.Int64
	c.step = func(step string) {
		if step == "caught up" {
			takeovers.Add(1)
		}
	}
	c.feed(t, producer, 100)
	stop := running(t, c, dir)
	c.awaitOutputs(t)
	stop()
	stop = running(t, c, dir)
	require.Eventually(t, func() bool { return takeovers.Load() == 2*chainPartitions }, patience, time.Millisecond)
	damage(t, state.Config{Dir: dir}, "*.sst")
	c.feed(t, producer, 100)
	c.awaitOutputs(t)
	stop()
	assert.Greater(t, takeovers.Load(), int64(2*chainPartitions))
	c.check(t)
}

// A process is killed in the middle of restoring: the next one continues there.
func TestKilledWhileRestoring(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	c := newChain(t, cluster)
	own(t, quiet(t.TempDir(), c.state(), cluster), 0) // gives it its origin
	producer := producerFor(t, cluster)
	for round := range 120 { // 60 MB, some memtables
		var records []kafka.Record
		for i := range 1000 {
			r := kafka.Record{Topic: c.state(), Key: fmt.Appendf(nil, "key %d", round*1000+i), Value: []byte(strings.Repeat(rand.Text(), 20))}
			switch i % 10 {
			case 0: // one of the round before
				r.Key, r.Value = fmt.Appendf(nil, "key %d", round*1000+i-999), nil
			case 1:
				r.Key = []byte("always")
			}
			records = append(records, r)
		}
		require.NoError(t, producer.Produce(t.Context(), records...))
	}
	dir := t.TempDir()
	process := startChild(t, c, dir, whileRestoring, "")
	require.Eventually(t, func() bool {
		files, err := filepath.Glob(filepath.Join(dir, "rows", "*.sst"))
		return err == nil && len(files) > 1
	}, patience, time.Millisecond)
	require.NoError(t, process.Process.Kill())
	require.ErrorContains(t, process.Wait(), "killed")

	log, seen := observed()
	config := quiet(dir, c.state(), cluster)
	config.Log = log
	o := own(t, config, 0)
	assert.Zero(t, seen.FilterMessageSnippet("from the beginning").Len())
	assert.Positive(t, seen.FilterMessage("state restored").All()[0].ContextMap()["from"])
	assert.True(t, maps.Equal(fold(t, cluster, c.state(), 0), o.all()))
}
