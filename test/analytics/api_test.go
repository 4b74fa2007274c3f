package analytics_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/backfill"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// api is what Recharge's API shows of a shop.
type api struct {
	*product

	shop    *shop
	server  *rechargetest.Server
	charges map[string][]byte // the last body of each
}

func newAPI(p *product, s *shop) *api {
	a := &api{product: p, shop: s, server: rechargetest.NewInProcess("token"), charges: map[string][]byte{}}
	p.Cleanup(a.server.Close)
	return a
}

// see notes the body of a webhook.
func (a *api) see(topic string, body []byte) {
	var of struct{ Charge struct{ ID json.Number } }
	require.NoError(a, json.Unmarshal(body, &of))
	switch id := of.Charge.ID.String(); {
	case topic == "charge/deleted":
		delete(a.charges, id)
		a.server.Remove("charges", id)
	case strings.HasPrefix(topic, "charge/"):
		a.charges[id] = body
	}
}

// config is that of an import or backfill at a time.
func (a *api) config(now time.Time) backfill.Config {
	for _, p := range a.shop.people {
		if len(p.subs) == 0 {
			continue
		}
		active := 0
		for _, x := range p.subs {
			require.NoError(a, a.server.Put(encode(fields{"subscription": x.body(p)})))
			if x.status == "active" {
				active++
			}
		}
		require.NoError(a, a.server.Put(encode(fields{"customer": p.object(p.subs[0].created.Add(-time.Second), active)})))
	}
	for _, body := range a.charges {
		require.NoError(a, a.server.Put(body))
	}
	clock := func() time.Time { return now }
	a.server.SetClock(clock)
	client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: a.server.URL, Token: "token", HTTPClient: a.server.Client(time.Minute), Now: clock})
	require.NoError(a, err)
	dir, err := backfill.OpenDirectory(filepath.Join(a.TempDir(), "progress"))
	require.NoError(a, err)
	a.Cleanup(func() { require.NoError(a, dir.Close()) })
	return backfill.Config{
		Store: "acme", Topic: "recharge.webhooks", API: client, Dir: dir, Now: clock,
		Produce: func(_ context.Context, records ...kafka.Record) error {
			for _, r := range records {
				a.apply(r, now)
			}
			return nil
		},
		Sleep: func(context.Context, time.Duration) error { return nil }, Report: func(backfill.Progress) {}, Failed: func(error, time.Duration) {},
	}
}

// apply decides on a raw record as the transformer does.
func (a *api) apply(r kafka.Record, at time.Time) {
	var customer int
	_, err := fmt.Sscanf(string(r.Key), "acme/%d", &customer)
	require.NoError(a, err)
	if r.Header(envelope.HeaderSource) == envelope.SourceImport {
		list, err := a.decoder.Lookup(r.Value, at)
		require.NoError(a, err)
		decision, after, err := subscriber.ApplyLookup(settings(), a.state(customer), list, true, at)
		require.NoError(a, err)
		a.save(customer, decision, after, at)
		return
	}
	webhook, err := a.decoder.Decode(recharge.Topic(r.Header(envelope.HeaderRechargeTopic)), r.Value, at)
	require.NoError(a, err)
	webhook.Backfill, err = envelope.BackfillOf(r)
	require.NoError(a, err)
	a.decide(customer, webhook, at)
}
