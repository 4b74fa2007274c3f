package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/schemas"
)

const (
	providerLatency = 10 * time.Millisecond
	freshEvery      = 250 * time.Millisecond
)

// provider is an SMS gateway of all stores: it counts the requests for each text, and notes when the first arrived.
type provider struct {
	mu      sync.Mutex
	times   map[string]int
	arrived map[string]time.Time // by the customer
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var text struct {
		ID         string `json:"id"`
		Store      string `json:"store"`
		CustomerID string `json:"customer_id"`
	}
	if json.NewDecoder(r.Body).Decode(&text) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	p.times[text.ID]++
	p.arrived[text.Store+"/"+text.CustomerID] = time.Now()
	p.mu.Unlock()
	time.Sleep(providerLatency)
}

func (p *provider) texts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.times)
}

// night is an sms process whose clock moves, with the stores acme and beta.
type night struct {
	t        *testing.T
	cfg      config.Config
	cluster  kafka.Cluster
	topics   topology.Topics
	producer *kafka.Producer
	offset   atomic.Int64 // of the clock
	process  *process
	provider *provider
	fresh    map[string]time.Time // when a fresh trigger was produced, by customer
}

func (n *night) now() time.Time { return time.Now().Add(time.Duration(n.offset.Load())) }

// set moves the clock to an hour in California, on a day from now.
func (n *night) set(day, hour int) {
	zone, err := time.LoadLocation("America/Los_Angeles")
	require.NoError(n.t, err)
	today := time.Now().In(zone)
	n.offset.Store(int64(time.Until(time.Date(today.Year(), today.Month(), today.Day()+day, hour, 0, 0, 0, zone))))
}

func newNight(t *testing.T, cluster kafka.Cluster) *night {
	t.Helper()
	n := &night{t: t, cluster: cluster, provider: &provider{times: map[string]int{}, arrived: map[string]time.Time{}}, fresh: map[string]time.Time{}}
	server := httptest.NewServer(n.provider)
	t.Cleanup(server.Close)
	prefix := fmt.Sprintf("night-%d.", time.Now().UnixNano())
	n.topics = topology.Topics{Prefix: prefix}
	store := `
  - name: %s
    recharge: {secrets: [secret], token: api-token}
    bloomreach: {enabled: false}
    sms: {driver: webhook, webhook: {url: "` + server.URL + `", secret: gateway-secret}, shop_name: Acme, shop_url: "https://acme.example", portal_url: "https://{shop}/{hash}", payment_url: "https://{shop}/pay"}`
	n.cfg = settings(t, `
kafka: {brokers: ["`+cluster.Brokers[0]+`"], topic_prefix: "`+prefix+`", durability: single}
admin: {listen: "localhost:0"}
sms: {state_dir: "`+filepath.Join(t.TempDir(), "sms-state")+`"}
shutdown_delay: 0s
stores:`+fmt.Sprintf(store, "acme")+fmt.Sprintf(store, "beta"))
	spec, err := BuiltInTopics(n.cfg.Kafka)
	require.NoError(t, err)
	_, err = admin.Apply(t.Context(), cluster, spec)
	require.NoError(t, err)
	n.producer = kafka.NewProducer(cluster, kafka.ProducerConfig{})
	t.Cleanup(func() { require.NoError(t, n.producer.Close()) })
	n.activate("acme")
	n.activate("beta")
	return n
}

// activate activates a flow with quiet hours and one without. A broker that was just started may have no coordinator yet.
func (n *night) activate(store string) {
	change := live.FlowChange{Store: store, By: "test", At: time.Now(), Decide: func(flows []live.Flow) error {
		for i := range flows {
			flows[i].Active = flows[i].Key == flow.OrderSkipped || flows[i].Key == flow.ChargeFailed
		}
		return nil
	}}
	require.EventuallyWithT(n.t, func(c *assert.CollectT) {
		_, err := Settings(n.cfg.Kafka).ChangeFlows(n.t.Context(), n.cluster, change)
		require.NoError(c, err)
	}, time.Minute, time.Second)
}

// start starts the process, with an empty state directory.
func (n *night) start() {
	require.NoError(n.t, os.RemoveAll(n.cfg.SMS.StateDir))
	n.process = startAt(n.t, n.now, "warn", n.cfg, topology.RoleSMS)
}

func (n *night) restart() {
	n.process.stop()
	require.NoError(n.t, n.process.end())
	n.start()
}

// produce produces triggers of customers of a store.
func (n *night) produce(store string, key flow.Key, customers ...int) {
	records := make([]kafka.Record, 0, len(customers))
	for _, number := range customers {
		id, now := strconv.Itoa(number), n.now().UTC()
		trigger := subscriber.Trigger{
			ID: fmt.Sprintf("%032x", number), Store: store, Flow: key, Cause: store + "/" + id + "/" + string(key), RechargeCustomerID: id,
			OccurredAt: now, StaleAt: now.Add(48 * time.Hour),
			Recipient: subscriber.Recipient{FirstName: "Jo", Phone: fmt.Sprintf("+1415%07d", 2000000+number%7_000_000), Country: "US", Province: "CA"},
		}
		if key == flow.ChargeFailed {
			trigger.Items, trigger.Charge = []string{"charge/" + id}, &subscriber.Charge{ID: id, TotalPrice: "9.50", Currency: "USD"}
		} else {
			trigger.Items, trigger.Subscription = []string{"subscription/" + id}, &subscriber.Subscription{ID: id, ProductTitle: "House Blend"}
		}
		value, err := json.Marshal(trigger)
		require.NoError(n.t, err)
		event := envelope.Event{Schema: schemas.SMSTrigger, ID: trigger.ID, Store: store, Subject: "customer/" + id, At: now, Received: now}
		records = append(records, kafka.Record{
			Topic: n.topics.Triggers(), Partition: number % n.cfg.Kafka.Partitions, Key: []byte(store + "/" + id), Value: value, Headers: event.Headers(), Time: time.Now(),
		})
	}
	require.NoError(n.t, n.producer.Produce(n.t.Context(), records...))
}

// held counts the messages that are held back.
func (n *night) held() (count int) {
	last := map[string]bool{}
	for r, err := range kafka.Scan(n.t.Context(), n.cluster, n.topics.Messages(), time.Time{}) {
		require.NoError(n.t, err)
		var change message.Change
		require.NoError(n.t, json.Unmarshal(r.Value, &change))
		last[change.ID] = change.Status == message.Planned && change.Deferred
	}
	for _, held := range last {
		if held {
			count++
		}
	}
	return count
}

// sendFresh produces a fresh trigger of each store again and again, until the provider has so many texts. It returns the memory in use.
func (n *night) sendFresh(from, until int) (heap []uint64) {
	deadline := time.Now().Add(20 * time.Minute)
	for number := from; n.provider.texts() < until; number++ {
		require.Less(n.t, time.Now(), deadline, "%d texts of %d", n.provider.texts(), until)
		for _, store := range []string{"acme", "beta"} {
			n.fresh[store+"/"+strconv.Itoa(number)] = time.Now()
			n.produce(store, flow.ChargeFailed, number)
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		heap = append(heap, m.HeapAlloc)
		time.Sleep(freshEvery)
	}
	return heap
}

// The texts of a night are released in the morning at the provider's rate. Fresh ones of the same store and of another one go at once
// meanwhile. Restarts with an empty state directory, at night and in the middle of the release, change nothing, and the memory stays as it was.
// DEFERRED is how many there are; then the broker is Apache Kafka, whose memory is not that of the test.
func TestDeferredTexts(t *testing.T) {
	total, broker := 800, kafkatest.Choose
	if text := os.Getenv("DEFERRED"); text != "" {
		number, err := strconv.Atoi(text)
		require.NoError(t, err)
		total, broker = number, kafkatest.Real
	}
	n := newNight(t, broker(t).Cluster())
	n.set(0, 22)
	n.start()
	const batch = 1000
	for from := 0; from < total; from += batch {
		customers := make([]int, 0, batch)
		for number := from; number < min(from+batch, total); number++ {
			customers = append(customers, number+1)
		}
		n.produce("acme", flow.OrderSkipped, customers...)
	}
	n.offset.Add(int64(time.Minute)) // the window of the flow
	began := time.Now()
	require.Eventually(t, func() bool { return n.held() == total }, 10*time.Minute, time.Second)
	t.Logf("%d texts planned and held back in %s", total, time.Since(began).Round(time.Millisecond))
	n.restart()
	n.process.awaitChecks()
	assert.Zero(t, n.provider.texts(), "it is night")

	n.set(1, 9)
	began = time.Now()
	heap := n.sendFresh(10_000_000, total/2)
	n.restart()
	heap = append(heap, n.sendFresh(20_000_000, total)...)
	require.Eventually(t, func() bool { return n.provider.texts() == total+len(n.fresh) }, time.Minute, 50*time.Millisecond)
	t.Logf("%d texts released in %s, with a restart: %.0f a second", total, time.Since(began).Round(time.Millisecond), float64(total)/time.Since(began).Seconds())
	n.process.stop()
	require.NoError(t, n.process.end())
	n.check(heap)
}

// recordedBytes is about what the test itself keeps in memory of each text: two entries of maps, with ids of 32 and 40 letters.
const recordedBytes = 300

// check checks what the provider got.
func (n *night) check(heap []uint64) {
	for id, times := range n.provider.times {
		require.Equal(n.t, 1, times, "text %s", id)
	}
	for _, store := range []string{"acme", "beta"} {
		var took []time.Duration
		for customer, at := range n.fresh {
			if customer[:4] == store {
				took = append(took, n.provider.arrived[customer].Sub(at))
			}
		}
		slices.Sort(took)
		n.t.Logf("fresh texts of %s: %d, median %s, longest %s", store, len(took), took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
		assert.Less(n.t, took[len(took)/2], 2*time.Second, "half of the fresh texts of %s; others meet the restart", store)
	}
	n.t.Logf("memory in use: first %d MiB, most %d MiB", heap[0]>>20, slices.Max(heap)>>20)
	recorded := uint64(len(n.provider.times)) * recordedBytes
	assert.Less(n.t, slices.Max(heap), 2*heap[0]+64<<20+recorded, "memory is flat")
}
