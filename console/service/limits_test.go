package service_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// What reads whole topics is refused while others do. What the tables know is answered all the same.
func TestScansAreLimited(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.Paid("acme", "7", "1", "Jonathan", "+14155550101")
	w.Customer("acme", "7", "c7@example.com", "+14155550101")
	w.Config.Scans, w.Config.ScanWait = service.NewScans(), time.Millisecond
	s := service.New(w.Config)
	t.Cleanup(s.Stop)
	preview := func(customer string) error {
		_, err := s.PreviewFlow(ctx, "acme", flow.ChargePaid, service.PreviewRequest{Customer: customer})
		return err
	}
	require.NoError(t, preview("7"))
	scans := map[string]func() error{
		"backtest": func() error {
			_, err := s.Backtest(ctx, "acme", flow.ChargePaid, service.BacktestRequest{})
			return err
		},
		"would send": func() error {
			_, err := s.WouldSend(ctx, "acme", flow.ChargePaid, service.Draft{})
			return err
		},
		"numbers of flows": func() error {
			_, err := s.FlowStats(ctx, service.StatsRequest{Store: "acme"})
			return err
		},
		"preview": func() error { return preview("8") },
		"members": func() error {
			_, err := s.Members(ctx, "acme", "received any", service.MembersPage{})
			return err
		},
		"export": func() error {
			_, err := s.ExportSegment(ctx, "acme", "received any", "csv", false, io.Discard)
			return err
		},
		"count": func() error {
			_, err := s.CountSegments(ctx, "acme", "received any")
			return err
		},
		"consent": func() error {
			_, err := s.ConsentOf(ctx, "acme", "+14155550101", false)
			return err
		},
		"timeline": func() error {
			_, err := s.Timeline(ctx, service.TimelineQuery{Store: "acme", ID: "7"})
			return err
		},
		"replay": func() error {
			_, err := s.CountReplay(ctx, service.ReplayRequest{})
			return err
		},
	}
	require.NoError(t, w.Config.Scans.Acquire(ctx, 2), "two others read topics")
	for name, scan := range scans {
		var limited *service.LimitedError
		if assert.ErrorAs(t, scan(), &limited, name) {
			assert.Positive(t, limited.RetryAfter, name)
		}
	}
	require.NoError(t, preview("7"), "it was read a moment ago")
	_, err := s.SendTest(ctx, "ann", "acme", flow.ChargePaid, service.TestRequest{Number: "+14155552671"})
	require.NoError(t, err)
	w.Pass(time.Minute)
	require.ErrorIs(t, preview("7"), service.ErrLimited)
	w.Config.Scans.Release(2)
	for name, scan := range scans {
		require.NotErrorIs(t, scan(), service.ErrLimited, name)
	}
	require.True(t, w.Config.Scans.TryAcquire(2), "each has given its turn back")
}

// A test that is asked for twice is sent once, also if who asked does not wait.
func TestSendTestOnce(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	request := service.TestRequest{Number: "+14155552671", Key: "form 1"}
	first, err := w.SendTest(ctx, "ann", "acme", flow.ChargePaid, request)
	require.NoError(t, err)
	for range 5 {
		again, err := w.SendTest(ctx, "ann", "acme", flow.ChargePaid, request)
		require.NoError(t, err, "it is none of the tests of a minute")
		assert.Equal(t, first, again)
	}
	require.Len(t, w.Provider.Sent(), 1)
	request.Key = "form 2"
	gone, leave := context.WithCancel(ctx)
	w.Provider.Before(leave)
	_, err = w.SendTest(gone, "ann", "acme", flow.ChargePaid, request)
	require.NoError(t, err)
	require.Len(t, w.Provider.Sent(), 2)
	require.NoError(t, w.Provider.Context(), "the call of the provider is not cut off")
	request.Key = string(make([]byte, 200))
	_, err = w.SendTest(ctx, "ann", "acme", flow.ChargePaid, request)
	assert.Equal(t, []string{"key"}, fields(err))
}
