package redirect_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/links"
	"github.com/rechargeflow/rechargeflow/pkg/links/redirect"
	"github.com/rechargeflow/rechargeflow/pkg/message"
)

const (
	person = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
	portal = "https://acme.example/tools/recurring/portal/f99bd4a6"
	page   = "https://acme.example"
)

// counts are metrics in memory.
type counts struct {
	mutex                     sync.Mutex
	requests, clicks, dropped map[string]int
}

func (c *counts) add(to *map[string]int, key string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if *to == nil {
		*to = map[string]int{}
	}
	(*to)[key]++
}

func (c *counts) LinkRequest(store, outcome string, _ time.Duration) {
	c.add(&c.requests, store+" "+outcome)
}
func (c *counts) LinkClick(store, sign string)       { c.add(&c.clicks, store+" "+sign) }
func (c *counts) LinkClickDropped(store, why string) { c.add(&c.dropped, store+" "+why) }

func (c *counts) of(which *map[string]int) map[string]int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	copied := map[string]int{}
	for key, n := range *which {
		copied[key] = n
	}
	return copied
}

// world is the role with a clock, links and a topic that can fail.
type world struct {
	t       testing.TB
	now     time.Time
	real    bool // the clock is that of a bubble
	table   *redirect.Table
	clicks  *redirect.Clicks
	handler *redirect.Handler
	counts  *counts
	log     *observer.ObservedLogs

	mutex   sync.Mutex
	down    bool
	written []kafka.Record
}

// newWorld has stores with short links; their table is empty and ready.
func newWorld(t testing.TB, stores map[string]redirect.Store) *world {
	t.Helper()
	core, log := observer.New(zapcore.DebugLevel)
	w := &world{t: t, now: time.Now(), counts: &counts{}, log: log}
	w.table = redirect.NewTable("recharge.links", zap.New(core))
	w.clicks = redirect.NewClicks("recharge.sms-receipts", w.produce, w.counts, zap.New(core), w.clock)
	w.handler = redirect.New(redirect.Config{Stores: stores, Links: w.table, Clicks: w.clicks, Metrics: w.counts, Log: zap.New(core), Now: w.clock})
	return w
}

// newReadyWorld has read its table.
func newReadyWorld(t testing.TB, stores map[string]redirect.Store) *world {
	t.Helper()
	w := newWorld(t, stores)
	w.table.AtEnd()
	return w
}

// finish writes the clicks that are held, as at the stop of the process.
func (w *world) finish() {
	ctx, cancel := context.WithCancel(w.t.Context())
	cancel()
	w.clicks.Run(ctx)
}

func (w *world) setDown(down bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.down = down
}

// acme is one store.
func acme() map[string]redirect.Store {
	return map[string]redirect.Store{"acme": {Host: "go.acme.example", Page: page}}
}

func (w *world) clock() time.Time {
	if w.real {
		return time.Now()
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) produce(_ context.Context, records ...kafka.Record) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.down {
		return errors.New("brokers do not answer")
	}
	w.written = append(w.written, records...)
	return nil
}

// records are the clicks that were written.
func (w *world) records() (clicks []message.Click) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, r := range w.written {
		var c message.Click
		require.NoError(w.t, json.Unmarshal(r.Value, &c))
		clicks = append(clicks, c)
	}
	return clicks
}

// link adds a link of a text that was claimed a minute ago, and returns its code.
func (w *world) link(store, text, target string) links.Code {
	code := links.NewCode()
	w.apply(store, code, &message.LinkRow{
		ID: code.ID(), Store: store, RechargeCustomerID: "42", MessageID: strings.Repeat(text, 64), Number: 1, Target: message.NewLink(links.Short{Code: code, Target: target}).Target,
		ClaimedAt: w.clock().Add(-time.Minute), ExpiresAt: w.clock().Add(time.Hour),
	})
	return code
}

// apply applies a row, nil for a tombstone.
func (w *world) apply(store string, code links.Code, row *message.LinkRow) {
	r := kafka.Record{Topic: "recharge.links", Partition: 7, Key: []byte(store + "/" + code.ID())}
	if row != nil {
		var err error
		r.Value, err = json.Marshal(row)
		require.NoError(w.t, err)
	}
	w.table.Apply([]kafka.Record{r})
}

// request is the answer to a request of a person, unless a header says otherwise.
func (w *world) request(method, path string, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(w.t.Context(), method, "http://go.acme.example/", http.NoBody)
	r.URL.Path = path
	r.Header = http.Header{"User-Agent": {person}}
	for name := range header {
		r.Header.Set(name, header.Get(name))
	}
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	return answer
}
