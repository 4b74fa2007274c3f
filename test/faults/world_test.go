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
	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const (
	// session is after how long a silent member loses its partitions: lab's kafka.session_timeout.
	session    = 6 * time.Second
	partitions = 12
)

// world is brokers and the processes on them.
type world struct {
	*testing.T
	*rand.Rand
	lab     *lab.Lab
	brokers *kafkatest.Cluster // nil for the embedded broker
	proxies []*kafkatest.Proxy // before each broker, where there are any
	topics  pipeline.Topics
	cluster kafka.Cluster
	door    *door
	load    *load
	began   time.Time

	transformers []*member
	gateway      *member
	tracking     *member
	sms          *member // where texts are sent at all
	members      int
}

// everything is the process that has all roles, and a broker.
const everything = "everything"

// member is one process, and what it is called in the log.
type member struct {
	*lab.Process
	name string
}

// newWorld makes topics on brokers (nil: an embedded one of this process) and starts nothing.
func newWorld(t *testing.T, brokers *kafkatest.Cluster) *world {
	t.Helper()
	w := newPlan(t)
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

// newPlan is a world in which nothing runs yet but simulators.
func newPlan(t *testing.T) *world {
	t.Helper()
	l, err := lab.New(t.TempDir(), build(t))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	l.LogLevel = "warn"
	l.Prefix = lab.RandomPrefix("faults")
	return &world{
		T: t, Rand: dice(t), lab: l, topics: pipeline.Topics{Prefix: l.Prefix}, began: time.Now(),
		door: newDoor(t, l), load: newLoad(l),
	}
}

// applyTopics makes the topics of the built-in file; change may alter one.
func (w *world) applyTopics(change func(*kafka.TopicSpec)) {
	w.Helper()
	spec, err := kafka.ParseTopics(configs.Topics(), kafka.TopicOptions{
		Prefix: w.topics.Prefix, Single: !w.lab.Replicated, Partitions: partitions,
	})
	require.NoError(w, err)
	for i := range spec.Topics {
		if change != nil {
			change(&spec.Topics[i])
		}
	}
	require.EventuallyWithT(w, func(c *assert.CollectT) {
		_, err := kafka.Apply(w.Context(), w.cluster, spec)
		assert.NoError(c, err)
	}, 30*time.Second, 100*time.Millisecond)
}

// build makes the binary with the tag that lets it end at a step.
func build(t *testing.T) string {
	t.Helper()
	return buildFrom(t, "../../cmd/rechargeflow", "-tags", "faultpoints")
}

func buildFrom(t *testing.T, folder string, flags ...string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), filepath.Base(folder))
	args := append(append([]string{"build"}, flags...), "-o", binary, folder)
	out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

// start starts a gateway, the tracking sink and so many transformers, and waits until all are at work.
func (w *world) start(transformers int) {
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
func (w *world) join(environ ...string) *member {
	w.Helper()
	m := w.launch("transformer", environ...)
	w.transformers = append(w.transformers, m)
	return m
}

func (w *world) launch(role string, environ ...string) *member {
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
		_ = p.Thaw() // it may be frozen, or gone
		p.Kill()
	})
	return m
}

func (w *world) all() []*member {
	var all []*member
	for _, m := range append([]*member{w.gateway, w.tracking, w.sms}, w.transformers...) {
		if m != nil {
			all = append(all, m)
		}
	}
	return all
}

// remove forgets a transformer.
func (w *world) remove(gone *member) {
	var left []*member
	for _, m := range w.transformers {
		if m != gone {
			left = append(left, m)
		}
	}
	w.transformers = left
}

// alive fails the test when a process has ended that nobody ended.
func (w *world) alive() {
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

// say logs with the time since the test began.
func (w *world) say(format string, args ...any) {
	w.Helper()
	w.Logf("%7.2fs %s", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
}

// wait lasts for d, or until something happens.
func (w *world) wait(d time.Duration, happened <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-happened:
		return true
	case <-timer.C:
		return false
	}
}

// settle waits until the groups have read all there is.
func (w *world) settle() {
	w.Helper()
	reader, err := kafka.NewLagReader(w.cluster, time.Now)
	require.NoError(w, err)
	defer reader.Close()
	w.settleGroup(reader, w.topics.Group(pipeline.RoleTransformer, ""), w.topics.Webhooks())
	if w.sms != nil {
		w.settleGroup(reader, w.smsGroup(), w.topics.Triggers())
	}
	if w.tracking != nil || w.lab.Brokers == nil {
		w.settleGroup(reader, w.topics.Group(pipeline.RoleTracking, lab.Store), w.topics.Events())
	}
}

func (w *world) settleGroup(reader *kafka.LagReader, group, topic string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 90*time.Second)
	defer cancel()
	var behind int64
	for {
		reading := kafka.Reading{Group: group, Partitions: map[string][]int{topic: numbers()}}
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
			require.Zerof(w, behind, "%s does not get on: %+v", group, lags)
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
