package sender_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sender"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

const store = "acme"

// bench is a sender with a driver and receipts in memory.
type bench struct {
	*sender.Sender

	mutex     sync.Mutex
	calls     []string
	receipts  []message.Receipt
	answer    func(sms.Message) error
	unwritten int // how many of the next receipts are not written
}

func newBench(atOnce int, change func(*sender.Config)) *bench {
	b := &bench{answer: func(sms.Message) error { return nil }}
	config := sender.Config{
		Role: "sms", Lanes: map[string]sender.Lane{store: {Driver: b, AtOnce: atOnce}}, Write: b.write, Metrics: b, Log: zap.NewNop(), Now: time.Now,
	}
	if change != nil {
		change(&config)
	}
	b.Sender = sender.New(config)
	return b
}

// Send is the driver.
func (b *bench) Send(_ context.Context, m sms.Message) (sms.Receipt, error) {
	b.mutex.Lock()
	b.calls = append(b.calls, m.SendKey)
	answer := b.answer
	b.mutex.Unlock()
	return sms.Receipt{ProviderID: "p-" + m.SendKey}, answer(m)
}

func (b *bench) write(_ context.Context, _ sender.Text, r message.Receipt) error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.unwritten > 0 {
		b.unwritten--
		return errors.New("no broker")
	}
	b.receipts = append(b.receipts, r)
	return nil
}

func (*bench) Paused(_, _ string, _ bool)                      {}
func (*bench) EndToEnd(_, _ string, _ time.Duration, _ string) {}

// text is a text that was claimed at a time.
func text(id string, claimed time.Time) sender.Text {
	return sender.Text{
		Claim: message.Message{ID: id, Store: store, CustomerID: "1", Attempt: 1, ClaimedAt: claimed, Triggers: make([]message.Trigger, 1)},
		SMS:   sms.Message{SendKey: id},
	}
}

func (b *bench) outcomes() (list []message.Status) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, r := range b.receipts {
		list = append(list, r.Outcome)
	}
	return list
}

// Room is what is neither reserved nor in flight. What a transaction does not use comes back when it ends.
func TestRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(3, nil)
		hold := make(chan struct{})
		b.answer = func(sms.Message) error { <-hold; return nil }
		assert.Equal(t, 2, b.Reserve(0, store, 2))
		assert.Equal(t, 1, b.Reserve(1, store, 5), "of another partition")
		assert.Zero(t, b.Reserve(2, store, 1))
		assert.Zero(t, b.Reserve(0, "another", 1), "a store without texts")
		b.Sender.Send(text("a", time.Now()))
		b.Release(0)
		assert.Equal(t, 1, b.Reserve(0, store, 5))
		b.Release(0)
		b.Release(1)
		assert.Equal(t, 2, b.Reserve(0, store, 5), "one is in flight")
		b.Release(0)
		close(hold)
		synctest.Wait()
		assert.Equal(t, 3, b.Reserve(0, store, 5))
	})
}

// A text whose process stood still after the claim is not sent, whichever clock shows it.
func TestLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(3, nil)
		claimed := time.Now()
		time.Sleep(15 * time.Second)
		b.Sender.Send(text("slow", claimed))
		b.Sender.Send(text("slept", time.Now().Add(-time.Hour).Round(0)))
		synctest.Wait()
		assert.Empty(t, b.calls)
		assert.Equal(t, []message.Status{message.Planned, message.Planned}, b.outcomes())
		assert.Equal(t, sender.CodeLate, b.receipts[0].Code)
	})
}

// A text whose flow was paused after the claim is given back.
func TestPausedAfterTheClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(3, func(c *sender.Config) { c.Paused = func(store string, _ flow.Key) bool { return store == "acme" } })
		b.Sender.Send(text("a", time.Now()))
		synctest.Wait()
		assert.Empty(t, b.calls)
		require.Len(t, b.receipts, 1)
		assert.Equal(t, message.Planned, b.receipts[0].Outcome)
		assert.Equal(t, sender.CodePaused, b.receipts[0].Code)
	})
}

// A receipt is written again until Kafka has it. Close waits for that, and no longer than it may.
func TestReceiptIsWrittenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(3, nil)
		b.unwritten = 5
		b.Sender.Send(text("a", time.Now()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, b.Close(ctx))
		assert.Equal(t, []message.Status{message.Accepted}, b.outcomes())

		b = newBench(3, nil)
		b.unwritten = 1 << 20
		b.Sender.Send(text("a", time.Now()))
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorContains(t, b.Close(ctx), "become unknown")
		synctest.Wait()
		assert.Empty(t, b.outcomes())
	})
}

// After Close nothing is claimed or sent. A text that was claimed meanwhile is given back.
func TestClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(3, nil)
		require.NoError(t, b.Close(t.Context()))
		assert.Zero(t, b.Reserve(0, store, 1))
		b.Sender.Send(text("a", time.Now()))
		synctest.Wait()
		assert.Empty(t, b.calls)
		require.Len(t, b.receipts, 1)
		assert.Equal(t, message.Planned, b.receipts[0].Outcome)
		assert.Equal(t, sender.CodeStopped, b.receipts[0].Code)
	})
}

// A provider that is down gets one text at a time, after longer and longer pauses, and all the room once it works.
func TestPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(10, nil)
		b.answer = func(sms.Message) error { return &sms.SendError{Class: sms.NotSent, Code: "no_connection"} }
		tried, began := 0, time.Now()
		for time.Since(began) < 10*time.Minute {
			if b.Reserve(0, store, 5) > 0 {
				tried++
				b.Sender.Send(text("a", time.Now()))
			}
			synctest.Wait()
			b.Release(0)
			time.Sleep(100 * time.Millisecond)
		}
		assert.Less(t, tried, 40)
		assert.Greater(t, tried, 20)
		require.ErrorContains(t, b.Trouble(), "no_connection")
		b.answer = func(sms.Message) error { return nil }
		time.Sleep(30 * time.Second)
		assert.Equal(t, 1, b.Reserve(0, store, 5))
		b.Sender.Send(text("a", time.Now()))
		synctest.Wait()
		b.Release(0)
		require.NoError(t, b.Trouble())
		assert.Equal(t, 5, b.Reserve(0, store, 5))
	})
}

// The file of claims survives a kill: a text in it is unknown and not sent again, unless it was certainly not sent.
func TestClaims(t *testing.T) {
	path := filepath.Join(t.TempDir(), "claims")
	open := func() *sender.Claims {
		claims, err := sender.OpenClaims(path)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, claims.Close()) })
		return claims
	}
	deduplicates := false
	send := func(id string, err error) *bench {
		b := newBench(3, func(c *sender.Config) {
			c.Claims = open()
			c.Lanes = map[string]sender.Lane{store: {Driver: c.Lanes[store].Driver, Abilities: sms.Abilities{Deduplicates: deduplicates}, AtOnce: 3}}
			c.Go = func(call func()) { call() }
		})
		b.answer = func(sms.Message) error { return err }
		b.Sender.Send(text(id, time.Now()))
		return b
	}
	assert.Equal(t, []message.Status{message.Accepted}, send("a", nil).outcomes())
	again := send("a", nil)
	assert.Equal(t, []message.Status{message.Unknown}, again.outcomes())
	assert.Empty(t, again.calls)

	assert.Equal(t, []message.Status{message.Planned}, send("b", &sms.SendError{Class: sms.NotSent}).outcomes())
	assert.Equal(t, []message.Status{message.Accepted}, send("b", nil).outcomes())

	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(content, "+c"...), 0o600)) // killed while it was written
	open()
	assert.Equal(t, []message.Status{message.Accepted}, send("c", nil).outcomes())
	assert.Equal(t, []message.Status{message.Unknown}, send("c", nil).outcomes())
	deduplicates = true
	assert.Equal(t, []message.Status{message.Accepted}, send("c", nil).outcomes(), "the provider drops a second one")
}
