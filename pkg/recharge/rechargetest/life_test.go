package rechargetest_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 123_000_000, time.UTC)

// row is one recorded action: how many deliveries came within which time.
// Source: https://github.com/darrylcousins/boxesapp, docs/src/sources/json/reports/*/log.json.
func TestBurstsHaveTheRecordedSize(t *testing.T) {
	tests := []struct {
		kind   rechargetest.Kind
		items  int
		count  int
		within time.Duration
	}{
		{rechargetest.FirstCheckout, 4, 32, 90 * time.Second},
		{rechargetest.Renewal, 5, 17, 62 * time.Second},
		{rechargetest.Cancellation, 5, 16, 7200 * time.Millisecond},
		{rechargetest.Reactivation, 5, 29, 66 * time.Second},
		{rechargetest.DateMoved, 5, 15, 150 * time.Second},
		{rechargetest.Deletion, 3, 3, 3 * time.Second},
		{rechargetest.Upcoming, 1, 1, 0},
	}
	for _, test := range tests {
		t.Run(string(test.kind), func(t *testing.T) {
			for seed := range uint64(20) {
				deliveries := rechargetest.Life{Customer: 7, Items: test.items, Seed: seed}.Burst(test.kind, noon)
				require.Len(t, deliveries, test.count)
				assert.Zero(t, deliveries[0].Offset)
				assert.LessOrEqual(t, deliveries[len(deliveries)-1].Offset, test.within)
			}
		})
	}
	assert.Len(t, rechargetest.Kinds(), len(tests))
}

// story is what comes within the first half second, without the updated that go with everything.
func story(deliveries []rechargetest.Delivery) []string {
	var topics []string
	for _, d := range deliveries {
		if d.Offset > 500*time.Millisecond || d.Topic == "subscription/updated" {
			continue
		}
		topics = append(topics, strings.TrimSpace(string(d.Topic)+" "+d.Told.Status))
	}
	return topics
}

func TestFirstCheckoutArrivesAsRecorded(t *testing.T) {
	created := "subscription/created active"
	queued, success := "charge/created queued", "charge/created success"
	for items, want := range map[int][]string{
		1: {queued, created, success, "order/created success", "order/success success"},
		2: {queued, created, success, created, "order/created success", "order/success success"},
		4: {queued, created, created, success, created, "order/created success", created, "order/success success"},
		5: {queued, created, created, created, success, created, "order/created success", created, "order/success success"},
	} {
		assert.Equal(t, want, story(rechargetest.Life{Customer: 7, Items: items}.Burst(rechargetest.FirstCheckout, noon)), items)
	}
}

func TestRenewalArrivesAsRecorded(t *testing.T) {
	for seed := range uint64(20) {
		life := rechargetest.Life{Customer: 7, Items: 3, Seed: seed}
		assert.Equal(t, []string{
			"order/success success", "order/processed success", "order/created success", "charge/updated success", "charge/created queued",
		}, story(life.Burst(rechargetest.Renewal, noon)))
	}
}

// The pairs of one action come in either order, and created may come after updated.
func TestEitherOrder(t *testing.T) {
	for kind, topic := range map[rechargetest.Kind]recharge.Topic{
		rechargetest.FirstCheckout: "subscription/created",
		rechargetest.Cancellation:  "subscription/cancelled",
		rechargetest.Reactivation:  "subscription/activated",
	} {
		first := map[recharge.Topic]int{}
		for seed := range uint64(40) {
			for _, d := range (rechargetest.Life{Customer: 7, Seed: seed}).Burst(kind, noon) {
				if d.Topic == topic || d.Topic == "subscription/updated" {
					first[d.Topic]++
					break
				}
			}
		}
		assert.Greater(t, first[topic], 5, kind)
		assert.Greater(t, first["subscription/updated"], 5, kind)
	}
}

func lives() *rapid.Generator[rechargetest.Life] {
	return rapid.Custom(func(t *rapid.T) rechargetest.Life {
		return rechargetest.Life{
			Customer: rapid.IntRange(1, rechargetest.MaxCustomer).Draw(t, "customer"),
			Version:  rapid.SampledFrom([]recharge.Version{recharge.Version202101, recharge.Version202111}).Draw(t, "version"),
			Items:    rapid.IntRange(1, 6).Draw(t, "items"),
			Included: rapid.Bool().Draw(t, "included"),
			Topics:   append(rechargetest.RecordedTopics(), rechargetest.AssumedTopics()...),
			Seed:     rapid.Uint64().Draw(t, "seed"),
		}
	})
}

// What is told beside a body is what the decoder reads in it, in both versions, and no body is from the future.
func TestBodiesSayWhatIsTold(t *testing.T) {
	decoder, err := recharge.NewDecoder()
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		life, now := lives().Draw(t, "life"), noon
		for _, kind := range rechargetest.Kinds() {
			for _, d := range life.Burst(kind, now) {
				w, err := decoder.Decode(d.Topic, d.Body)
				require.NoError(t, err, "%s %s", d.Topic, d.Body)
				require.Equal(t, d.Told, told(w), "%s %s", d.Topic, d.Body)
				require.False(t, d.Told.UpdatedAt.After(now.Add(d.Offset)), "%s %s", d.Topic, d.Body)
				bare := !strings.Contains(string(d.Body), "customer")
				if !bare {
					require.Equal(t, life.Version, w.Version, "%s", d.Body)
					require.Equal(t, life.CustomerID(), w.CustomerID())
				}
				require.Equal(t, !bare && (life.Included || d.Topic.Resource() == "customer"), w.Customer != nil)
			}
			life = life.After(kind, now)
			now = now.Add(9 * 24 * time.Hour)
		}
	})
}

func told(w recharge.Webhook) rechargetest.Told {
	told := rechargetest.Told{Active: -1}
	switch {
	case w.Subscription != nil:
		s := w.Subscription
		told.ID, told.Status, told.CreatedAt, told.UpdatedAt, told.CancelledAt = s.ID, s.Status, s.CreatedAt, s.UpdatedAt, s.CancelledAt
	case w.Charge != nil:
		told.ID, told.Status, told.CreatedAt, told.UpdatedAt = w.Charge.ID, w.Charge.Status, w.Charge.CreatedAt, w.Charge.UpdatedAt
	case w.Order != nil:
		told.ID, told.Status, told.CreatedAt, told.UpdatedAt = w.Order.ID, w.Order.Status, w.Order.CreatedAt, w.Order.UpdatedAt
	default:
		told.ID, told.CreatedAt, told.UpdatedAt = w.Customer.ID, w.Customer.CreatedAt, w.Customer.UpdatedAt
	}
	if w.Customer != nil {
		told.Active = w.Customer.ActiveSubscriptions
	}
	return told
}

func TestBurstsAreReproducible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		life := lives().Draw(t, "life")
		kind := rapid.SampledFrom(rechargetest.Kinds()).Draw(t, "kind")
		first := life.Burst(kind, noon)
		require.Equal(t, first, life.Burst(kind, noon))
	})
}

// No two customers share an id, and a customer's charges go on through a life.
func TestIDsFollowFromTheNumber(t *testing.T) {
	seen := map[string]bool{}
	for _, customer := range []int{1, 2, 10, 99, 100, 101, 999, 1000, rechargetest.MaxCustomer} {
		life := rechargetest.Life{Customer: customer}
		ids := []string{"customer " + life.CustomerID(), "address " + life.AddressID(), life.Email(), life.Phone()}
		for i := 1; i <= rechargetest.MaxItems; i++ {
			ids = append(ids, "subscription "+life.SubscriptionID(i))
		}
		for i := 1; i <= rechargetest.MaxCharges; i++ {
			ids = append(ids, "charge "+life.ChargeID(i), "order "+life.OrderID(i))
		}
		for _, id := range ids {
			require.False(t, seen[id], id)
			seen[id] = true
		}
	}
	life := rechargetest.Life{Customer: 3, Items: 2}
	created := map[string]int{}
	for i, kind := range rechargetest.Kinds() {
		now := noon.AddDate(0, 0, 10*i)
		for _, d := range life.Burst(kind, now) {
			if d.Topic == "charge/created" && d.Told.Status == "queued" {
				created[d.Told.ID]++
			}
		}
		life = life.After(kind, now)
	}
	assert.Len(t, created, life.Past.Charges-1, "all but the first one, which was paid at once")
	for id, times := range created {
		assert.Equal(t, 1, times, id)
	}
}

func TestBodiesAreOfARealisticSize(t *testing.T) {
	for _, version := range []recharge.Version{recharge.Version202101, recharge.Version202111} {
		total, count := 0, 0
		for _, d := range rechargetest.Burst(rechargetest.FirstCheckout, 1, 7, noon, version) {
			require.True(t, json.Valid(d.Body))
			total, count = total+len(d.Body), count+1
		}
		t.Log(version, total/count)
		assert.InDelta(t, 2000, total/count, 1000, version)
	}
}

func TestPhonesAreUSNumbers(t *testing.T) {
	seen := map[string]bool{}
	for customer := 0; customer < 340_000; customer += 97 {
		phone := rechargetest.Life{Customer: customer}.Phone()
		require.Regexp(t, `^\+1[2-9]\d\d555\d{4}$`, phone)
		require.False(t, seen[phone])
		seen[phone] = true
	}
}
