// Package telemetrytest has what tests of metrics and logs share: Page, a page with all metrics, and CheckKeys, which finds keys that
// a log line has twice.
package telemetrytest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// Page returns the /metrics page of a process in which everything has happened once: each metric has a series.
func Page() string {
	const store, group, topic = "acme", "rechargeflow.tracking.acme", "recharge.events"
	m := telemetry.NewMetrics()
	m.Build(telemetry.Version{})
	m.Record("gateway", store, "accepted", "")
	m.Record("tracking", store, "rejected", "refused")
	m.Ingest(store, time.Millisecond)
	m.Response(200, time.Millisecond)
	registrations(m, store)
	texts(m, store)
	m.UnknownTopic(store, "subscription/created")
	m.GatewayLimits(func() int { return 0 }, func() int64 { return 0 }, func() int64 { return 0 })
	m.EndToEnd("tracking", store, time.Second, "")
	m.Paused("tracking", store, false)
	m.Waiting("tracking", group, 0)
	m.Lost(group, func() int64 { return 0 })
	m.Rejoins(group, func() int64 { return 0 })
	m.Stalled(group, func() int { return 0 })
	m.Assigned(group, func() int { return 12 })
	m.Lookup(store, "customer", "found")
	m.LookupsPending(store, 0)
	m.ParkedCustomers(func() map[string]int { return map[string]int{store: 0} })
	m.UnreadableField(store, "subscription", "price")
	m.KafkaOperation("produce", "ok", time.Millisecond)
	m.KafkaTransfer("produce", topic, 1, 500)
	m.Call("bloomreach", store, "ok", time.Millisecond)
	m.State("transformer").StateRestored(0, 0)
	m.State("transformer").Disk(func() telemetry.StateDisk { return telemetry.StateDisk{} })
	configured(m, store, group, topic)
	m.Ready("gateway", func() bool { return true })
	m.Certificates(func() []telemetry.Certificate { return []telemetry.Certificate{{Use: "kafka_client"}} })
	m.DestinationCertificate("sms", "sms.example.com", time.Now(), time.Now())
	m.Lags(func() telemetry.LagReport {
		return telemetry.LagReport{Cluster: "c", Lags: []telemetry.Lag{{Group: group, Topic: topic}}}
	})
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/metrics", http.NoBody))
	return answer.Body.String()
}

func configured(m *telemetry.Metrics, store, group, topic string) {
	m.Reloaded(time.Now(), 0)
	m.GroupConfigured("tracking", group)
	m.StoreConfigured(store)
	m.TopicRetention(topic, time.Hour)
	m.TopicTrouble(topic, "missing", false)
}

func texts(m *telemetry.Metrics, store string) {
	m.Callback(store, "reply", "accepted", "")
	m.Text(store, "charge_failed", "accepted", "")
	m.Texting(func() []telemetry.Texting {
		return []telemetry.Texting{{Numbers: map[string]int{"opted_in": 1}, Paused: map[string]bool{"charge_paid": false}}}
	})
	m.LinkRequest(store, "redirected", time.Millisecond)
	m.LinkClick(store, "")
	m.LinkClickDropped(store, "queue_full")
	m.Links(func() int { return 1 })
	m.LinkConnections(func() int { return 0 }, func() int64 { return 0 })
	m.ConsoleRequest("/:store/texts", "GET", 200, time.Millisecond)
	m.ConsoleLogin("wrong_password")
	m.ConsoleReading(func() int64 { return 0 }, func() time.Duration { return 0 })
	m.ConsoleConnections(func() int { return 0 }, func() int64 { return 0 })
}

func registrations(m *telemetry.Metrics, store string) {
	m.Registrations(store, map[string]int{"ok": 1})
	m.RegistrationRestored(store, "missing")
	m.RegistrationCheck(store, "ok")
}
