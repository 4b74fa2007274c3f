//go:build bench

package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/schemas"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const (
	latencyBacklog = 40_000 // for compilers that learn from it
	latencyWarmUp  = 5 * time.Second
	latencyTime    = 10 * time.Second
)

// measureLatency produces webhooks of new customers at passRate, independent of acknowledgments, and reads their events.
func measureLatency(t *testing.T, on target, p peer) []string {
	t.Helper()
	prefix := lab.RandomPrefix("streams")
	topics := topology.Topics{Prefix: prefix}
	cluster := stageCluster(t, on, prefix)
	producer := snappyProducer(t, cluster)
	pid, stop := p.start(t, prefix)
	seen := &eventLatencies{}
	ctx, end := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	reading.Go(func() {
		read := kafka.NewConsumer(cluster, kafka.ConsumerConfig{Group: prefix + "read", Topics: []string{topics.Events()}}, zap.NewNop())
		assert.NoError(t, read.Run(ctx, seen.handle))
	})
	warm, total := passRate*int(latencyWarmUp.Seconds()), passRate*int(latencyTime.Seconds())
	webhooks := newCustomers().take(latencyBacklog + warm + total)
	produceRaw(t, producer, topics.Webhooks(), webhooks[:latencyBacklog])
	seen.await(t, latencyBacklog)
	paceRaw(t, producer, topics.Webhooks(), webhooks[latencyBacklog:latencyBacklog+warm])
	seen.await(t, latencyBacklog+warm)
	from, began := cpuOf(pid), time.Now()
	paceRaw(t, producer, topics.Webhooks(), webhooks[latencyBacklog+warm:])
	seen.await(t, latencyBacklog+warm+total)
	cores := (cpuOf(pid) - from).Seconds() / time.Since(began).Seconds()
	end()
	reading.Wait()
	stop()
	require.NoError(t, producer.Close())
	deleteTopics(t, cluster, prefix)
	each := seen.each[latencyBacklog+warm:]
	return []string{
		fmt.Sprintf("%s of %s", thousands(len(each)), thousands(total)),
		millis(percentile(each, 50)), millis(percentile(each, 99)), millis(percentile(each, 100)), fmt.Sprintf("%.2f", cores),
	}
}

// eventLatencies are how long webhooks took from their receipt to their event.
type eventLatencies struct{ arrivals }

func (e *eventLatencies) handle(_ context.Context, records []kafka.Record) (kafka.Finished, error) {
	now := time.Now()
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for _, r := range records {
		if r.Header(envelope.HeaderCEType) != "rechargeflow."+schemas.Subscription {
			continue // a webhook has one event of this type
		}
		received, err := envelope.ReceivedAt(r)
		if err != nil {
			return kafka.Finished{}, err
		}
		e.each = append(e.each, now.Sub(received))
	}
	return kafka.Finished{First: len(records)}, nil
}

func (e *eventLatencies) await(t *testing.T, total int) {
	t.Helper()
	require.Eventuallyf(t, func() bool { return e.count() >= total }, peerTimeout, 10*time.Millisecond, "events of %d webhooks", total)
}

// paceRaw produces webhooks at passRate, each in a call of its own.
func paceRaw(t *testing.T, producer *kafka.Producer, topic string, webhooks []webhook) {
	t.Helper()
	var all sync.WaitGroup
	tick := time.NewTicker(time.Second / passRate)
	defer tick.Stop()
	for _, w := range webhooks {
		<-tick.C
		all.Go(func() {
			assert.NoError(t, producer.Produce(t.Context(), rawRecord(topic, eventsStore, w, time.Now().UTC())))
		})
	}
	all.Wait()
}

// deleteTopics frees the disk space of a run.
func deleteTopics(t *testing.T, cluster kafka.Cluster, prefix string) {
	t.Helper()
	topics := topology.Topics{Prefix: prefix}
	for _, topic := range slices.Concat([]string{topics.Webhooks()}, topics.Writes(topology.RoleTransformer)[1:]) {
		deleteTopic(t, cluster, topic)
	}
}
