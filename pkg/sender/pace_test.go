package sender_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/pkg/sender"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// claimAll claims what there is room for, every 200 ms, and returns when each text was sent.
func claimAll(b *bench, during time.Duration) (calls []time.Time) {
	for began := time.Now(); time.Since(began) < during; time.Sleep(200 * time.Millisecond) {
		for range b.Reserve(0, store, 1000) {
			b.Sender.Send(text("a", time.Now()))
			calls = append(calls, time.Now())
		}
		b.Release(0)
		synctest.Wait()
	}
	return calls
}

// A provider that takes so many requests a second gets no more in any second, and not many fewer.
func TestPace(t *testing.T) {
	for _, perSecond := range []int{1, 15, 58, 150} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(1000, func(c *sender.Config) {
				c.Lanes = map[string]sender.Lane{store: {Driver: c.Lanes[store].Driver, Abilities: sms.Abilities{PerSecond: perSecond}, AtOnce: 1000}}
			})
			calls := claimAll(b, time.Minute)
			for i, first := range calls {
				if i+perSecond < len(calls) {
					assert.GreaterOrEqual(t, calls[i+perSecond].Sub(first), time.Second, "%d calls within a second", perSecond+1)
				}
			}
			assert.GreaterOrEqual(t, len(calls), perSecond*60*2/3, perSecond)
		})
	}
}

// What was reserved and not used counts as no call.
func TestPaceOfUnusedRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(10, func(c *sender.Config) {
			c.Lanes = map[string]sender.Lane{store: {Driver: c.Lanes[store].Driver, Abilities: sms.Abilities{PerSecond: 15}, AtOnce: 10}}
		})
		for range 5 {
			assert.Equal(t, 3, b.Reserve(0, store, 10))
			assert.Zero(t, b.Reserve(1, store, 10))
			b.Release(0)
		}
		assert.Equal(t, 3, b.Reserve(0, store, 10))
		for range 3 {
			b.Sender.Send(text("a", time.Now()))
		}
		b.Release(0)
		assert.Zero(t, b.Reserve(0, store, 10))
		time.Sleep(100 * time.Millisecond)
		assert.Equal(t, 1, b.Reserve(0, store, 10))
	})
}
