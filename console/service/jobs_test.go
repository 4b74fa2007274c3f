package service_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/console/service/servicetest"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

const patience = 30 * time.Second

// reloaded is a console whose configuration changes. Pushes and replays wait in it until release is called.
type reloaded struct {
	*servicetest.World

	current *service.Service
	release func()
	goOn    chan struct{}
	waiting chan string // what has begun to wait
}

func newReloaded(t *testing.T) *reloaded {
	t.Helper()
	r := &reloaded{World: newWorld(t), goOn: make(chan struct{}), waiting: make(chan string, 100)}
	r.Config.Jobs = service.NewJobs(r.Now)
	r.Config.ReplayRate = 1000
	r.release = sync.OnceFunc(func() { close(r.goOn) })
	t.Cleanup(r.Config.Jobs.Stop)
	t.Cleanup(r.release)
	r.Profiles.Before = func(ctx context.Context) error { return r.wait(ctx, "push") }
	produce := r.Config.Produce
	r.Config.Produce = func(ctx context.Context, records ...kafka.Record) error {
		if records[0].Topic == r.Config.Topics.Redrive(topology.RoleTracking) {
			_ = r.wait(ctx, "replay") // a letter that is being sent is sent
		}
		return produce(ctx, records...)
	}
	for i := range r.Config.Stores {
		r.Config.Stores[i].Profiles.Settings = "secret-1"
	}
	r.reload(r.Config.Stores...)
	return r
}

func (r *reloaded) wait(ctx context.Context, what string) error {
	r.waiting <- what
	select {
	case <-r.goOn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reload takes up a configuration with other stores.
func (r *reloaded) reload(stores ...service.Store) {
	before := r.current
	r.Config.Stores = stores
	r.current = service.New(r.Config)
	r.current.Use()
	if before != nil {
		before.Stop()
	}
	r.Cleanup(r.current.Stop)
}

// begins begins a push and a replay of acme, and a stream of what happens there.
func (r *reloaded) begins() <-chan service.Live {
	r.Helper()
	ctx := r.Context()
	r.Customer("acme", "7", "c7@example.com", "+14155550101")
	r.Texted("acme", "7", strings.Repeat("7", 64), flow.ChargePaid)
	_, err := r.current.SaveSegment(ctx, "ann", "acme", service.SaveSegment{Name: "texted", Conditions: "received any"})
	require.NoError(r.TB, err)
	for range 3 {
		r.Write(r.Config.Topics.DeadLetters(topology.RoleTracking), "acme", "7", "rechargeflow.event", struct{}{})
	}
	rows, err := r.current.Live(ctx, "acme")
	require.NoError(r.TB, err)
	asked, leave := context.WithCancel(ctx)
	leave() // who asks for a push does not wait for its end
	_, err = r.current.Replay(ctx, "ann", service.ReplayRequest{Store: "acme", Confirm: 3})
	require.NoError(r.TB, err)
	assert.Equal(r.TB, "replay", <-r.waiting)
	push, err := r.current.PushSegments(asked, "ann", "acme", service.PushRequest{})
	require.NoError(r.TB, err)
	assert.True(r.TB, push.Running)
	assert.Equal(r.TB, "push", <-r.waiting)
	return rows
}

// endedPush returns the push of acme when it has ended, endedReplay the replay.
func (r *reloaded) endedPush() (push service.Push) {
	r.Helper()
	require.Eventually(r.TB, func() bool {
		var err error
		push, err = r.current.LastPush(r.Context(), "acme")
		return err == nil && !push.Running
	}, patience, time.Millisecond)
	return push
}

func (r *reloaded) endedReplay() (replay service.Replay) {
	r.Helper()
	require.Eventually(r.TB, func() bool {
		all, err := r.current.Replays(r.Context())
		require.NoError(r.TB, err)
		require.Len(r.TB, all, 1)
		replay = all[0]
		return !replay.Ended.IsZero()
	}, patience, time.Millisecond)
	return replay
}

// What runs for a store goes on when other settings and other stores come into force, and there is no second one of it.
func TestJobsOutliveReload(t *testing.T) {
	r, ctx := newReloaded(t), t.Context()
	rows := r.begins()
	acme, platform := r.Config.Stores[0], r.Config.Stores[1]
	beta := acme
	acme.Shop.Name, beta.Name = "Acme Coffee", "beta"
	r.reload(acme, beta, platform)

	push, err := r.current.LastPush(ctx, "acme")
	require.NoError(t, err)
	assert.True(t, push.Running)
	_, err = r.current.PushSegments(ctx, "bob", "acme", service.PushRequest{})
	require.ErrorIs(t, err, service.ErrConflict)
	_, err = r.current.Replay(ctx, "bob", service.ReplayRequest{Confirm: 3})
	require.ErrorIs(t, err, service.ErrConflict)
	require.ErrorContains(t, err, "another replay runs")

	r.release()
	push = r.endedPush()
	assert.Empty(t, push.Problems)
	assert.Equal(t, map[string]int{"texted": 1}, push.Added)
	replay := r.endedReplay()
	assert.Empty(t, replay.Error)
	assert.Equal(t, 3, replay.Sent)
	r.Texted("acme", "7", strings.Repeat("8", 64), flow.ChargePaid)
	for id := ""; id != strings.Repeat("8", 64); {
		row, open := <-rows
		require.True(t, open)
		id = row.ID
	}
}

// What runs for a store ends when the store is not configured any more, and says so; the next replay and push do the rest.
func TestJobsEndWithTheirStore(t *testing.T) {
	r, ctx := newReloaded(t), t.Context()
	rows, before := r.begins(), r.current
	acme, platform := r.Config.Stores[0], r.Config.Stores[1]
	r.reload(platform)
	for range rows { // it is closed
		continue
	}
	_, err := before.Live(ctx, "acme")
	require.ErrorIs(t, err, service.ErrNotFound, "a request that began before")
	_, err = before.PushSegments(ctx, "ann", "acme", service.PushRequest{})
	require.ErrorIs(t, err, service.ErrNotFound)
	r.release()
	replay := r.endedReplay()
	assert.Equal(t, "store acme is not configured any more; the next replay sends the others", replay.Error)
	assert.Equal(t, 1, replay.Sent)

	r.reload(acme, platform)
	assert.Equal(t, []string{"store acme is not configured any more; what was sent is known, the next push continues"}, r.endedPush().Problems)
	push, err := r.current.PushSegments(ctx, "ann", "acme", service.PushRequest{})
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"texted": 1}, push.Added)
	count, err := r.current.CountReplay(ctx, service.ReplayRequest{Store: "acme"})
	require.NoError(t, err)
	assert.Equal(t, 2, count.Letters)
}

// A push ends when its destination gets other credentials: the ones that it has may be withdrawn. A replay needs none.
func TestPushEndsWithItsCredentials(t *testing.T) {
	r, ctx := newReloaded(t), t.Context()
	r.begins()
	before, acme, platform := r.current, r.Config.Stores[0], r.Config.Stores[1]
	other := *acme.Profiles
	other.Settings = "secret-2"
	acme.Profiles = &other
	r.reload(acme, platform)
	assert.Equal(t, []string{"the settings of the store's destination have changed; what was sent is known, the next push continues"}, r.endedPush().Problems)
	r.logged(zap.WarnLevel, "push segments interrupted")
	_, err := before.PushSegments(ctx, "ann", "acme", service.PushRequest{})
	require.ErrorIs(t, err, service.ErrConflict, "a request that began before has the former credentials")
	r.release()
	assert.Empty(t, r.endedReplay().Error)
	push, err := r.current.PushSegments(ctx, "ann", "acme", service.PushRequest{})
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"texted": 1}, push.Added)
}

// Stop waits for what runs. What has not come to its end says why.
func TestJobsEndWithTheProcess(t *testing.T) {
	r := newReloaded(t)
	rows := r.begins()
	r.release()
	r.Config.Jobs.Stop()
	for range rows {
		continue
	}
	replay, push := r.endedReplay(), r.endedPush()
	if replay.Error != "" {
		assert.Equal(t, "the console stops; the next replay sends the others", replay.Error)
	}
	for _, problem := range push.Problems {
		assert.Equal(t, "the console stops; what was sent is known, the next push continues", problem)
	}
	_, err := r.current.Live(t.Context(), "acme")
	require.ErrorIs(t, err, service.ErrUnavailable)
}

// A push that fails is logged as such, one that succeeds too.
func TestPushesAreLogged(t *testing.T) {
	r := newReloaded(t)
	r.release()
	r.Customer("acme", "7", "c7@example.com", "+14155550101")
	r.Texted("acme", "7", strings.Repeat("7", 64), flow.ChargePaid)
	_, err := r.current.SaveSegment(t.Context(), "ann", "acme", service.SaveSegment{Name: "texted", Conditions: "received any"})
	require.NoError(t, err)
	r.Profiles.Before = func(context.Context) error { return errors.New("the destination is down") }
	_, err = r.current.PushSegments(t.Context(), "ann", "acme", service.PushRequest{})
	require.NoError(t, err)
	require.NotEmpty(t, r.endedPush().Problems)
	r.logged(zap.ErrorLevel, "push segments failed")
	r.Profiles.Before = nil
	_, err = r.current.PushSegments(t.Context(), "ann", "acme", service.PushRequest{})
	require.NoError(t, err)
	require.Empty(t, r.endedPush().Problems)
	r.logged(zap.InfoLevel, "segments pushed")
}

// logged waits for the line of a push.
func (r *reloaded) logged(level zapcore.Level, message string) {
	r.Helper()
	require.Eventually(r.TB, func() bool { return r.Logs.FilterMessage(message).FilterLevelExact(level).Len() == 1 }, patience, time.Millisecond)
}
