package main

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

const patience = 30 * time.Second

// lines is what a process writes, readable meanwhile.
type lines struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.buffer.Write(b)
}

func (l *lines) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.buffer.String()
}

// transformerOn is the transformer on a broker without topics.
func transformerOn(t *testing.T) (cluster kafka.Cluster, start func(ctx context.Context) (*lines, chan int)) {
	t.Helper()
	broker, err := kafka.StartEmbedded(kafka.EmbeddedConfig{}, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	file := write(t, `
kafka: {brokers: ["`+broker.Brokers()[0]+`"], durability: single}
admin: {listen: "127.0.0.1:0"}
shutdown_delay: 0s
transformer: {state_dir: "`+t.TempDir()+`"}
stores:
  - name: acme
    recharge: {secrets: [client-secret], token: api-token}
    bloomreach: {enabled: false}
`)
	return kafka.Cluster{Brokers: broker.Brokers()}, func(ctx context.Context) (*lines, chan int) {
		said, code := &lines{}, make(chan int, 1)
		go func() { code <- run(ctx, []string{"run", "-config", file, "transformer"}, nil, said, said) }()
		return said, code
	}
}

func says(t *testing.T, said *lines, part string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(said.String(), part) }, patience, 10*time.Millisecond, "%s", part)
}

func TestRunWaitsForTopicsAndSaysSo(t *testing.T) {
	cluster, start := transformerOn(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	said, code := start(ctx)
	says(t, said, "topic recharge.webhooks is missing: `rechargeflow topics apply` makes it")
	spec, err := topicsSpec("", config.Kafka{Durability: config.DurabilitySingle})
	require.NoError(t, err)
	_, err = kafka.Apply(ctx, cluster, spec)
	require.NoError(t, err)
	says(t, said, "brokers and topics are as they must be")
	cancel()
	assert.Equal(t, exitOK, <-code, said)
}

func TestRunEndsForWhatWaitingDoesNotMend(t *testing.T) {
	cluster, start := transformerOn(t)
	_, err := kafka.Apply(t.Context(), cluster, kafka.Spec{Topics: []kafka.TopicSpec{
		{Name: "recharge.webhooks", Partitions: 2, Replication: 1}, {Name: "recharge.events", Partitions: 3, Replication: 1},
	}})
	require.NoError(t, err)
	said, code := start(t.Context())
	select {
	case got := <-code:
		assert.Equal(t, exitFailed, got, said)
	case <-time.After(patience):
		require.Fail(t, "it still runs", said)
	}
	assert.Contains(t, said.String(), "topics have different numbers of partitions (2: recharge.webhooks; 3: recharge.events)")
}

// Whatever a role reads and writes is in the built-in topics file.
func TestTopicsOfRolesAreInTheTopicsFile(t *testing.T) {
	spec, err := topicsSpec("", config.Kafka{TopicPrefix: "staging."})
	require.NoError(t, err)
	for _, role := range pipeline.Roles() {
		names := topicsOf(role, pipeline.Topics{Prefix: "staging."})
		assert.Len(t, requirements(spec, []pipeline.Role{role}, "staging.").Topics, len(names), role)
		assert.NotEmpty(t, names, role)
	}
}
