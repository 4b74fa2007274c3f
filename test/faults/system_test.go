package faults_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const (
	// session is the time after which a silent member loses its partitions: lab's kafka.session_timeout.
	session    = 6 * time.Second
	partitions = 12
)

// system is brokers and the processes on them.
type system struct {
	*testing.T
	*rand.Rand
	lab        *lab.Lab
	brokers    *kafkatest.Cluster // nil for the embedded broker
	proxies    []*kafkatest.Proxy // one before each broker, or none
	topics     topology.Topics
	cluster    kafka.Cluster
	bloomreach *bloomreachProxy
	load       *load
	began      time.Time

	transformers []*member
	gateway      *member
	tracking     *member
	sms          *member // if texts are sent
	members      int
}

// everything is the process with all roles and a broker.
const everything = "everything"

// member is one process, and its name in the log.
type member struct {
	*lab.Process
	name string
}

// newSystem creates topics on brokers (nil: an embedded one of this process) and starts nothing.
func newSystem(t *testing.T, brokers *kafkatest.Cluster) *system {
	t.Helper()
	w := newIdleSystem(t)
	w.brokers = brokers
	if brokers == nil {
		broker := kafkatest.Embedded(t, kafkatest.WithProxies())
		w.cluster, w.proxies = broker.Cluster(), []*kafkatest.Proxy{broker.Proxy()}
	} else {
		w.cluster, w.proxies = brokers.Cluster(), brokers.Proxies()
	}
	w.lab.Brokers = w.cluster.Brokers
	w.lab.Replicated = len(w.lab.Brokers) > 1
	w.applyTopics(nil)
	return w
}

// newIdleSystem is a system with running simulators only.
func newIdleSystem(t *testing.T) *system {
	t.Helper()
	l, err := lab.New(t.TempDir(), build(t))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	l.LogLevel = "warn"
	l.Prefix = lab.RandomPrefix("faults")
	return &system{
		T: t, Rand: random(t), lab: l, topics: topology.Topics{Prefix: l.Prefix}, began: time.Now(),
		bloomreach: newBloomreachProxy(t, l), load: newLoad(l),
	}
}

// applyTopics creates the topics of the built-in file; change may change one.
func (w *system) applyTopics(change func(*admin.TopicSpec)) {
	w.Helper()
	spec, err := admin.ParseTopics(configs.Topics(), admin.TopicOptions{
		Prefix: w.topics.Prefix, SingleBroker: !w.lab.Replicated, Partitions: partitions,
	})
	require.NoError(w, err)
	for i := range spec.Topics {
		if change != nil {
			change(&spec.Topics[i])
		}
	}
	require.EventuallyWithT(w, func(c *assert.CollectT) {
		_, err := admin.Apply(w.Context(), w.cluster, spec)
		assert.NoError(c, err)
	}, 30*time.Second, 100*time.Millisecond)
}

// build builds the binary with the fault points.
func build(t *testing.T) string {
	t.Helper()
	return buildFrom(t, "../../cmd/rechargeflow", "-tags", "faultpoints")
}

func buildFrom(t *testing.T, directory string, flags ...string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), filepath.Base(directory))
	args := append(append([]string{"build"}, flags...), "-o", binary, directory)
	out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

// start starts a gateway, the tracking sink and that many transformers, and waits until all are ready.
func (w *system) start(transformers int) {
	w.Helper()
	w.gateway, w.tracking = w.launch("gateway"), w.launch("tracking")
	for range transformers {
		w.join()
	}
	for _, m := range w.all() {
		require.NoError(w, m.AwaitReady(w.Context()), m.name)
	}
}

// join starts one more transformer and does not wait for it.
func (w *system) join(environ ...string) *member {
	w.Helper()
	m := w.launch("transformer", environ...)
	w.transformers = append(w.transformers, m)
	return m
}

func (w *system) launch(role string, environ ...string) *member {
	w.Helper()
	var roles []string
	if role != everything {
		roles = []string{role}
	}
	p, err := w.lab.Launch(w.Context(), environ, roles...)
	require.NoError(w, err)
	w.members++
	m := &member{Process: p, name: fmt.Sprintf("%s %d", role, w.members)}
	w.Cleanup(func() {
		_ = p.Thaw() // it may be frozen, or have ended
		p.Kill()
	})
	return m
}

func (w *system) all() []*member {
	var all []*member
	for _, m := range append([]*member{w.gateway, w.tracking, w.sms}, w.transformers...) {
		if m != nil {
			all = append(all, m)
		}
	}
	return all
}

// remove removes a transformer from the list.
func (w *system) remove(gone *member) {
	var left []*member
	for _, m := range w.transformers {
		if m != gone {
			left = append(left, m)
		}
	}
	w.transformers = left
}

// requireAlive fails the test if a process ended that the test did not end.
func (w *system) requireAlive() {
	w.Helper()
	for _, m := range w.all() {
		select {
		case <-m.Ended():
			require.Failf(w, "a process ended by itself", "%s: %s", m.name, lastOf(m.Output()))
		default:
		}
	}
}

func lastOf(text string) string { return text[max(0, len(text)-4000):] }

// logf logs with the time since the start of the test.
func (w *system) logf(format string, args ...any) {
	w.Helper()
	w.Logf("%7.2fs %s", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
}

// wait lasts for d, or until something happens.
func (w *system) wait(d time.Duration, happened <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-happened:
		return true
	case <-timer.C:
		return false
	}
}

// settle waits until the groups have read everything.
func (w *system) settle() {
	w.Helper()
	reader, err := admin.NewLagReader(w.cluster, time.Now)
	require.NoError(w, err)
	defer reader.Close()
	w.settleGroup(reader, w.topics.Group(topology.RoleTransformer, ""), w.topics.Webhooks())
	if w.sms != nil {
		w.settleGroup(reader, w.smsGroup(), w.topics.Triggers())
	}
	if w.tracking != nil || w.lab.Brokers == nil {
		w.settleGroup(reader, w.topics.Group(topology.RoleTracking, lab.Store), w.topics.Events())
	}
}

func (w *system) settleGroup(reader *admin.LagReader, group, topic string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 90*time.Second)
	defer cancel()
	var behind int64
	for {
		reading := admin.LagQuery{Group: group, Partitions: map[string][]int{topic: numbers()}}
		lags, err := reader.Read(ctx, reading)
		behind = 0
		for _, lag := range lags {
			behind += lag.Records
		}
		if err == nil && behind == 0 {
			return
		}
		select {
		case <-ctx.Done():
			for _, m := range w.all() {
				w.Logf("%s: %s", m.name, lastOf(m.Output()))
			}
			require.NoError(w, err)
			require.Zerof(w, behind, "%s is stalled: %+v", group, lags)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func numbers() []int {
	all := make([]int, partitions)
	for i := range all {
		all[i] = i
	}
	return all
}
