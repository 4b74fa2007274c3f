package registration_test

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/registration"
)

// seen is what a Watch reported.
type seen struct {
	mu       sync.Mutex
	counts   map[string]int
	restored map[string]int
	checks   map[string]int
}

func (s *seen) Registrations(_ string, counts map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts = maps.Clone(counts)
}

func (s *seen) RegistrationRestored(_, was string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.restored[was]++
}

func (s *seen) RegistrationCheck(_, outcome string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checks[outcome]++
}

// guarded is a store that is watched, in a bubble of synctest.
type guarded struct {
	server *rechargetest.Server
	client *recharge.Client
	seen   *seen
	log    *bytes.Buffer
	owner  atomic.Bool
}

// guard starts a Watch with checks every 5 minutes.
func guard(t *testing.T, registered ...recharge.Registration) *guarded {
	t.Helper()
	g := &guarded{seen: &seen{restored: map[string]int{}, checks: map[string]int{}}, log: &bytes.Buffer{}}
	g.owner.Store(true)
	g.server, g.client = simulated(t, registered...)
	core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(g.log), zap.InfoLevel)
	watch := &registration.Watch{Store: acme, API: g.client, Every: 5 * time.Minute, Owns: g.owner.Load, Metrics: g.seen, Log: zap.New(core)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		watch.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return g
}

// after lets time pass.
func (g *guarded) after(d time.Duration) {
	time.Sleep(d) // of the bubble: takes no time
	synctest.Wait()
}

func TestWatchRestores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := guard(t)
		g.after(10 * time.Second)
		require.Len(t, g.server.Webhooks(), 2, "what was missing at the start")
		assert.Equal(t, map[string]int{"missing": 2}, g.seen.restored)

		g.server.DropWebhooks(rechargetest.GivenUp{Topic: "charge/paid"})
		g.after(6 * time.Minute)
		require.Len(t, g.server.Webhooks(), 2)
		assert.Equal(t, map[string]int{"missing": 3}, g.seen.restored)
		assert.Contains(t, g.log.String(), `"recharge_topic":"charge/paid","was":"missing"`)

		found, err := g.client.Webhooks(t.Context())
		require.NoError(t, err)
		altered := found[0]
		altered.Address = host + "/webhooks/acme/order/created"
		require.NoError(t, g.client.UpdateWebhook(t.Context(), altered))
		g.after(6 * time.Minute)
		assert.Equal(t, map[string]int{"missing": 3, "altered": 1}, g.seen.restored)
		assert.Equal(t, map[string]int{"ok": 2, "missing": 0, "altered": 0, "duplicate": 0, "unused": 0, "foreign": 0}, g.seen.counts)

		before := len(g.server.Webhooks())
		g.after(time.Hour)
		assert.Len(t, g.server.Webhooks(), before)
		assert.Equal(t, map[string]int{"missing": 3, "altered": 1}, g.seen.restored, "nothing more to do")
		assert.Greater(t, g.seen.checks["ok"], 12)
		for _, topic := range []recharge.Topic{"charge/paid", "customer/updated"} {
			assert.NotContains(t, g.log.String(), admission.Token("acme", topic, newest))
		}
	})
}

// What is not to be restored is left, and reported once.
func TestWatchLeavesOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := guard(t,
			at("", "charge/paid", host+"/webhooks/acme/charge/paid/TOKEN"), at("", "charge/paid", host+"/webhooks/acme/charge/paid/OLD"),
			at("", "charge/paid", "https://other.example.com/secret"), at("", "order/created", host+"/webhooks/acme/order/created"))
		g.after(time.Hour)
		assert.Len(t, g.server.Webhooks(), 5)
		assert.Equal(t, map[string]int{"ok": 2, "missing": 0, "altered": 0, "duplicate": 1, "unused": 1, "foreign": 1}, g.seen.counts)
		assert.Equal(t, 1, bytes.Count(g.log.Bytes(), []byte(`"msg":"webhook is registered to an unexpected address, leaving it"`)))
		assert.Contains(t, g.log.String(), `"address":"https://other.example.com/***"`)
	})
}

func TestWatchSurvivesFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := guard(t)
		g.server.Next(24, rechargetest.Behaviour{Status: http.StatusServiceUnavailable})
		g.after(time.Hour)
		assert.Len(t, g.server.Webhooks(), 2)
		assert.Equal(t, 4, g.seen.checks["failed"], "each after 6 attempts")
		assert.Positive(t, g.seen.checks["ok"])
	})
	synctest.Test(t, func(t *testing.T) {
		g := guard(t)
		g.server.Next(1, rechargetest.Behaviour{Status: http.StatusUnauthorized})
		g.after(10 * time.Second)
		assert.Equal(t, map[string]int{"refused": 1}, g.seen.checks)
		assert.Contains(t, g.log.String(), `"advice":"Recharge does not know the API token`)
		g.server.SetScopes("read_customers")
		g.after(5 * time.Minute)
		assert.Equal(t, map[string]int{"refused": 2}, g.seen.checks)
		assert.Equal(t, 1, g.seen.counts["missing"], "charge/paid needs another scope")
		assert.Equal(t, 1, g.seen.counts["ok"])
	})
}

// Only the owner checks: a process that becomes it does so at once.
func TestWatchFollowsTheOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := guard(t)
		g.owner.Store(false)
		g.after(time.Hour)
		assert.Zero(t, g.server.Calls())
		g.owner.Store(true)
		g.after(6 * time.Second)
		assert.Len(t, g.server.Webhooks(), 2)
		require.NotNil(t, g.seen.counts)
		g.owner.Store(false)
		g.server.DropWebhooks(rechargetest.GivenUp{Topic: "charge/paid"})
		g.after(time.Hour)
		assert.Len(t, g.server.Webhooks(), 1)
		assert.Nil(t, g.seen.counts, "another process exports them")
	})
}
