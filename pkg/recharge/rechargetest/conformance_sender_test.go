package rechargetest_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/test/histories"
)

const (
	recorded  = "https://github.com/darrylcousins/boxesapp docs/src/sources/json/reports/*/log.json"
	overview  = "https://docs.getrecharge.com/docs/webhooks-overview"
	resources = "https://docs.getrecharge.com/docs/webhooks-resources"
)

// receiver is a plain HTTP server that answers the webhooks of one topic by turns, and all others with 200.
type receiver struct {
	server   *httptest.Server
	topic    recharge.Topic
	statuses []int

	mu     sync.Mutex
	topics []string
	bodies []string
	header http.Header
}

func receive(t *testing.T, topic recharge.Topic, statuses ...int) *receiver {
	t.Helper()
	r := &receiver{topic: topic, statuses: statuses}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	topic := request.Header.Get("X-Recharge-Topic")
	r.topics, r.bodies, r.header = append(r.topics, topic), append(r.bodies, string(body)), request.Header.Clone()
	if topic == string(r.topic) && len(r.statuses) > 0 {
		status := r.statuses[0]
		r.statuses = r.statuses[1:]
		w.WriteHeader(status)
	}
}

// work delivers what becomes due, for so long, in steps of half an hour.
func (r *receiver) work(t *testing.T, outbox *rechargetest.Outbox, from time.Time, d time.Duration) {
	t.Helper()
	for now := from; !now.After(from.Add(d)); now = now.Add(30 * time.Minute) {
		for _, try := range outbox.Due(now) {
			status, err := rechargetest.Post(t.Context(), r.server.Client(), r.server.URL, "secret", now, try.Delivery)
			require.NoError(t, err)
			outbox.Answered(try, status, now)
		}
	}
}

// sending is one row of the statement of what the sender imitates: its source, what is sent, and which topics a plain HTTP
// server sees within the first 500 ms of it, updates left aside.
type sending struct {
	name, source string
	send         func() []rechargetest.Delivery
	sees         []string
	sameBytes    bool
}

func box(items int) histories.Customer {
	return histories.Customer{Number: 7, Items: items, Included: true, Seed: 3}
}

func burst(items int, action histories.Action) []rechargetest.Delivery {
	return histories.Encoded(box(items).Burst(action, noon))
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 123_000_000, time.UTC)

func sendings() []sending {
	return []sending{
		{
			name: "first checkout of 4 items: the next charge first, created in three lots", source: recorded,
			send: func() []rechargetest.Delivery { return burst(4, histories.FirstCheckout) },
			sees: []string{
				"charge/created", "subscription/created", "subscription/created", "charge/created", "subscription/created",
				"order/created", "subscription/created", "order/success",
			},
		},
		{
			name: "renewal: the order before the charge", source: recorded,
			send: func() []rechargetest.Delivery { return burst(1, histories.Renewal) },
			sees: []string{"order/success", "order/processed", "order/created", "charge/created"},
		},
		{
			name: "charge/upcoming", source: recorded,
			send: func() []rechargetest.Delivery { return burst(1, histories.Upcoming) }, sees: []string{"charge/upcoming"},
		},
		{
			name: "a date moved: updates and a new charge, no subscription/paused", source: recorded,
			send: func() []rechargetest.Delivery { return all(burst(5, histories.DateMoved)) }, sees: []string{"charge/created"},
		},
		{
			name: "cancellation of a box of 5", source: recorded,
			send: func() []rechargetest.Delivery { return all(burst(5, histories.Cancellation)) },
			sees: slices.Repeat([]string{"subscription/cancelled"}, 5),
		},
		{
			name: "reactivation: a charge for each item, merged", source: recorded + "; the merging is assumed",
			send: func() []rechargetest.Delivery {
				return only(burst(2, histories.Reactivation), "subscription/activated", "charge/created", "charge/deleted")
			},
			sees: []string{"subscription/activated", "charge/created", "subscription/activated", "charge/created", "charge/deleted"},
		},
		{
			name: "deletion: one for each item", source: recorded,
			send: func() []rechargetest.Delivery { return all(burst(3, histories.Deletion)) },
			sees: slices.Repeat([]string{"subscription/deleted"}, 3),
		},
		{
			name: "topics that the recorded store had not registered", source: "assumed: " + recorded + " has none of them",
			send: func() []rechargetest.Delivery {
				c := box(1)
				c.Topics = histories.AssumedTopics()
				return histories.Encoded(c.Burst(histories.FirstCheckout, noon))
			},
			sees: []string{"customer/created", "charge/paid", "customer/activated"},
		},
		{
			name: "duplicates: the same bytes again", source: overview + ", by its copy in https://github.com/mikrdgz/shop-docs",
			send: func() []rechargetest.Delivery {
				again := histories.Duplicates{Same: 1}
				return histories.Encoded(again.Add(rand.New(rand.NewPCG(1, 1)), time.Nanosecond, box(1).Burst(histories.Upcoming, noon)))
			},
			sees: []string{"charge/upcoming", "charge/upcoming"}, sameBytes: true,
		},
	}
}

// all puts the deliveries into the first half second, so that all of them are seen.
func all(deliveries []rechargetest.Delivery) []rechargetest.Delivery {
	for i := range deliveries {
		deliveries[i].Offset = min(deliveries[i].Offset, 400*time.Millisecond)
	}
	return deliveries
}

func only(deliveries []rechargetest.Delivery, topics ...recharge.Topic) []rechargetest.Delivery {
	return all(slices.DeleteFunc(deliveries, func(d rechargetest.Delivery) bool { return !slices.Contains(topics, d.Topic) }))
}

func TestSenderConformance(t *testing.T) {
	for _, row := range sendings() {
		t.Run(row.name, func(t *testing.T) {
			require.NotEmpty(t, row.source)
			r, outbox := receive(t, ""), &rechargetest.Outbox{}
			outbox.Add(noon, row.send()...)
			for _, try := range outbox.Due(noon.Add(500 * time.Millisecond)) {
				status, err := rechargetest.Post(t.Context(), r.server.Client(), r.server.URL, "secret", noon, try.Delivery)
				require.NoError(t, err)
				outbox.Answered(try, status, noon)
			}
			seen := slices.DeleteFunc(r.topics, func(topic string) bool {
				return topic == "subscription/updated" || topic == "charge/updated"
			})
			assert.Equal(t, row.sees, seen)
			if row.sameBytes {
				assert.Equal(t, r.bodies[0], r.bodies[1])
			}
		})
	}
}

// Both signatures and the observed headers are on every webhook: https://changelog.getrecharge.com/webhook-signatures-now-support-timestamp-verification-4jEmOs.
func TestSenderSigns(t *testing.T) {
	r := receive(t, "")
	d := burst(1, histories.Upcoming)[0]
	status, err := rechargetest.Post(t.Context(), r.server.Client(), r.server.URL, "secret", noon, d)
	require.NoError(t, err)
	assert.Equal(t, 200, status)
	assert.Equal(t, string(d.Body), r.bodies[0])
	assert.Equal(t, "charge/upcoming", r.header.Get(recharge.HeaderTopic))
	assert.Equal(t, rechargetest.ShopDomain, r.header.Get(recharge.HeaderDomain))
	want := http.Header{}
	rechargetest.Sign(want, d.Body, "secret", noon)
	for name := range want {
		assert.Equal(t, want.Get(name), r.header.Get(name), name)
	}
}

// retrying is one row of the retry rule: what the receiver answers by turns, how many tries it sees, and whether the
// registration is given up.
type retrying struct {
	name, source string
	lenient      bool
	statuses     []int
	tries        int
	gone         bool
}

func TestRetryConformance(t *testing.T) {
	for _, row := range []retrying{
		{name: "200 ends it", source: overview, tries: 1},
		{name: "503 is sent again", source: overview, statuses: []int{503, 429, 408}, tries: 4},
		{name: "any answer but 200 is a failure", source: resources, statuses: []int{401, 202, 301}, tries: 4},
		{name: "or 4xx is none", source: overview, lenient: true, statuses: []int{401}, tries: 1},
		{name: "19 failures are borne", source: overview + " " + resources, statuses: slices.Repeat([]int{500}, 19), tries: 20},
		{name: "after the 20th the webhook is deleted", source: overview + " " + resources, statuses: slices.Repeat([]int{500}, 20), tries: 20, gone: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			require.NotEmpty(t, row.source)
			server := rechargetest.NewServer("token")
			defer server.Close()
			client := &plainClient{server: server}
			client.call(t, "POST /webhooks "+hook, false)
			r := receive(t, "charge/paid", row.statuses...)
			outbox := &rechargetest.Outbox{Lenient: row.lenient, OnGiveUp: server.DropWebhooks}
			paid := rechargetest.Delivery{Topic: "charge/paid", Body: []byte(`{"charge":{"id":1}}`)}
			outbox.Add(noon, paid)
			r.work(t, outbox, noon, rechargetest.TryWindow)

			assert.Len(t, r.topics, row.tries)
			_, waits := outbox.Next()
			assert.False(t, waits)
			if !row.gone {
				assert.Empty(t, outbox.GivenUp())
				assert.Empty(t, outbox.Lost())
				assert.Len(t, server.Webhooks(), 1)
				return
			}
			end := noon.Add(rechargetest.TryWindow)
			assert.Equal(t, []rechargetest.GivenUp{{Topic: "charge/paid", At: end, LastStatus: 500}}, outbox.GivenUp())
			assert.Empty(t, server.Webhooks())

			other := rechargetest.Delivery{Topic: "charge/failed", Body: []byte(`{"charge":{"id":2}}`)}
			outbox.Add(end, paid, other)
			r.work(t, outbox, end, 0)
			assert.Equal(t, "charge/failed", r.topics[row.tries], "other topics go on")
			assert.Len(t, outbox.Lost(), 2, "the one given up, and the one after it")

			outbox.Register("charge/paid")
			outbox.Add(end, paid)
			r.work(t, outbox, end, 0)
			assert.Len(t, r.topics, row.tries+2)
		})
	}
}

// The other reading of "we will delete this webhook": the delivery is lost, its topic goes on (https://docs.getrecharge.com/docs/webhooks-overview).
func TestGivingUpTheDeliveryAlone(t *testing.T) {
	r := receive(t, "charge/paid", slices.Repeat([]int{500}, rechargetest.MaxTries)...)
	outbox := &rechargetest.Outbox{DeliveryOnly: true, OnGiveUp: func(gone rechargetest.GivenUp) { t.Errorf("gave up %s", gone.Topic) }}
	paid := rechargetest.Delivery{Topic: "charge/paid", Body: []byte(`{"charge":{"id":1}}`)}
	outbox.Add(noon, paid)
	end := noon.Add(rechargetest.TryWindow)
	r.work(t, outbox, noon, rechargetest.TryWindow)
	assert.Len(t, r.topics, rechargetest.MaxTries)
	assert.Len(t, outbox.Lost(), 1)
	outbox.Add(end, paid)
	r.work(t, outbox, end, 0)
	assert.Len(t, r.topics, rechargetest.MaxTries+1)
}

// Whether a retry is signed anew is documented nowhere: a sender of either kind can be had.
func TestARetryIsSignedAnewOrNot(t *testing.T) {
	r, outbox := receive(t, "charge/paid", 500), &rechargetest.Outbox{Spacing: time.Hour}
	outbox.Add(noon, rechargetest.Delivery{Topic: "charge/paid", Body: []byte(`{"charge":{"id":1}}`)})
	outbox.Answered(outbox.Due(noon)[0], 500, noon)
	retry := outbox.Due(noon.Add(time.Hour))[0]
	for _, at := range []time.Time{retry.At, retry.First} {
		_, err := rechargetest.Post(t.Context(), r.server.Client(), r.server.URL, "secret", at, retry.Delivery)
		require.NoError(t, err)
		assert.Equal(t, strconv.FormatInt(at.Unix(), 10), r.header.Get(recharge.HeaderTimestamp))
	}
	assert.Equal(t, time.Hour, retry.At.Sub(retry.First))
}

// A webhook that is tested arrives: POST /webhooks/{id}/test (https://github.com/ChemicalLuck/recharge-api-python,
// recharge/api/v2/webhooks.py).
func TestATestedWebhookIsSent(t *testing.T) {
	server := rechargetest.NewServer("token")
	defer server.Close()
	client, r := &plainClient{server: server}, receive(t, "")
	client.call(t, "POST /webhooks "+strings.Replace(hook, "https://acme.example", r.server.URL, 1), false)
	server.OnTest(func(w rechargetest.Webhook) {
		assert.Len(t, server.Webhooks(), 1, "the server can be asked meanwhile")
		d := burst(1, histories.Upcoming)[0]
		d.Topic = w.Topic
		_, err := rechargetest.Post(t.Context(), r.server.Client(), w.Address, "secret", noon, d)
		assert.NoError(t, err)
	})
	assert.Equal(t, "200 {}", client.call(t, "POST /webhooks/1000001/test", false))
	assert.Equal(t, []string{"charge/paid"}, r.topics)
}

// What waits for a registration is lost with it, and what is on its way when it ends.
func TestGivingUpLosesTheRest(t *testing.T) {
	outbox := &rechargetest.Outbox{Spacing: time.Minute}
	one := rechargetest.Delivery{Topic: "charge/paid", Body: []byte("1")}
	outbox.Add(noon, one)
	var last rechargetest.Try
	for i := range rechargetest.MaxTries {
		now := noon.Add(time.Duration(i) * time.Minute)
		due := outbox.Due(now)
		require.Len(t, due, 1, i)
		last = due[0]
		require.Equal(t, i+1, last.Number)
		if i < rechargetest.MaxTries-1 {
			outbox.Answered(last, 0, now)
		}
	}
	late, queued := one, one
	queued.Offset = time.Hour
	outbox.Add(noon, late, queued)
	way := outbox.Due(noon)
	require.Len(t, way, 1)
	outbox.Answered(last, 0, noon)
	outbox.Answered(way[0], 503, noon)
	assert.Len(t, outbox.Lost(), 3)
	_, waits := outbox.Next()
	assert.False(t, waits)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// "Our server waits 5 seconds for a response": https://docs.getrecharge.com/docs/webhooks-overview.
func TestPostWaitsFiveSeconds(t *testing.T) {
	began := time.Now()
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		deadline, ok := r.Context().Deadline()
		require.True(t, ok)
		assert.WithinDuration(t, began.Add(5*time.Second), deadline, time.Second)
		return nil, context.DeadlineExceeded
	})}
	status, err := rechargetest.Post(t.Context(), client, "http://127.0.0.1:1", "s", noon, rechargetest.Delivery{Topic: "charge/paid"})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Zero(t, status)
}

func TestPostGivesUp(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	address := server.URL
	server.Close()
	status, err := rechargetest.Post(t.Context(), http.DefaultClient, address, "s", noon, rechargetest.Delivery{Topic: "charge/paid"})
	require.Error(t, err)
	assert.Zero(t, status)
	_, err = rechargetest.NewRequest(t.Context(), "://", "s", noon, rechargetest.Delivery{})
	require.Error(t, err)
}
