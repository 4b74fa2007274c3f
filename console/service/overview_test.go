package service_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// While brokers do not answer, a page shows what is known, and the lag is not.
func TestOverviewWithoutBrokers(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	require.Eventually(t, func() bool {
		o, err := w.Overview(ctx, "acme")
		return err == nil && o.LagSeconds != nil
	}, patience, time.Millisecond)

	hung, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0") // it never answers
	require.NoError(t, err)
	t.Cleanup(func() { _ = hung.Close() })
	w.Config.Cluster.Brokers = []string{hung.Addr().String()}
	s := service.New(w.Config)
	t.Cleanup(s.Stop)
	pages := make(chan service.Overview, 4)
	for range cap(pages) {
		go func() {
			o, err := s.Overview(ctx, "acme")
			assert.NoError(t, err)
			pages <- o
		}()
	}
	leaves, leave := context.WithCancel(ctx)
	leave()
	_, err = s.Pipeline(leaves)
	require.ErrorIs(t, err, service.ErrUnavailable, "it does not wait for others")
	for range cap(pages) {
		assert.Nil(t, (<-pages).LagSeconds)
	}
}

// What a page of a list needs is counted, not read.
func TestUnknownTextsAreCounted(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.Texted("acme", "7", "text-1", flow.ChargePaid)
	reading, err := w.Reading(ctx)
	require.NoError(t, err)
	assert.True(t, reading.CaughtUp)
	count, err := w.CountUnknown(ctx, "acme")
	require.NoError(t, err)
	assert.Zero(t, count)
	_, err = w.CountUnknown(ctx, "nobody")
	require.ErrorIs(t, err, service.ErrNotFound)
}

// What checks find and advise may have words of other systems.
func TestChecksAreMasked(t *testing.T) {
	w := newWorld(t)
	w.Config.Checks = func(context.Context, string) []service.Check {
		return []service.Check{{Check: "webhooks", Status: "failed", Found: "of jo@example.com", Cure: "ask ann@example.com"}}
	}
	s := service.New(w.Config)
	t.Cleanup(s.Stop)
	o, err := s.Overview(t.Context(), "acme")
	require.NoError(t, err)
	require.Len(t, o.Checks, 1)
	assert.NotContains(t, o.Checks[0].Found, "jo@")
	assert.NotContains(t, o.Checks[0].Cure, "ann@")
}
