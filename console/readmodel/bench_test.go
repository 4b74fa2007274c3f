package readmodel_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// load writes events of a store, a text per five of them, and a customer with a subscription and a charge per ten.
func (s *shop) load(events int) {
	s.Helper()
	const most = 2000
	var batch []kafka.Record
	for i := range events {
		batch = append(batch, s.event(i, events))
		if i%5 == 0 {
			batch = append(batch, s.sent(i, events)...)
		}
		if i%10 == 0 {
			batch = append(batch, s.subscribed(i/10, events)...)
		}
		if len(batch) >= most || i == events-1 {
			s.write(batch...)
			batch = batch[:0]
		}
	}
}

// of is the customer of a record, and when it was written: within 60 days.
func (s *shop) of(i, events int) (id, key string, at time.Time) {
	id = strconv.Itoa(1000 + i*7919%max(events/10, 1))
	return id, "acme/" + id, s.now.Add(-60 * 24 * time.Hour).Add(time.Duration(i) * (60 * 24 * time.Hour / time.Duration(events)))
}

func (s *shop) event(i, events int) kafka.Record {
	id, key, at := s.of(i, events)
	e := subscriber.Event{
		ID: hash(32, "event", i), Type: subscriber.EventCharge, Status: []string{"created", "paid"}[i%2], Store: "acme", OccurredAt: at.Add(-time.Second), RechargeCustomerID: id,
		Email: "customer" + id + "@example.com", PortalLink: "c2VhbGVkIGxpbmsgdG8gdGhlIHBvcnRhbCBvZiB0aGUgY3VzdG9tZXI",
		Charge: &subscriber.Charge{
			ID: strconv.Itoa(500000 + i), AddressID: "7" + id, TotalPrice: "24.90", SubtotalPrice: "20.00", TotalTax: "4.90", Currency: "USD", SourceStatus: "success", Type: "recurring",
			ProcessedAt: at, CreatedAt: at, UpdatedAt: at, Items: []subscriber.Item{{Kind: "subscription", SubscriptionID: id + "1", ProductID: "812", VariantID: "98123", SKU: "COF-1", Title: "Coffee of the month, ground", Price: "20.00", Quantity: 1}},
		},
	}
	if i%3 == 0 {
		e.Type, e.Charge, e.Status = subscriber.EventSubscription, nil, []string{"created", "activated", "canceled", "deleted"}[i%4]
		e.Subscription = &subscriber.Subscription{ID: id + "1", ProductTitle: "Coffee of the month, ground", Price: "20.00", Currency: "USD", Quantity: 1, CreatedAt: at, UpdatedAt: at}
	}
	return record(s.Events(), key, at, e)
}

// sent is a text with five changes.
func (s *shop) sent(i, events int) (records []kafka.Record) {
	id, key, at := s.of(i, events)
	text := hash(64, "text", i)
	c := message.Change{
		ID: text, Store: "acme", RechargeCustomerID: id, Flow: flow.Keys()[i/5%len(flow.Keys())], Cause: key + "/charge_paid/7" + id, At: at, ReleaseAt: at.Add(time.Minute),
		Triggers: []message.ChangeTrigger{{ID: hash(32, "trigger", i), Flow: flow.ChargePaid, OccurredAt: at, Items: []string{"charge/" + strconv.Itoa(500000+i)}}},
	}
	for n, status := range []message.Status{message.Planned, message.Claimed, message.Accepted, message.Sent, message.Delivered} {
		if n == 2 {
			c.ProviderID = "SM" + text[:32]
			if i%500 == 0 {
				status = message.Unknown
			}
		}
		c.Change, c.Status, c.Attempt, c.At = n+1, status, min(n, 1), c.At.Add(time.Second)
		records = append(records, record(s.Messages(), key, c.At, c))
		if status == message.Unknown {
			break
		}
	}
	body := message.Text{
		ID: text, Store: "acme", RechargeCustomerID: id, Flow: c.Flow, ClaimedAt: at, To: "+14*******" + id[len(id)-2:], Segments: 2,
		Text: fmt.Sprintf("Hi %s, your order %d of Coffee of the month is on its way and arrives soon. Manage it: https://acme.example/r/********", firstName(i), i),
	}
	return append(records, s.row(s.MessageTexts(), key, text, at, body, false))
}

func firstName(i int) string {
	return []string{"Jo", "Ada", "Grace", "Linus", "Zoë", "Björn", "Mary", "Wei", "Amara", "Ravi"}[i/5%10]
}

// subscribed is a customer with a subscription and a charge.
func (s *shop) subscribed(i, events int) []kafka.Record {
	id := strconv.Itoa(1000 + i)
	key, at := "acme/"+id, s.now.Add(-50*24*time.Hour)
	return []kafka.Record{
		record(s.Customers(), key, at, subscriber.CustomerRow{
			Store: "acme", RechargeCustomerID: id, Email: "customer" + id + "@example.com", FirstName: firstName(i), LastName: "Lastname" + id, Phone: fmt.Sprintf("+1415%07d", i), UpdatedAt: at,
		}),
		s.row(s.Subscriptions(), key, id+"1", at, subscriber.SubscriptionRow{
			Store: "acme", RechargeCustomerID: id, Status: "active", Subscription: subscriber.Subscription{ID: id + "1", ProductTitle: "Coffee of the month, ground", UpdatedAt: at},
		}, false),
		s.row(s.Charges(), key, id+"2", at, subscriber.ChargeRow{
			Store: "acme", RechargeCustomerID: id, Status: "queued", Charge: subscriber.Charge{ID: id + "2", TotalPrice: "24.90", Currency: "USD", UpdatedAt: at, Items: []subscriber.Item{{Title: "Coffee of the month"}}},
		}, false),
	}
}

// screens are what pages ask for.
func screens(t testing.TB, m *readmodel.Model, now time.Time, events int) map[string]func(i int) {
	ctx := t.Context()
	ok := func(err error) { require.NoError(t, err) }
	texts := func(f readmodel.TextFilter) {
		f.Store = "acme"
		_, err := m.Texts(ctx, f)
		ok(err)
	}
	id := func(i int) string { return strconv.Itoa(1000 + i*7919%max(events/10, 1)) }
	return map[string]func(i int){
		"first page": func(int) {
			_, err := m.Overview(ctx, "acme", now.Add(-24*time.Hour))
			ok(err)
			_, err = m.Events(ctx, readmodel.EventFilter{Store: "acme", Facts: true})
			ok(err)
			texts(readmodel.TextFilter{})
		},
		"customer page": func(i int) {
			_, err := m.Customer(ctx, "acme", id(i), 50)
			ok(err)
		},
		"event types": func(int) {
			_, err := m.EventTypes(ctx, "acme")
			ok(err)
		},
		"flows": func(int) {
			_, err := m.Flows(ctx, "acme", now.Add(-7*24*time.Hour), time.UTC)
			ok(err)
		},
		"hours": func(int) {
			_, err := m.Hours(ctx, "acme", now.Add(-24*time.Hour))
			ok(err)
		},
		"texts, unknown":              func(int) { texts(readmodel.TextFilter{Status: message.Unknown}) },
		"texts, flow and status":      func(int) { texts(readmodel.TextFilter{Flow: flow.ChargePaid, Status: message.Unknown}) },
		"search, a customer's ID":     func(i int) { texts(readmodel.TextFilter{Query: id(i)}) },
		"search, e-mail":              func(i int) { texts(readmodel.TextFilter{Query: "customer" + id(i) + "@example.com"}) },
		"search, last digits":         func(i int) { texts(readmodel.TextFilter{Query: fmt.Sprintf("%05d", i*7919%max(events/10, 1))}) },
		"search, a frequent name":     func(i int) { texts(readmodel.TextFilter{Query: firstName(i * 5)}) },
		"search, a word of all texts": func(int) { texts(readmodel.TextFilter{Query: "coffee"}) },
		"search, a word of one text":  func(i int) { texts(readmodel.TextFilter{Query: "order " + strconv.Itoa(i*5)}) },
		"search, two letters":         func(int) { texts(readmodel.TextFilter{Query: "la"}) },
		"customers, a frequent name":  func(i int) { _, err := m.Customers(ctx, "acme", firstName(i*5), 50); ok(err) },
		"dead letters":                func(int) { _, err := m.DeadLetters(ctx, readmodel.DeadLetterFilter{}); ok(err) },
		"one text":                    func(i int) { _, err := m.Text(ctx, hash(64, "text", i*5)); ok(err) },
		"events of a type, an old page": func(int) {
			_, err := m.Events(ctx, readmodel.EventFilter{Store: "acme", Type: "subscription", Status: "canceled"})
			ok(err)
		},
	}
}

// BenchmarkQueries measures what pages ask for, of a tenth of what a large shop has.
func BenchmarkQueries(b *testing.B) {
	const events = 20_000
	s := newShop(b, kafkatest.Embedded(b))
	s.load(events)
	m := s.run(b.TempDir())
	for name, screen := range screens(b, m.Model, s.now, events) {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				screen(i % (events / 10))
			}
		})
	}
}

// BenchmarkRestore measures how many records are read per second, from an empty directory on.
func BenchmarkRestore(b *testing.B) {
	const events = 20_000
	s := newShop(b, kafkatest.Embedded(b))
	s.load(events)
	records := s.offsets()
	for b.Loop() {
		s.run(b.TempDir()).close()
	}
	b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

const figuresVariable = "RECHARGEFLOW_TEST_FIGURES"

// figures is what the process that is measured reads.
type figures struct {
	Brokers     []string
	Prefix, Dir string
	Events      int
	Now         time.Time
}

// TestFigures prints the figures for as many events as READMODEL says, and a fifth as many texts. The read model is in a process of its own.
func TestFigures(t *testing.T) {
	if encoded := os.Getenv(figuresVariable); encoded != "" {
		var f figures
		require.NoError(t, json.Unmarshal([]byte(encoded), &f))
		measure(t, f)
		return
	}
	events, err := strconv.Atoi(os.Getenv("READMODEL"))
	if err != nil {
		t.Skip("READMODEL is not set to a number of events, such as 1000000")
	}
	s := newShop(t, kafkatest.Choose(t))
	began := time.Now()
	s.load(events)
	t.Logf("wrote %d records in %s", s.offsets(), time.Since(began).Round(time.Second))
	encoded, err := json.Marshal(figures{Brokers: s.cluster.Brokers, Prefix: s.Prefix, Dir: t.TempDir(), Events: events, Now: s.now})
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFigures$", "-test.v", "-test.timeout=2h") //nolint:gosec // this test
	command.Env = append(os.Environ(), figuresVariable+"="+string(encoded))
	out, err := command.CombinedOutput()
	t.Log(string(out))
	require.NoError(t, err)
}

// measure reads the topics and asks what pages ask.
func measure(t *testing.T, f figures) {
	began := time.Now()
	s := &shop{TB: t, Topics: topology.Topics{Prefix: f.Prefix}, cluster: kafka.Cluster{Brokers: f.Brokers}, now: f.Now, patience: time.Hour}
	m := s.run(f.Dir)
	t.Logf("restore: %s, of that %s of CPU, %s", time.Since(began).Round(100*time.Millisecond), cpu(t).Round(100*time.Millisecond), memory(t))
	limits := map[string]time.Duration{"first page": 100 * time.Millisecond, "customer page": 50 * time.Millisecond}
	all := screens(t, m.Model, s.now, f.Events)
	names := []string{}
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	const times = 100
	for _, name := range names {
		took := make([]time.Duration, 0, times)
		used := cpu(t)
		for i := range times {
			began := time.Now()
			all[name](i * 37 % (f.Events / 10))
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		used = (cpu(t) - used) / times
		t.Logf("%-30s CPU %-10s median %-10s p95 %-10s max %s", name, used.Round(10*time.Microsecond), took[times/2].Round(10*time.Microsecond), took[times*95/100].Round(10*time.Microsecond), took[times-1].Round(10*time.Microsecond))
		if limit := limits[name]; limit > 0 {
			assert.Less(t, took[times/2], limit, name)
		}
	}
	t.Log(memory(t))
	m.close()
	info, err := os.Stat(filepath.Join(f.Dir, "readmodel.db"))
	require.NoError(t, err)
	t.Logf("database: %d MiB", info.Size()>>20)
	began = time.Now()
	m = s.run(f.Dir)
	t.Logf("start with the database: %s", time.Since(began).Round(10*time.Millisecond))
}

// cpu returns the CPU time of the process, which other processes of a busy machine do not change.
func cpu(t *testing.T) time.Duration {
	var used syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// memory returns the resident memory of the process, now and at most.
func memory(t *testing.T) string {
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	var out []string
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmRSS") || strings.HasPrefix(line, "VmHWM") {
			out = append(out, strings.Join(strings.Fields(line), " "))
		}
	}
	return strings.Join(out, ", ")
}
