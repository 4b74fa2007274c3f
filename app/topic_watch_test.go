package app

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// TestTopicsChange: an operator deletes a topic, and later adds partitions to recharge.webhooks under load. /readyz and a metric
// say so. The gateway accepts webhooks without the deleted topic, and none after partitions were added: each accepted webhook is
// in Kafka, each customer in one partition.
func TestTopicsChange(t *testing.T) {
	broker := kafkatest.Choose(t)
	cfg := settings(t, `
kafka: {brokers: ["`+broker.Addr()+`"], durability: single, topic_prefix: "changing.", topic_check_interval: 100ms}
gateway: {listen: "127.0.0.1:0"}
admin: {listen: "localhost:0"}
shutdown_delay: 0s
transformer: {state_dir: "`+t.TempDir()+`"}
stores:
  - name: acme
    recharge: {secrets: [`+secret+`], token: api-token, api_url: "http://127.0.0.1:1"}
    bloomreach: {enabled: false}
`)
	spec, err := BuiltInTopics(cfg.Kafka)
	require.NoError(t, err)
	_, err = admin.Apply(t.Context(), broker.Cluster(), spec)
	require.NoError(t, err)
	p := start(t, cfg, topology.RoleGateway, topology.RoleTransformer)
	p.awaitReady()
	topics := topology.Topics{Prefix: cfg.Kafka.TopicPrefix}

	kafkatest.DeleteTopic(t, broker.Addr(), topics.Events())
	p.awaitTopicTrouble(topics.Events(), admin.KindMissing, "topic "+topics.Events()+" is missing: `rechargeflow topics apply` creates it")
	assert.Equal(t, http.StatusOK, p.send(1), "the gateway does not need the topic")
	_, err = admin.Apply(t.Context(), broker.Cluster(), spec)
	require.NoError(t, err)
	p.awaitReady()
	assert.Contains(t, p.log.String(), "topics are as needed again")
	require.Eventually(t, func() bool { return len(kafkatest.All(t, broker.Addr(), topics.Events())) > 0 }, patience, 100*time.Millisecond)

	accepted, stop := p.load()
	require.Eventually(t, func() bool { return accepted.count() > 100 }, patience, 10*time.Millisecond)
	kafkatest.GrowTopic(t, broker.Addr(), topics.Webhooks(), 24)
	p.awaitTopicTrouble(topics.Webhooks(), admin.KindPartitions, "topic "+topics.Webhooks()+" has 24 partitions, not 12 (kafka.partitions)")
	require.Eventually(t, func() bool { return p.app.health.Report().Status == telemetry.StatusNotReady }, patience, 100*time.Millisecond)
	stop()
	// until its metadata is refreshed the producer writes by the old number, which is right
	require.Eventually(t, func() bool { return p.send(1) == http.StatusServiceUnavailable }, patience, 100*time.Millisecond)
	assert.Contains(t, p.get("/metrics"), `outcome="refused",reason="partitions_changed",role="gateway"`)
	p.stop() // so that the transformer writes nothing more
	require.NoError(t, p.end())
	partitions := map[string]int{}
	require.Eventually(t, func() bool { // brokers may write the markers of the last transactions later
		for _, r := range kafkatest.All(t, broker.Addr(), topics.Webhooks()) {
			key := string(r.Key)
			accepted.remove(strings.TrimPrefix(key, "acme/"))
			if at, ok := partitions[key]; ok {
				assert.Equal(t, at, r.Partition, key)
			}
			partitions[key] = r.Partition
		}
		return accepted.count() == 0
	}, patience, 100*time.Millisecond, "accepted and not stored")

	again := start(t, cfg, topology.RoleGateway)
	require.ErrorContains(t, again.end(), "has 24 partitions, not 12", "a restart does not make it the new number")
	cfg.Kafka.ExtraPartitions = config.ExtraIgnore
	ignoring := start(t, cfg, topology.RoleGateway)
	ignoring.awaitReady()
	for key, at := range partitions {
		var customer int
		if _, err := fmt.Sscanf(key, "acme/%d", &customer); err == nil && at%4 == 0 { // others are owner records
			assert.Equal(t, http.StatusOK, ignoring.send(customer))
		}
	}
	for _, r := range kafkatest.All(t, broker.Addr(), topics.Webhooks()) {
		if at, ok := partitions[string(r.Key)]; ok {
			assert.Equal(t, at, r.Partition)
		}
	}
}

// awaitTopicTrouble waits until /readyz and the metric say what is wrong with a topic.
func (p *process) awaitTopicTrouble(topic string, kind admin.Kind, text string) {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		for _, check := range p.app.health.Report().Checks {
			if check.Name == "topics" && strings.Contains(check.Error, text) {
				return true
			}
		}
		return false
	}, patience, 10*time.Millisecond)
	assert.Contains(p.t, p.get("/metrics"), fmt.Sprintf("rechargeflow_topic_trouble{kind=%q,topic=%q} 1", kind, topic))
}

// send sends a webhook of a customer to the gateway and returns the status.
func (p *process) send(customer int) int {
	body := fmt.Sprintf(`{"subscription":{"id":%d,"customer_id":%d,"status":"active","product_title":"House Blend","price":"18.50",
"presentment_currency":"USD","quantity":1,"created_at":"2026-03-01T10:00:00+00:00","updated_at":"2026-03-01T10:00:00+00:00","cancelled_at":null},
"customer":{"id":%d,"email":"c%d@example.com","phone":"+15035550100","hash":"f99bd4a6","subscriptions_active_count":1,"subscriptions_total_count":1,
"created_at":"2026-03-01T10:00:00+00:00","updated_at":"2026-03-01T10:00:01+00:00"}}`, customer, customer, customer, customer)
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, "http://"+p.app.GatewayAddress()+"/webhooks/acme/subscription/created", strings.NewReader(body))
	if err != nil {
		return 0
	}
	rechargetest.Sign(request.Header, []byte(body), secret, time.Now())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close() // only the status counts
	return response.StatusCode
}

// customers are numbers of customers.
type customers struct {
	mutex sync.Mutex
	all   map[string]bool
}

func (c *customers) add(customer int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.all[fmt.Sprint(customer)] = true
}

func (c *customers) remove(customer string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.all, customer)
}

func (c *customers) count() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return len(c.all)
}

// load sends webhooks of new customers until stop is called, and returns the customers whose webhooks were accepted.
func (p *process) load() (accepted *customers, stop func()) {
	accepted = &customers{all: map[string]bool{}}
	ended := make(chan struct{})
	var senders sync.WaitGroup
	for sender := range 4 {
		senders.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-ended:
					return
				default:
				}
				if customer := 1000 + 4*n + sender; p.send(customer) == http.StatusOK {
					accepted.add(customer)
				}
			}
		})
	}
	return accepted, func() {
		close(ended)
		senders.Wait()
	}
}
