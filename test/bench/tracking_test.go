//go:build bench

package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// partitions is how many requests the sink has in flight at most: one for each.
const partitions = 12

// benchTracking measures the tracking sink against a destination that takes its
// time. The limit is what that latency allows: 12 requests of 50 in flight.
func benchTracking(t *testing.T, r *report, targets []target) {
	t.Helper()
	var rows [][]string
	for _, on := range targets {
		prefix := "tracking."
		topics(t, on.cluster, prefix)
		producer := kafka.NewProducer(on.cluster, kafka.ProducerConfig{})
		run := pipeline.Runtime{
			Topics: pipeline.Topics{Prefix: prefix}, Producer: producer,
			Metrics: telemetry.NewMetrics(), Log: zap.NewNop(), Now: time.Now,
		}
		const webhooks = 25_000 // two events each
		fill(t, producer, run.Topics.Webhooks(), webhooks)
		stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, transformOptions(), run)
		require.NoError(t, err)
		consume(t, on.cluster, stages[0].Group, run.Topics.Webhooks(), webhooks, stages[0].Handle)
		for _, latency := range []time.Duration{0, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond} {
			events := 2 * webhooks
			sink := newDestination(latency, nil)
			stage := trackingStage(t, run, sink.URL)
			c := consume(t, on.cluster, fmt.Sprintf("%s.%s", stage.Group, latency), run.Topics.Events(), events, stage.Handle)
			sink.Close()
			limit := "-"
			part := "-"
			if latency > 0 {
				most := partitions * bloomreach.MaxCommands / latency.Seconds()
				limit, part = thousands(int(most)), percent(float64(events)/c.took.Seconds(), most)
			}
			rows = append(rows, []string{
				on.name, latency.String(), perSecond(events, c.took), fmt.Sprintf("%.1f µs", c.cpu.Seconds()*1e6/float64(events)), limit, part,
			})
		}
		require.NoError(t, producer.Close())
	}
	r.table("Tracking sink: events accepted by a destination that takes its time (CPU includes the destination's)",
		[]string{"broker", "latency", "events/s", "CPU each", "limit: 12 in flight × 50 / latency", "of the limit"}, rows)
}

func trackingStage(t *testing.T, run pipeline.Runtime, url string) *pipeline.Stage {
	t.Helper()
	client, err := bloomreach.New(bloomreach.Config{BaseURL: url, ProjectToken: "bench-project", Auth: bloomreach.PublicToken("bench-token")})
	require.NoError(t, err)
	stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTracking}, pipeline.Options{Stores: []pipeline.Store{{
		Settings: subscriber.Settings{Store: lab.Store}, Tracker: client,
	}}}, run)
	require.NoError(t, err)
	return stages[0]
}

// newDestination answers batches after latency and tells accepted of each
// subscription_id when it is; several requests may do so at once.
func newDestination(latency time.Duration, accepted func(subscriptionID string)) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var batch struct {
			Commands []struct {
				ID   string `json:"command_id"`
				Data struct {
					Properties struct {
						SubscriptionID string `json:"subscription_id"`
					} `json:"properties"`
				} `json:"data"`
			} `json:"commands"`
		}
		if err := json.NewDecoder(r.Body).Decode(&batch); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		time.Sleep(latency)
		results := make([]map[string]any, len(batch.Commands))
		for i, c := range batch.Commands {
			results[i] = map[string]any{"success": true, "command_id": c.ID}
			if accepted != nil && c.Data.Properties.SubscriptionID != "" {
				accepted(c.Data.Properties.SubscriptionID)
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"success": true, "results": results})
	}))
}
