package texts_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/pkg/flowstats"
	"github.com/rechargeflow/rechargeflow/pkg/message"
)

// The console's numbers of flows are those of package flowstats, from whatever time on, in whatever time zone.
func TestReadModel(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			o := simulated(t, seed, customers)
			m, changes := o.readModel(), decoded[message.Change](o.messages)
			for _, name := range []string{"America/Los_Angeles", "UTC", "Asia/Kathmandu", "America/Santiago", "Asia/Beirut", "Pacific/Apia"} {
				zone, err := time.LoadLocation(name)
				require.NoError(t, err)
				for days := range 65 {
					since := began().AddDate(0, 0, days).Add(time.Duration(days*37%24) * time.Hour)
					counter := flowstats.NewCounter(flowstats.Options{Since: since, Zones: map[string]*time.Location{"acme": zone}, Within: flowstats.DefaultWithin()})
					for _, c := range changes {
						counter.Changed(c)
					}
					want := map[string][6]int64{}
					for _, r := range flowstats.Totals(counter.Rows()) {
						if r.Texts > 0 {
							want[string(r.Flow)] = [6]int64{int64(r.Texts), int64(r.Sent), int64(r.Delivered), int64(r.Clicked), int64(r.Failed), int64(r.Waiting)}
						}
					}
					counts, err := m.Flows(t.Context(), "acme", since, zone)
					require.NoError(t, err)
					got := map[string][6]int64{}
					for _, c := range counts {
						got[string(c.Flow)] = [6]int64{c.Texts, c.Sent, c.Delivered, c.Clicked, c.Failed, c.Waiting}
					}
					assert.Equal(t, want, got, "%s %s", name, since)
				}
			}
			unknown, err := m.Unknown(t.Context(), "acme", "", 1000)
			require.NoError(t, err)
			assert.NotEmpty(t, unknown.Rows)
			for _, row := range unknown.Rows {
				assert.Equal(t, message.Unknown, row.Status)
			}
		})
	}
}

// readModel returns a read model that has read the topics.
func (o *topics) readModel() *readmodel.Model {
	o.Helper()
	m, err := readmodel.Open(readmodel.Config{Dir: o.TempDir(), Cluster: o.cluster, Topics: o.Topics, Every: 10 * time.Millisecond, Now: func() time.Time { return began().AddDate(0, 0, days+20) }})
	require.NoError(o, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	o.Cleanup(func() {
		cancel()
		require.NoError(o, <-ended)
		require.NoError(o, m.Close())
	})
	require.Eventually(o, func() bool { return m.Progress().CaughtUp }, time.Minute, 5*time.Millisecond)
	return m
}
