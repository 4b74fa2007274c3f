package texts_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flowstats"
	"github.com/rechargeflow/rechargeflow/pkg/membership"
	"github.com/rechargeflow/rechargeflow/pkg/segment"
)

const customers = 120

// Segments have the members that the values of the topics say.
func TestSegments(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			o := simulated(t, seed, customers)
			now := began().AddDate(0, 0, days+20)
			ago := func(days int) time.Time { return now.Add(-time.Duration(days) * 24 * time.Hour) }
			received := func(flow string, since time.Time) map[string]bool {
				return o.who("acme", func(t text) bool {
					return t.received() && (flow == "" || t.last().Flow == flow) && !t.receivedAt().Before(since)
				})
			}
			clicked := func(flow string, since time.Time) map[string]bool {
				return o.who("acme", func(t text) bool {
					return !t.clickedAt().IsZero() && (flow == "" || t.last().Flow == flow) && !t.clickedAt().Before(since)
				})
			}
			var none time.Time
			type set = map[string]bool
			both := func(a set, b func(string) bool) func(string) bool {
				return func(c string) bool { return a[c] && b(c) }
			}
			has := func(a set) func(string) bool { return func(c string) bool { return a[c] } }
			not := func(a set) func(string) bool { return func(c string) bool { return !a[c] } }
			ended := received("subscription_canceled", none)
			maps.Copy(ended, received("subscription_expired", none))
			risk := both(received("", ago(45)), not(clicked("charge_failed", none)))
			lost := both(ended, not(clicked("", ago(40))))
			for conditions, is := range map[string]func(string) bool{
				"received any":                 has(received("", none)),
				"not received any":             not(received("", none)),
				"received any in 30d":          has(received("", ago(30))),
				"not received any in 30d":      not(received("", ago(30))),
				"received charge_failed":       has(received("charge_failed", none)),
				"clicked any":                  has(clicked("", none)),
				"not clicked any in 40d":       not(clicked("", ago(40))),
				"clicked charge_failed in 45d": has(clicked("charge_failed", ago(45))),

				"received any in 45d and not clicked charge_failed":                                            risk,
				"(received subscription_canceled or received subscription_expired) and not clicked any in 40d": lost,
			} {
				rule, err := segment.Parse(conditions)
				require.NoError(t, err)
				counts, err := membership.Source{Cluster: o.cluster, Topics: o.Topics, Store: "acme"}.Count(t.Context(), now, rule)
				require.NoError(t, err)
				want := o.members("acme", is)
				assert.Equal(t, want, counts.Members[0], conditions)
				assert.Positive(t, want, conditions)
				assert.Less(t, want, counts.Customers, conditions)
			}
		})
	}
}

// The numbers of flows by day are those that the values of the topics say, and add up.
func TestNumbers(t *testing.T) {
	zone, err := time.LoadLocation("America/Los_Angeles")
	require.NoError(t, err)
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			o := simulated(t, seed, customers)
			rows, err := flowstats.Source{Cluster: o.cluster, Topics: o.Topics, Regions: map[string]string{"acme": "US", "beta": "US"}}.Count(t.Context(), flowstats.Options{
				Zones: map[string]*time.Location{"acme": zone, "beta": zone}, Within: flowstats.DefaultWithin(),
			})
			require.NoError(t, err)
			got, sums := map[string]int{}, map[string]int{}
			for _, r := range rows {
				for i, n := range r.Values() {
					if n > 0 {
						got[key(r.Store, r.Day, r.Flow, flowstats.Columns()[i])] = n
					}
					sums[flowstats.Columns()[i]] += n
				}
				assert.Equal(t, r.Triggered, r.Merged+r.Absorbed+r.Texts)
				assert.Equal(t, r.Texts, r.Waiting+r.Suppressed+r.Sent+r.Failed+r.Unknown)
			}
			assert.Equal(t, o.numbers(zone), got)
			for _, column := range flowstats.Columns() {
				if column != "waiting" {
					assert.Positive(t, sums[column], column)
				}
			}
			t.Log(sums)
		})
	}
}
