//go:build bench

package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// partitions is how many requests the sink has in flight at most: one for each.
const partitions = 12

// benchTracking measures the tracking sink against a slow destination, by
// what that has accepted. The limit is what its latency allows: 12
// requests of 50 in flight.
func benchTracking(t *testing.T, r *report, targets []target) {
	t.Helper()
	var rows [][]string
	for _, on := range targets {
		prefix := lab.RandomPrefix("tracking")
		cluster := stageCluster(t, on, prefix)
		producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
		run := newRuntime(prefix, producer)
		const webhooks = 25_000 // two events each
		fill(t, producer, run.Topics.Webhooks(), newCustomers().take(webhooks))
		stage := transformer(t, cluster, run)
		transform(t, cluster, stage.Group, run.Topics.Webhooks(), webhooks, transactions(stage))
		for _, latency := range []time.Duration{0, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond} {
			rows = append(rows, track(t, on, cluster, run, latency, 2*webhooks))
		}
		require.NoError(t, producer.Close())
	}
	r.table("Tracking sink: events accepted by a slow destination",
		"CPU includes the destination's and, embedded, the broker's.",
		[]string{"broker", "latency", "events/s", "CPU each", "limit: 12 in flight × 50 / latency", "of the limit"}, rows)
}

// track lets the sink of a group of its own send all events.
func track(t *testing.T, on target, cluster kafka.Cluster, run pipeline.Runtime, latency time.Duration, events int) []string {
	t.Helper()
	sink := newDestination(latency, nil)
	defer sink.Close()
	stage := trackingStage(t, run, sink.URL)
	c := consume(t, cluster, fmt.Sprintf("%s.%s", stage.Group, latency), run.Topics.Events(), events, stage.Handle)
	accepted, last := sink.accepted()
	require.GreaterOrEqual(t, accepted, events, "events that the destination has accepted")
	took := last.Sub(c.began)
	limit, part := "-", "-"
	if latency > 0 {
		most := partitions * bloomreach.MaxCommands / latency.Seconds()
		limit, part = thousands(int(most)), percent(float64(accepted)/took.Seconds(), most)
	}
	return []string{
		on.name, latency.String(), perSecond(accepted, took), fmt.Sprintf("%.1f µs", c.cpu.Seconds()*1e6/float64(accepted)), limit, part,
	}
}

func trackingStage(t *testing.T, run pipeline.Runtime, url string) *stage.Stage {
	t.Helper()
	client, err := bloomreach.New(bloomreach.Config{BaseURL: url, ProjectToken: "bench-project", Auth: bloomreach.PublicToken("bench-token")})
	require.NoError(t, err)
	stages, err := pipeline.Stages([]topology.Role{topology.RoleTracking}, pipeline.Options{Stores: []pipeline.Store{{
		Settings: subscriber.Settings{Store: lab.Store, CustomerID: subscriber.ByEmail}, Tracker: client, CustomerIDName: "registered",
	}}}, run)
	require.NoError(t, err)
	return stages[0]
}

// destination accepts batches and counts their commands.
type destination struct {
	*httptest.Server

	latency    time.Duration
	onAccepted func(subscriptionID string)

	mu       sync.Mutex
	commands int
	last     time.Time
}

// newDestination answers batches after latency and calls onAccepted, if it is not
// nil, with each subscription_id; several requests may do so at once.
func newDestination(latency time.Duration, onAccepted func(subscriptionID string)) *destination {
	d := &destination{latency: latency, onAccepted: onAccepted}
	d.Server = httptest.NewServer(d)
	return d
}

// accepted is how many commands were, and when the last of them.
func (d *destination) accepted() (int, time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.commands, d.last
}

func (d *destination) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
	time.Sleep(d.latency)
	results := make([]map[string]any, len(batch.Commands))
	for i, c := range batch.Commands {
		results[i] = map[string]any{"success": true, "command_id": c.ID}
		if d.onAccepted != nil && c.Data.Properties.SubscriptionID != "" {
			d.onAccepted(c.Data.Properties.SubscriptionID)
		}
	}
	d.mu.Lock()
	d.commands, d.last = d.commands+len(results), time.Now()
	d.mu.Unlock()
	_ = json.NewEncoder(w).Encode(map[string]any{"success": true, "results": results})
}
