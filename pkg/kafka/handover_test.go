package kafka_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Whoever leaves just after a rebalance is missed at the next heartbeat of the others, and by default that is soon.
func TestAnotherTakesOverSoonAfterAStop(t *testing.T) {
	_, cluster := faulty(t)
	config := kafka.ConsumerConfig{Group: "g", Topics: []string{"t"}}
	var handled collector
	stays, leaves := run(t, cluster, config, zap.NewNop(), handled.handle), run(t, cluster, config, zap.NewNop(), handled.handle)
	eventually(t, func() bool { return assigned(stays) && assigned(leaves) }, "both have a partition")
	stopped := time.Now()
	leaves.stop()
	require.Eventually(t, func() bool { return len(stays.Status().Partitions["t"]) == 2 }, patience, 5*time.Millisecond)
	assert.Less(t, time.Since(stopped), 2*time.Second)
}
