package service_test

import (
	"context"
	"io"
	"strings"
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

// A request for a test that is repeated after the process was restarted has the same id: a provider that compares ids sends one text.
func TestSendTestAfterRestart(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	restarted := service.New(w.Config)
	t.Cleanup(restarted.Stop)
	for _, key := range []string{"form 1", "form 2", ""} {
		for _, s := range []*service.Service{w.Service, restarted} {
			_, err := s.SendTest(ctx, "ann", "acme", flow.ChargePaid, service.TestRequest{Number: "+14155552671", Key: key})
			require.NoError(t, err)
		}
	}
	ids := map[string]int{}
	for _, m := range w.Provider.Sent() {
		ids[m.SendKey]++
		assert.Len(t, m.SendKey, 64)
	}
	assert.Len(t, ids, 4, "two keys, and two requests without one")
	_, err := restarted.SendTest(ctx, "bob", "acme", flow.ChargePaid, service.TestRequest{Number: "+14155552671", Key: "form 1"})
	require.NoError(t, err)
	sent := w.Provider.Sent()
	assert.Zero(t, ids[sent[len(sent)-1].SendKey], "another person's key is another one")
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

// A key that is used again for another text sends it, with another id.
func TestSendTestOfAnotherText(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	for _, text := range []string{"{{ shop_name }}: paid", "{{ shop_name }}: thank you"} {
		sent, err := w.SendTest(ctx, "ann", "acme", flow.ChargePaid, service.TestRequest{Number: "+14155552671", Key: "form 1", Draft: service.Draft{Text: ref(text)}})
		require.NoError(t, err)
		assert.Equal(t, strings.ReplaceAll(text, "{{ shop_name }}", "Acme"), sent.Text)
	}
	sent := w.Provider.Sent()
	require.Len(t, sent, 2)
	assert.NotEqual(t, sent[0].SendKey, sent[1].SendKey)
}
