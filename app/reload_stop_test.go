package app

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// A process that stops while a role is started anew ends in order: the text in progress gets its answer, and is sent once.
func TestStopDuringReload(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.recharge.Put([]byte(customer)))
	text := strings.NewReplacer(
		"driver: log", `driver: webhook, webhook: {url: "`+w.sms.URL+`", secret: `+smsSecret+`}, window: 1ms, opt_out_text: none, from: "+15005550006"`,
		"customer_id: recharge_id", "customer_id: email", "http://127.0.0.1:1", w.recharge.URL,
	).Replace(reloadableFile(t, w.bloomreach.BaseURL()))
	r := startReloadable(t, text)
	r.setFlow(flow.SubscriptionStarted, func(f *live.Flow) { f.Active, f.Text = true, "{{ shop_name }}: hello" })
	w.sms.Next(1, smstest.Behaviour{Accept: true, Delay: time.Second})
	body := strings.NewReplacer(`"status"`, `"address_id":1,"status"`, "2026-03-01T10:00:00+00:00", time.Now().UTC().Format(time.RFC3339)).Replace(created)
	require.Equal(t, http.StatusOK, r.postUntilStored("acme", "secret-1", body))
	require.Eventually(t, func() bool { return w.sms.Requests() > 0 }, patience, time.Millisecond)

	r.change("+15005550006", "+15005550007", anew)
	r.stop()
	require.NoError(t, r.end())
	assert.Equal(t, 1, w.sms.Requests())
	for _, trouble := range []string{"unknown", "shutdown exceeded"} {
		assert.NotContains(t, r.log.String(), trouble)
	}
	assert.Equal(t, 1, strings.Count(r.log.String(), anew))
}

// slowPart is a part that takes drain to finish its records, and then closes only when it has to, or never.
type slowPart struct {
	part

	stopping, never chan struct{}
	closed          chan error
}

func newSlowPart(drain time.Duration) *slowPart {
	p := &slowPart{part: part{role: topology.RoleSMS, within: time.Minute}, stopping: make(chan struct{}), never: make(chan struct{}), closed: make(chan error, 1)}
	p.task(func(ctx context.Context) error {
		<-ctx.Done()
		close(p.stopping)
		select {
		case <-time.After(drain):
		case <-p.never:
		}
		return nil
	})
	p.onClose(func(ctx context.Context) error {
		<-ctx.Done()
		p.closed <- ctx.Err()
		return nil
	})
	return p
}

// stopReplacing stops a process while the part is replaced.
func stopReplacing(t *testing.T, p *slowPart) (*App, error) {
	t.Helper()
	a := &App{
		cfg: config.Config{ShutdownTimeout: time.Second}, log: zap.NewNop(), metrics: telemetry.NewMetrics(), health: telemetry.NewHealth(),
		parts: []*part{&p.part},
	}
	ctx, stop := context.WithCancel(t.Context())
	group, working := errgroup.WithContext(ctx)
	a.startPart(working, group, &p.part, nil)
	group.Go(func() error {
		a.replaceParts(working, group, []*part{{role: topology.RoleSMS}})
		return nil
	})
	<-p.stopping
	a.stopBy = time.Now().Add(a.cfg.ShutdownTimeout)
	stop()
	return a, a.finish(group)
}

// What is replaced when the process stops has one deadline for its records and for closing.
func TestStopWaitsForReplacedPart(t *testing.T) {
	p := newSlowPart(600 * time.Millisecond)
	a, err := stopReplacing(t, p)
	require.NoError(t, err)
	require.ErrorIs(t, <-p.closed, context.Canceled)
	a.close()
}

// What still hangs then is left to the end of the process.
func TestStopGivesUpOnReplacedPart(t *testing.T) {
	p := newSlowPart(time.Hour)
	a, err := stopReplacing(t, p)
	require.ErrorContains(t, err, "shutdown exceeded")
	close(p.never)
	a.close()
	require.Error(t, <-p.closed)
	<-p.done
}
