package analytics_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/backfill"
)

// observed is a shop with its API, whose webhooks go through deliver.
func observed(t *testing.T, seed uint64, deliver func(*api, time.Time) bool) (answers, *api) {
	t.Helper()
	p := newProduct(t)
	var a *api
	s := newShop(seed, func(customer int, topic string, body []byte, at time.Time) {
		a.see(topic, body)
		if deliver(a, at) {
			p.webhook(customer, topic, body, at)
		}
	})
	a = newAPI(p, s)
	p.people = func(id int) *person {
		return s.people[slices.IndexFunc(s.people, func(x *person) bool { return x.id == id })]
	}
	return s.run(), a
}

func requireOnce(t *testing.T, records []record) {
	t.Helper()
	seen := map[string]bool{}
	for _, e := range records {
		require.False(t, seen[e.ID], "%s %s is there twice", e.Type, e.Status)
		seen[e.ID] = true
	}
}

// Webhooks of three days are lost. A backfill brings, once, what Recharge still shows, although it begins two days before.
func TestAnswersAfterLostWebhooks(t *testing.T) {
	from, to := began().AddDate(0, 0, 60), began().AddDate(0, 0, 63)
	for seed := range uint64(5) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			lost, done := 0, false
			want, a := observed(t, seed, func(a *api, at time.Time) bool {
				if !at.Before(from) && at.Before(to) {
					lost++
					return false
				}
				if at.After(to) && !done {
					done = true
					_, err := backfill.Backfill{
						Config: a.config(at), Since: from.AddDate(0, 0, -2), Resources: backfill.Resources(), Events: true,
					}.Run(t.Context())
					require.NoError(t, err)
				}
				return true
			})
			got := a.topics.answers()
			require.Positive(t, lost)
			assert.Equal(t, want.Churn, got.Churn)
			assert.Equal(t, want.MRR, got.MRR)
			assert.Equal(t, want.Refunds, got.Refunds)
			assert.Equal(t, want.Products, got.Products)
			assert.Equal(t, want.Active, got.Active)
			assert.LessOrEqual(t, got.Recovered, want.Recovered, "an attempt that failed before the last one is lost")
			requireOnce(t, a.topics.events)
			requireOnce(t, a.topics.facts)
		})
	}
}

// A store is imported on its 60th day. From then on the answers are right, and nothing before is tracked but the property.
func TestAnswersAfterImport(t *testing.T) {
	day := 60
	connected := began().AddDate(0, 0, day)
	for seed := range uint64(5) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			done := false
			want, a := observed(t, seed, func(a *api, at time.Time) bool {
				if !done && at.After(connected) {
					done = true
					_, err := backfill.Import{Config: a.config(at)}.Run(t.Context())
					require.NoError(t, err)
					assert.Empty(t, a.topics.facts)
					for _, e := range a.topics.events {
						assert.Equal(t, "customer_property", e.Type)
					}
				}
				return done
			})
			got := a.topics.answers()
			assert.Equal(t, want.MRR, got.MRR)
			assert.Equal(t, want.Expected, got.Expected)
			for d := day; d < days; d++ {
				assert.Equal(t, want.Active[dayOf(d)], got.Active[dayOf(d)], dayOf(d))
			}
			requireOnce(t, a.topics.events)
		})
	}
}
