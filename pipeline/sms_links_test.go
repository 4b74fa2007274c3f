package pipeline_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/links"
	"github.com/rechargeflow/rechargeflow/pkg/links/redirect"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

const (
	linksBase  = "https://go.acme.example"
	portalLink = "https://acme.example/portal/f99bd4a6"
	browser    = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"
)

// linksWorld sends texts with a link to the portal, and short links in their place.
func linksWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, storeConfig{SMS: true, Flows: []string{"subscription_started"}, Text: "Hi: {{ portal_url }}"})
	of := w.built.Stores[0].Texts
	of.Shop.LinksURL, of.LinksTTL, of.Code = linksBase, 10*24*time.Hour, links.NewCode
	return w
}

// linked is a trigger of a customer with a link to the portal.
func (w *world) linked() kafka.Record {
	record := w.triggerRecord(0)
	var trigger subscriber.Trigger
	require.NoError(w.t, json.Unmarshal(record.Value, &trigger))
	trigger.Recipient.PortalHash = "f99bd4a6"
	record.Value, _ = json.Marshal(trigger)
	return record
}

// paths are the paths of the short links in a text.
func paths(text string) (found []string) {
	for _, link := range regexp.MustCompile(linksBase+`(/r/[0-9A-Za-z]{11})\b`).FindAllStringSubmatch(text, -1) {
		found = append(found, link[1])
	}
	return found
}

type noCounts struct{}

func (noCounts) LinkRequest(string, string, time.Duration) {}
func (noCounts) LinkClick(string, string)                  {}
func (noCounts) LinkClickDropped(string, string)           {}

// visit is the answer to a request for a short link, by a process that has read recharge.links.
func (w *world) visit(path, agent string) *httptest.ResponseRecorder {
	table := redirect.NewTable("recharge.links", zap.NewNop())
	table.Apply(w.topics.since("recharge.links", 0))
	table.AtEnd()
	clicks := redirect.NewClicks("recharge.sms-receipts", w.topics.Produce, noCounts{}, zap.NewNop(), w.clock)
	handler := redirect.New(redirect.Config{
		Stores: map[string]redirect.Store{store: {Host: "go.acme.example", Page: "https://acme.example"}},
		Links:  table, Clicks: clicks, Metrics: noCounts{}, Log: zap.NewNop(), Now: w.clock,
	})
	request := httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, linksBase+path, http.NoBody)
	request.Header.Set("User-Agent", agent)
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	ended, stop := context.WithCancel(w.t.Context())
	stop()
	clicks.Run(ended)
	return answer
}

// A text has a short link. Who opens it is led to where the text said, and the message says when a person did so first.
func TestShortLink(t *testing.T) {
	w := linksWorld(t)
	w.send(w.linked())
	require.Len(t, w.texts.Texts(), 1)
	found := paths(w.texts.Texts()[0].Body)
	require.Len(t, found, 1, w.texts.Texts()[0].Body)
	assert.NotContains(t, w.texts.Texts()[0].Body, "portal")
	rows := w.topics.since("recharge.links", 0)
	require.Len(t, rows, 1)
	code := strings.TrimPrefix(found[0], "/r/")
	assert.Equal(t, "acme/"+links.Code(code).ID(), string(rows[0].Key))

	w.later(time.Minute)
	assert.Equal(t, portalLink, w.visit(found[0], "WhatsApp/2.23.20.0").Header().Get("Location"))
	w.handleAll()
	assert.Zero(t, w.message().ClickedAt)
	assert.Equal(t, 1, w.outcomes.count("sms skipped bot_click"))

	first := w.clock()
	for range 3 {
		assert.Equal(t, portalLink, w.visit(found[0], browser).Header().Get("Location"))
		w.later(time.Minute)
	}
	w.handleAll()
	assert.Equal(t, first.UTC(), w.message().ClickedAt)
	assert.Equal(t, message.Accepted, w.message().Status)
	assert.Equal(t, 2, w.outcomes.count("sms skipped duplicate"))

	w.later(10 * 24 * time.Hour)
	w.handleAll()
	rows = w.topics.since("recharge.links", 0)
	require.Len(t, rows, 2)
	assert.Nil(t, rows[1].Value, "a tombstone")
	assert.Equal(t, rows[0].Key, rows[1].Key)
	assert.Equal(t, "https://acme.example", w.visit(found[0], browser).Header().Get("Location"))
	for topic, records := range w.topics.records {
		for _, r := range records {
			assert.NotContains(t, string(r.Value)+string(r.Key), code, topic)
			if topic != "recharge.sms-triggers" && topic != "recharge.state" { // which have the part of the link
				assert.NotContains(t, string(r.Value), "f99bd4a6", topic)
			}
			assert.NotContains(t, string(r.Value), portalLink, topic)
		}
	}
	assert.NotContains(t, w.log.String(), code)
	assert.NotContains(t, w.log.String(), "f99bd4a6")
}

// Without its transaction a link does not exist; the text that is claimed then has another one.
func TestShortLinkOfAnAbortedClaim(t *testing.T) {
	w := linksWorld(t)
	w.produce(w.linked())
	w.handleAll()
	w.topics.down = true
	w.release()
	assert.Empty(t, w.topics.since("recharge.links", 0))
	assert.Empty(t, w.texts.Texts())
	w.topics.down = false
	w.handleAll()
	require.Len(t, w.texts.Texts(), 1)
	require.Len(t, w.topics.since("recharge.links", 0), 1)
	assert.Equal(t, portalLink, w.visit(paths(w.texts.Texts()[0].Body)[0], browser).Header().Get("Location"))
}

// A text that was certainly not sent leaves no link behind when it is claimed again.
func TestShortLinkOfAClaimThatFailed(t *testing.T) {
	w := linksWorld(t)
	w.texts.Next(1, smstest.Behaviour{Status: http.StatusTooManyRequests, RetryAfter: 7 * time.Second})
	w.send(w.linked())
	require.Empty(t, w.texts.Texts())
	w.later(8 * time.Second)
	w.handleAll()
	require.Len(t, w.texts.Texts(), 1)
	left := map[string]bool{}
	for _, r := range w.topics.since("recharge.links", 0) {
		left[string(r.Key)] = r.Value != nil
	}
	code := links.Code(strings.TrimPrefix(paths(w.texts.Texts()[0].Body)[0], "/r/"))
	require.Len(t, left, 2)
	for key, there := range left {
		assert.Equal(t, key == "acme/"+code.ID(), there)
	}
}
