package histories_test

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/test/histories"
)

// gateway accepts webhooks and records when they arrived.
type gateway struct {
	answer time.Duration // how long it takes

	mu    sync.Mutex
	began time.Time
	came  []arrival
}

type arrival struct {
	topic recharge.Topic
	body  string
	at    time.Duration
}

func (g *gateway) accept(_ context.Context, topic recharge.Topic, body []byte) (bool, error) {
	g.mu.Lock()
	g.came = append(g.came, arrival{topic, string(body), time.Since(g.began)})
	g.mu.Unlock()
	time.Sleep(g.answer)
	return true, nil
}

// recordedRun is a run of a shop without duplicates.
func recordedRun(customers int) *histories.Run {
	return &histories.Run{Shop: histories.Shop{Seed: 1, Now: noon, Recorded: true}, Customers: customers}
}

// run runs in fake time.
func run(t *testing.T, r *histories.Run, answer time.Duration) []arrival {
	t.Helper()
	var g *gateway
	synctest.Test(t, func(t *testing.T) {
		g = &gateway{answer: answer, began: time.Now()}
		require.NoError(t, r.Send(t.Context(), g.accept))
	})
	assert.Len(t, g.came, r.Sent())
	slices.SortFunc(g.came, func(a, b arrival) int { // those of one instant arrive in any order
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.topic, b.topic), cmp.Compare(a.body, b.body))
	})
	return g.came
}

// An answer that takes 3 s delays no webhook of a burst: each is sent at its offset.
func TestBurstsAreSentAsRecorded(t *testing.T) {
	r := recordedRun(1)
	came := run(t, r, 3*time.Second)
	var began time.Duration
	for _, burst := range r.Shop.History(0).Bursts {
		for _, d := range burst {
			require.Equal(t, began+d.Offset, came[0].at, d.Topic)
			came = came[1:]
		}
		began += burst[len(burst)-1].Offset + 3*time.Second
	}
}

// In a compressed burst the first second is as recorded and the rest is quicker.
func TestLongBurstsAreCompressed(t *testing.T) {
	whole, r := run(t, recordedRun(1), 0), recordedRun(1)
	r.Longest = 3 * time.Second
	quick := run(t, r, 0)
	require.Len(t, quick, len(whole))
	for i, a := range whole {
		if a.at <= time.Second {
			assert.Equal(t, a, quick[i])
		}
	}
	assert.LessOrEqual(t, quick[len(quick)-1].at, time.Duration(len(r.Shop.History(0).Bursts))*3*time.Second)
	assert.Greater(t, whole[len(whole)-1].at, time.Minute)
}

// An error of the sender ends the run and is returned.
func TestAnErrorEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := recordedRun(3)
		r.Together = 3
		err := r.Send(t.Context(), func(_ context.Context, topic recharge.Topic, _ []byte) (bool, error) {
			if topic == "charge/upcoming" {
				return false, assert.AnError
			}
			return true, nil
		})
		require.ErrorIs(t, err, assert.AnError)
		assert.ErrorContains(t, err, "charge/upcoming")
	})
}

// A webhook that is not accepted is sent again, and may be stored each time. Each accepted one must be stored.
func TestArrivedFindsLostDuplicateAndUnknownWebhooks(t *testing.T) {
	r := recordedRun(5)
	r.Shop.Duplicates.Same = 0.2
	r.Together, r.Longest = 5, time.Second
	var all, accepted []histories.Raw
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		tries := map[string]int{}
		require.NoError(t, r.Send(t.Context(), func(_ context.Context, topic recharge.Topic, body []byte) (bool, error) {
			mu.Lock()
			defer mu.Unlock()
			raw := histories.Raw{Topic: string(topic), Body: body, Received: time.Now()}
			all = append(all, raw)
			tries[string(topic)+string(body)]++
			if tries[string(topic)+string(body)] == 1 {
				return false, nil
			}
			accepted = append(accepted, raw)
			return true, nil
		}))
	})
	assert.Greater(t, r.Tried(), r.Sent())
	wrong := func(stored ...histories.Raw) []string {
		arrived, wrong := r.Arrived(stored)
		require.Len(t, arrived, 5)
		return wrong
	}
	assert.Empty(t, wrong(all...))
	assert.Empty(t, wrong(accepted...))
	assert.Len(t, wrong(accepted[1:]...), 1, "lost")
	assert.Len(t, wrong(append(slices.Clone(all), all[0])...), 1, "stored more often than sent")
	assert.Len(t, wrong(append(slices.Clone(all), histories.Raw{Topic: "charge/paid", Body: []byte("{}")})...), 1, "not expected")

	arrived, _ := r.Arrived(all)
	first := arrived[0][0]
	assert.Contains(t, string(first.Body()), first.ID)
	assert.True(t, slices.ContainsFunc(all, func(raw histories.Raw) bool {
		return raw.Received.Equal(first.Received) && strings.Contains(string(raw.Body), first.ID)
	}))
}
