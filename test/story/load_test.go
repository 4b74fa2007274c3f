package story_test

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/test/lab"
	"github.com/rechargeflow/rechargeflow/test/load"
)

// TestLoad sends many lives, with bursts, duplicates and disorder, and compares
// the facts in recharge.events with the generator's own account. LIVES says how
// many; `make load` sends more.
func TestLoad(t *testing.T) {
	lives := 100
	if asked := os.Getenv("LIVES"); asked != "" {
		var err error
		lives, err = strconv.Atoi(asked)
		require.NoError(t, err)
	}
	eachBroker(t, func(t *testing.T, l *lab.Lab, _ map[string]*lab.Process) {
		generator := load.New(load.Options{
			Lives: lives, Seed: 1, Callers: 16, Duplicates: 0.05, Disorder: 0.5, LookedUp: 0.01, Now: time.Now().UTC().Truncate(time.Second),
		})
		for id, body := range generator.Customers() {
			l.API.PutCustomer(id, body)
		}
		l.API.LimitRate(rechargetest.StandardBucket())
		began := time.Now()
		require.NoError(t, generator.Run(t.Context(), func(ctx context.Context, topic recharge.Topic, body []byte) error {
			return deliver(ctx, l, lab.Webhook{Store: lab.Store, Topic: string(topic), Body: body})
		}))
		t.Logf("%d lives, %d webhooks, %d facts, sent in %s", lives, generator.Sent(), generator.Account.Len(), time.Since(began).Round(time.Millisecond))
		var last error
		require.Eventually(t, func() bool {
			last = generator.Account.Compare(values(read(t, l, pipeline.Topics{Prefix: l.Prefix}.Events())))
			return last == nil
		}, 10*time.Minute, time.Second, "%v", &last)
		eventually(t, func() bool { return everythingTracked(t, l) })
	})
}

func values(records []kafka.Record) [][]byte {
	values := make([][]byte, len(records))
	for i, r := range records {
		values[i] = r.Value
	}
	return values
}

// everythingTracked compares what lies in recharge.events with what Bloomreach got.
func everythingTracked(t *testing.T, l *lab.Lab) bool {
	t.Helper()
	return len(l.Bloomreach.Received()) >= len(read(t, l, pipeline.Topics{Prefix: l.Prefix}.Events()))
}
