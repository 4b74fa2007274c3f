//go:build bench

package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	flows "github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/schemas"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// smsProvider accepts texts after a time, and records when each customer's arrived.
type smsProvider struct {
	*httptest.Server

	latency time.Duration
	mu      sync.Mutex
	arrived map[string]time.Time // by customer
	first   time.Time
	last    time.Time
}

func newSMSProvider(latency time.Duration) *smsProvider {
	p := &smsProvider{latency: latency, arrived: map[string]time.Time{}}
	p.Server = httptest.NewServer(p)
	return p
}

func (p *smsProvider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	var text struct {
		CustomerID string `json:"customer_id"`
	}
	if json.NewDecoder(r.Body).Decode(&text) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	p.arrived[text.CustomerID], p.last = now, now
	if p.first.IsZero() {
		p.first = now
	}
	p.mu.Unlock()
	time.Sleep(p.latency)
}

func (p *smsProvider) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.arrived)
}

// triggerRecord is a trigger of a flow without a window and quiet hours, for a customer of their own.
func triggerRecord(t *testing.T, topics topology.Topics, number int) kafka.Record {
	t.Helper()
	id, now := strconv.Itoa(number+1), time.Now().UTC()
	value, err := json.Marshal(subscriber.Trigger{
		ID: fmt.Sprintf("%032x", number+1), Store: lab.Store, Flow: flows.ChargeFailed, Cause: lab.Store + "/" + id + "/charge_failed/1/" + id,
		RechargeCustomerID: id, OccurredAt: now, StaleAt: now.Add(48 * time.Hour), Items: []string{"charge/" + id, "subscription/" + id},
		Recipient: subscriber.Recipient{
			FirstName: "Jo", LastName: "Bean", Phone: fmt.Sprintf("+1415%07d", 2000000+number), Country: "US", Province: "California", Zip: "94110",
			Email: "customer-" + id + "@example.com", PortalHash: "f99bd4a6f99bd4a6",
		},
		Charge: &subscriber.Charge{
			ID: id, AddressID: "1", Type: "recurring", TotalPrice: "34.50", Currency: "USD", ErrorType: "CARD_DECLINED", Attempts: 8,
			Items: []subscriber.Item{{Kind: "subscription", SubscriptionID: id, Title: "House Blend", Price: "34.50", Quantity: 1}},
		},
	})
	require.NoError(t, err)
	event := envelope.Event{Schema: schemas.SMSTrigger, ID: id, Store: lab.Store, Subject: "customer/" + id, At: now, Received: now}
	return kafka.Record{
		Topic: topics.Triggers(), Partition: number % statePartitions, Key: []byte(lab.Store + "/" + id), Value: value, Headers: event.Headers(), Time: now,
	}
}

// smsLab runs the sms role in front of a provider; beside the embedded broker all roles.
func smsLab(t *testing.T, on target, p *smsProvider, atOnce int) (l *lab.Lab, producer *kafka.Producer) {
	t.Helper()
	var err error
	l, err = lab.New(t.TempDir(), binary(t, "../../cmd/rechargeflow"))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	l.Brokers, l.Prefix, l.LogLevel, l.AtOnce, l.SMSURL = on.brokers, lab.RandomPrefix("bench"), "warn", atOnce, p.URL
	l.Flows = []string{string(flows.ChargeFailed)}
	brokers := on.brokers
	if len(brokers) > 0 {
		require.EventuallyWithT(t, func(c *assert.CollectT) { // a broker that was just started may have no coordinator yet
			require.NoError(c, l.ApplyTopics(t.Context()))
		}, 2*time.Minute, time.Second)
	} else {
		l.LogLevel = "info" // so that the flows in force are seen
		brokers = []string{l.Embedded}
	}
	producer = kafka.NewProducer(kafka.Cluster{Brokers: brokers, ClientID: "bench"}, kafka.ProducerConfig{})
	t.Cleanup(func() { require.NoError(t, producer.Close()) })
	return l, producer
}
