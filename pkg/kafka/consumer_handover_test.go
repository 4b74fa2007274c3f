package kafka_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// TestHandoverAfterStop: when a member leaves just after a rebalance, the others notice at their next heartbeat.
func TestHandoverAfterStop(t *testing.T) {
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
