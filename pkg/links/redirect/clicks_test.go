package redirect_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/schemas/schematest"
)

// running runs what writes clicks, with the clock of a bubble, until the test ends.
func running(t *testing.T, do func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newReadyWorld(t, acme())
		w.real = true
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.clicks.Run(ctx)
		}()
		do(w)
		stop()
		<-done
	})
}

func (w *world) click(code string) { w.request(http.MethodGet, "/r/"+code, nil) }

func TestClicksAreWritten(t *testing.T) {
	running(t, func(w *world) {
		first, second := string(w.link("acme", "a", portal)), string(w.link("acme", "b", page))
		at := w.clock()
		w.click(first)
		time.Sleep(time.Second)
		w.click(second)
		synctest.Wait()
		assert.Empty(t, w.records(), "they are held")
		time.Sleep(4 * time.Second)
		synctest.Wait()
		clicks := w.records()
		require.Len(t, clicks, 2)
		assert.Equal(t, message.Click{
			Store: "acme", CustomerID: "42", MessageID: strings.Repeat("a", 64), LinkID: clicks[0].LinkID, Number: 1, At: at.UTC(), Agent: "ios",
		}, clicks[0])
		assert.Equal(t, map[string]int{"acme ": 2}, w.counts.of(&w.counts.clicks))
		r := w.written[0]
		assert.Equal(t, "recharge.sms-receipts", r.Topic)
		assert.Equal(t, 7, r.Partition, "that of the text")
		assert.Equal(t, "acme/42", string(r.Key))
		assert.Equal(t, "rechargeflow.sms_click", r.Header("ce_type"))
		validator, err := schematest.New()
		require.NoError(t, err)
		require.NoError(t, validator.Check(r.Header("ce_dataschema"), r.Value))
	})
}

// A scanner opens all links of a text at once. A person may open one after the other, or the same one twice.
func TestSeveralAtOnce(t *testing.T) {
	running(t, func(w *world) {
		one, other, same := string(w.link("acme", "a", portal)), string(w.link("acme", "a", page)), string(w.link("acme", "b", page))
		w.click(one)
		time.Sleep(time.Second)
		w.click(other)
		w.click(same)
		w.click(same)
		time.Sleep(10 * time.Second)
		w.click(one)
		time.Sleep(3 * time.Second)
		w.click(other)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, map[string]int{"acme several_at_once": 2, "acme ": 4}, w.counts.of(&w.counts.clicks))
		for i, c := range w.records() {
			assert.Equal(t, i < 2, c.Bot, i)
		}
	})
}

// While brokers do not answer clicks wait; a redirect never does.
func TestBrokersDown(t *testing.T) {
	running(t, func(w *world) {
		code := string(w.link("acme", "a", portal))
		w.setDown(true)
		w.click(code)
		time.Sleep(time.Minute)
		assert.Empty(t, w.records())
		w.setDown(false)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		assert.Len(t, w.records(), 1)
		assert.Empty(t, w.counts.of(&w.counts.dropped))
	})
}

func TestQueueIsBounded(t *testing.T) {
	running(t, func(w *world) {
		w.setDown(true)
		for range 210 {
			code := string(w.link("acme", "a", portal))
			for range 100 {
				w.click(code)
			}
			synctest.Wait()
		}
		dropped := w.counts.of(&w.counts.dropped)["acme queue_full"]
		assert.InDelta(t, 1000, dropped, 1, "10,000 are held and 10,000 wait")
		assert.Equal(t, 21_000, w.counts.of(&w.counts.requests)["acme redirected"])
		w.setDown(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Len(t, w.records(), 21_000-dropped)
	})
}

// Who has a link can't fill the topic with it.
func TestManyClicksOnOneLink(t *testing.T) {
	running(t, func(w *world) {
		code := string(w.link("acme", "a", portal))
		for range 150 {
			w.click(code)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Len(t, w.records(), 100)
		assert.Equal(t, map[string]int{"acme too_many": 50}, w.counts.of(&w.counts.dropped))
	})
}

// At the stop clicks that are held are written at once, and those that can't be written are counted.
func TestStop(t *testing.T) {
	w := newReadyWorld(t, acme())
	w.click(string(w.link("acme", "a", portal)))
	w.finish()
	assert.Len(t, w.records(), 1)

	w = newReadyWorld(t, acme())
	w.setDown(true)
	w.click(string(w.link("acme", "a", portal)))
	w.finish()
	assert.Equal(t, map[string]int{"acme stopped": 1}, w.counts.of(&w.counts.dropped))
}

func TestBotsAreMarked(t *testing.T) {
	w := newReadyWorld(t, acme())
	code := string(w.link("acme", "a", portal))
	answer := w.request(http.MethodGet, "/r/"+code, http.Header{"User-Agent": {"WhatsApp/2.23.20.0"}})
	assert.Equal(t, portal, answer.Header().Get("Location"), "who is taken for a program is led on, too")
	w.finish()
	require.Len(t, w.records(), 1)
	assert.True(t, w.records()[0].Bot)
	assert.Equal(t, "preview", w.records()[0].Sign)
	assert.Equal(t, "other", w.records()[0].Agent)
	assert.Equal(t, map[string]int{"acme preview": 1}, w.counts.of(&w.counts.clicks))
}
