package state_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// smallDisk mounts a file system of 64 MiB. Without root the test is skipped.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("mount a small tmpfs: %v; needs root", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	return dir
}

// fill fills a disk to its last byte with a file, and returns how to remove it.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	file, err := os.Create(name)
	require.NoError(t, err)
	for block := make([]byte, 1<<16); err == nil; {
		_, err = file.Write(block)
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, file.Close())
	return func() { require.NoError(t, os.Remove(name)) }
}

// transformer is a chain with its store.
type transformer struct {
	t     *testing.T
	store *state.Store
	stop  context.CancelFunc
	ended chan error
}

func transform(t *testing.T, c chain, dir string, log *zap.Logger) *transformer {
	t.Helper()
	store, err := state.Open(state.Config{Dir: dir, Topic: c.state(), Cluster: c.cluster, AdvanceEvery: 10 * time.Millisecond, Log: log})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &transformer{t: t, store: store, stop: stop, ended: make(chan error, 1)}
	go func() { r.ended <- errors.Join(c.consume(ctx, store, log), store.Close()) }()
	return r
}

// end stops the transformer and returns how long that took.
func (r *transformer) end() time.Duration {
	r.t.Helper()
	began := time.Now()
	r.stop()
	require.NoError(r.t, <-r.ended)
	return time.Since(began)
}

// TestFullDisk: the disk of the state gets full under load. The transformer waits, quietly, says so, and continues by itself when
// there is space. It stops in time while the disk is full, and starts on a full disk. Nothing is lost or published twice.
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t)
	c := chain{prefix: "full", cluster: kafkatest.Embedded(t).Cluster(), step: func(string) {}}
	for _, name := range []string{c.input(), c.output(), c.state()} {
		topic(t, c.cluster, name, 3, map[string]string{"cleanup.policy": "delete", "delete.retention.ms": "604800000"})
	}
	producer := kafka.NewProducer(c.cluster, kafka.ProducerConfig{})
	defer func() { require.NoError(t, producer.Close()) }()
	sent := 0
	send := func(n int) {
		t.Helper()
		for range n {
			sent++
			require.NoError(t, producer.Produce(t.Context(), kafka.Record{
				Topic: c.input(), Partition: sent % 3, Key: fmt.Append(nil, sent%17), Value: fmt.Append(nil, sent),
			}))
		}
	}
	published := func() (n int) {
		for _, outputs := range c.outputs(t) {
			n += len(outputs)
		}
		return n
	}
	log, seen := observed()
	r := transform(t, c, dir, log)
	send(60)
	require.Eventually(t, func() bool { return published() == sent }, patience, 20*time.Millisecond)

	free := fill(t, dir)
	require.Eventually(t, func() bool { return r.store.Full() != nil }, patience, 20*time.Millisecond)
	require.ErrorContains(t, r.store.Full(), dir+": less than 32 MiB are free")
	send(60)
	spent, until := cpu(t), time.Now().Add(1500*time.Millisecond)
	require.Eventually(t, func() bool { return time.Now().After(until) }, patience, 100*time.Millisecond)
	assert.Less(t, cpu(t)-spent, 700*time.Millisecond, "it waits")
	assert.Less(t, published(), sent)
	free()
	require.Eventually(t, func() bool { return published() == sent }, patience, 20*time.Millisecond, "it continues")
	require.NoError(t, r.store.Full())

	free = fill(t, dir)
	require.Eventually(t, func() bool { return r.store.Full() != nil }, patience, 20*time.Millisecond)
	send(60)
	assert.Less(t, r.end(), 8*time.Second)
	again := transform(t, c, dir, log)
	require.Error(t, again.store.Full(), "it starts, and waits")
	send(60)
	free()
	require.Eventually(t, func() bool { return published() == sent }, patience, 20*time.Millisecond)
	again.end()

	wantOutputs, wantRows := c.expected(t)
	assert.Equal(t, wantOutputs, c.outputs(t), "nothing is lost or published twice")
	for partition, rows := range wantRows {
		assert.Equal(t, rows, fold(t, c.cluster, c.state(), partition))
	}
	lines := 0
	for _, entry := range seen.All() {
		if strings.HasPrefix(entry.Message, "state disk failed") {
			lines++
		}
		assert.Empty(t, entry.Stack)
		assert.NotContains(t, fmt.Sprint(entry.ContextMap()), "stack trace")
	}
	assert.Equal(t, 3, lines, "one line each time")
}

// cpu is the processor time of this process.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
