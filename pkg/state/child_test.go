package state_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/state"
)

// A child is this test program, run as a transformer that sends itself a signal at a point.
const (
	childDir    = "STATE_TEST_CHILD"
	childBroker = "STATE_TEST_BROKER"
	childPrefix = "STATE_TEST_PREFIX"
	childAt     = "STATE_TEST_AT"     // the point, "" for none
	childSignal = "STATE_TEST_SIGNAL" // what it sends itself there: KILL or STOP
)

// The points between a transaction's end and the local write; the others are fault points of pkg/kafka.
const (
	beforeApply = "before apply"
	afterApply  = "after apply"
)

// whileRestoring has a child take over one partition and do nothing else.
const whileRestoring = "while restoring"

func child() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	what := map[string]syscall.Signal{"KILL": syscall.SIGKILL, "STOP": syscall.SIGSTOP}[os.Getenv(childSignal)]
	var times atomic.Int64
	c := chain{prefix: os.Getenv(childPrefix), cluster: kafka.Cluster{Brokers: []string{os.Getenv(childBroker)}}, step: func(step string) {
		if step == os.Getenv(childAt) && times.Add(1) == 3 {
			_ = syscall.Kill(os.Getpid(), what)
			for what == syscall.SIGKILL { // until the signal arrives
				time.Sleep(time.Millisecond)
			}
		}
	}}
	if os.Getenv(childAt) == whileRestoring {
		store, err := state.Open(state.Config{Dir: os.Getenv(childDir), Topic: c.state(), Cluster: c.cluster})
		if err == nil {
			err = store.Partition(0).TakeOver(ctx)
		}
		fmt.Fprintln(os.Stderr, "restored", err)
		<-ctx.Done()
		return
	}
	if err := c.run(ctx, os.Getenv(childDir), zap.Must(zap.NewDevelopment())); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// startChild starts a transformer in a process of its own, which is killed with the test at the latest.
func startChild(t *testing.T, c chain, dir, at, signal string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), childDir+"="+dir, childBroker+"="+c.cluster.Brokers[0], childPrefix+"="+c.prefix,
		childAt+"="+at, childSignal+"="+signal)
	command.Stderr = testLog{t}
	require.NoError(t, command.Start())
	return command
}

// testLog writes a child's log to the test's log.
type testLog struct{ t *testing.T }

func (l testLog) Write(line []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(line)))
	return len(line), nil
}

// chain is a transformer whose every output depends on all records of its key before, in order: a hash of the last and the
// record. A hash that begins with 0 deletes the row, and the next starts without one.
type chain struct {
	prefix  string
	cluster kafka.Cluster
	step    func(string)
	cache   int64
}

func (c chain) input() string  { return c.prefix + "-input" }
func (c chain) output() string { return c.prefix + "-output" }
func (c chain) state() string  { return c.prefix + "-state" }

func link(last, record []byte) (value []byte, kept bool) {
	sum := sha256.Sum256(append(append([]byte{}, last...), record...))
	value = []byte(hex.EncodeToString(sum[:8]))
	return value, value[0] != '0'
}

func (c chain) run(ctx context.Context, dir string, log *zap.Logger) error {
	store, err := state.Open(state.Config{
		Dir: dir, Topic: c.state(), Cluster: c.cluster, AdvanceEvery: 10 * time.Millisecond, CacheBytes: c.cache, Log: log,
	})
	if err != nil {
		return err
	}
	if err := c.consume(ctx, store, log); err != nil {
		return err
	}
	return store.Close()
}

// consume transforms the input until ctx ends.
func (c chain) consume(ctx context.Context, store *state.Store, log *zap.Logger) error {
	consumer := kafka.NewConsumer(c.cluster, kafka.ConsumerConfig{
		Group: c.prefix, Topics: []string{c.input()}, MaxBatch: 10, FetchWait: 50 * time.Millisecond,
		SessionTimeout: 6 * time.Second, HeartbeatInterval: 100 * time.Millisecond, RebalanceTimeout: 10 * time.Second, FaultPoint: c.step,
	}, log)
	return consumer.RunTransactions(ctx, kafka.Transactions{
		TakeOver: func(ctx context.Context, number int) error { return store.Partition(number).TakeOver(ctx) },
		Release:  func(number int) { store.Partition(number).Release() },
		Transform: func(_ context.Context, records []kafka.Record) (kafka.TransformResult, error) {
			return c.transform(store, records)
		},
	})
}

func (c chain) transform(store *state.Store, records []kafka.Record) (kafka.TransformResult, error) {
	overlay := store.Partition(records[0].Partition).Begin()
	var outputs []kafka.Record
	for _, r := range records {
		value, kept := link(overlay.Get(r.Key), r.Value)
		outputs = append(outputs, kafka.Record{Topic: c.output(), Partition: r.Partition, Key: r.Key, Value: value})
		if !kept {
			value = nil
		}
		overlay.Set(r.Key, value)
	}
	rows, err := overlay.Rows()
	if err != nil {
		overlay.Drop()
		return kafka.TransformResult{}, err
	}
	return kafka.TransformResult{Finished: len(records), Outputs: append(outputs, rows...), OnEnd: func(err error) {
		if err != nil {
			overlay.Drop()
			return
		}
		c.step(beforeApply)
		overlay.Apply()
		c.step(afterApply)
	}}, nil
}

// expected is the result of all input: the outputs by partition, and the state by partition.
func (c chain) expected(t *testing.T) (outputs map[int][]string, rows map[int]map[string]string) {
	t.Helper()
	outputs, rows = map[int][]string{}, map[int]map[string]string{}
	for r, err := range kafka.Scan(t.Context(), c.cluster, c.input(), time.Time{}) {
		require.NoError(t, err)
		if rows[r.Partition] == nil {
			rows[r.Partition] = map[string]string{}
		}
		value, kept := link([]byte(rows[r.Partition][string(r.Key)]), r.Value)
		outputs[r.Partition] = append(outputs[r.Partition], string(r.Key)+" "+string(value))
		if kept {
			rows[r.Partition][string(r.Key)] = string(value)
		} else {
			delete(rows[r.Partition], string(r.Key))
		}
	}
	return outputs, rows
}

func (c chain) outputs(t *testing.T) map[int][]string {
	t.Helper()
	outputs := map[int][]string{}
	for r, err := range kafka.Scan(t.Context(), c.cluster, c.output(), time.Time{}) {
		require.NoError(t, err)
		outputs[r.Partition] = append(outputs[r.Partition], string(r.Key)+" "+string(r.Value))
	}
	return outputs
}
