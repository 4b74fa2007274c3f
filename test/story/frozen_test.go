package story_test

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// TestFrozenProcess: one of two transformers is frozen under load, as by a suspended machine. Its admin port answers no probe
// and no scrape, which is what RechargeflowProcessSilent fires on, and within a minute the other one has all partitions. Continued,
// it takes its share again by itself. No webhook is lost, each fact and text is sent once.
func TestFrozenProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Apache Kafka; run without -short")
	}
	l := newLab(t, "subscription_started")
	l.Brokers, l.Prefix = []string{kafkatest.Real(t).Addr()}, lab.RandomPrefix("frozen")
	require.NoError(t, l.ApplyTopics(t.Context()))
	gateway := start(t, l, string(topology.RoleGateway))
	frozen, other := start(t, l, string(topology.RoleTransformer)), start(t, l, string(topology.RoleTransformer))
	tracking, sms := start(t, l, string(topology.RoleTracking)), start(t, l, string(topology.RoleSMS))
	sent := make(chan error, 1)
	go func() { sent <- sendFirst(t.Context(), l) }()
	eventually(t, func() bool {
		return assigned(t, frozen) > 0 && assigned(t, other) > 0 && len(trackedFacts(l)) > customers/4
	})
	all := assigned(t, frozen) + assigned(t, other)

	require.NoError(t, frozen.Freeze())
	t.Cleanup(func() { _ = frozen.Thaw() }) // so that it can be ended
	began := time.Now()
	eventually(t, func() bool { return silent(t, frozen.Readiness) }) // the signal takes a moment
	assert.True(t, silent(t, frozen.Metrics), "/metrics of a frozen process answers")
	eventually(t, func() bool { return assigned(t, other) == all })
	assert.Less(t, time.Since(began), time.Minute)
	require.NoError(t, <-sent)
	eventually(t, func() bool { return len(trackedFacts(l)) == customers && len(l.Texts.Texts()) == customers })

	require.NoError(t, frozen.Thaw())
	eventually(t, func() bool { return assigned(t, frozen) > 0 && assigned(t, frozen)+assigned(t, other) == all })
	require.NoError(t, frozen.AwaitReady(t.Context()))
	checkTracked(t, l)
	assert.Empty(t, l.Texts.Duplicates())
	stop(t, map[string]*lab.Process{"gateway": gateway, "transformer": frozen, "transformer 2": other, "tracking": tracking, "sms": sms})
}

// silent reports that the process accepts the connection and does not answer for the five seconds that a scrape takes at most.
func silent(t *testing.T, ask func(context.Context) (string, error)) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := ask(ctx)
	return errors.Is(err, context.DeadlineExceeded)
}

// assigned returns how many of the transformer's partitions the process has, by its metrics.
func assigned(t *testing.T, p *lab.Process) int {
	t.Helper()
	page, err := p.Metrics(t.Context())
	require.NoError(t, err)
	value := regexp.MustCompile(`(?m)^rechargeflow_assigned_partitions\{[^}]*rechargeflow\.transformer"[^}]*\} (\d+)`).FindStringSubmatch(page)
	if value == nil {
		return 0
	}
	n, err := strconv.Atoi(value[1])
	require.NoError(t, err)
	return n
}
