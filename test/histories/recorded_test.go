package histories_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/test/histories"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 123_000_000, time.UTC)

// Each recorded action has the recorded number of deliveries, within the recorded time.
// Source: https://github.com/darrylcousins/boxesapp, docs/src/sources/json/reports/*/log.json.
func TestBurstsHaveTheRecordedSize(t *testing.T) {
	tests := []struct {
		kind   histories.Action
		items  int
		count  int
		within time.Duration
	}{
		{histories.FirstCheckout, 4, 32, 90 * time.Second},
		{histories.Renewal, 5, 17, 62 * time.Second},
		{histories.Cancellation, 5, 16, 7200 * time.Millisecond},
		{histories.Reactivation, 5, 29, 66 * time.Second},
		{histories.DateMoved, 5, 15, 150 * time.Second},
		{histories.Deletion, 3, 3, 3 * time.Second},
		{histories.Upcoming, 1, 1, 0},
	}
	for _, test := range tests {
		t.Run(string(test.kind), func(t *testing.T) {
			for seed := range uint64(20) {
				deliveries := histories.Customer{Number: 7, Items: test.items, Seed: seed}.Burst(test.kind, noon)
				require.Len(t, deliveries, test.count)
				assert.Zero(t, deliveries[0].Offset)
				assert.LessOrEqual(t, deliveries[len(deliveries)-1].Offset, test.within)
			}
		})
	}
	assert.Len(t, histories.Recorded(), len(tests))
}

// early are the topics within the first half second, without subscription/updated.
func early(deliveries []histories.Delivery) []string {
	var topics []string
	for _, d := range deliveries {
		if d.Offset > 500*time.Millisecond || d.Topic == "subscription/updated" {
			continue
		}
		topics = append(topics, string(d.Topic)+" "+statusOf(d))
	}
	return topics
}

func statusOf(d histories.Delivery) string {
	switch {
	case d.Subscription != nil:
		return d.Subscription.Status
	case d.Charge != nil:
		return d.Charge.Status
	case d.Order != nil:
		return d.Order.Status
	}
	return ""
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
		assert.Equal(t, want, early(histories.Customer{Number: 7, Items: items}.Burst(histories.FirstCheckout, noon)), items)
	}
}

func TestRenewalArrivesAsRecorded(t *testing.T) {
	for seed := range uint64(20) {
		customer := histories.Customer{Number: 7, Items: 3, Seed: seed}
		assert.Equal(t, []string{
			"order/success success", "order/processed success", "order/created success", "charge/updated success", "charge/created queued",
		}, early(customer.Burst(histories.Renewal, noon)))
	}
}

// The pairs of one action come in either order, and created may come after updated.
func TestEitherOrder(t *testing.T) {
	for kind, topic := range map[histories.Action]recharge.Topic{
		histories.FirstCheckout: "subscription/created",
		histories.Cancellation:  "subscription/cancelled",
		histories.Reactivation:  "subscription/activated",
	} {
		first := map[recharge.Topic]int{}
		for seed := range uint64(40) {
			for _, d := range (histories.Customer{Number: 7, Seed: seed}).Burst(kind, noon) {
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

func customers() *rapid.Generator[histories.Customer] {
	return rapid.Custom(func(t *rapid.T) histories.Customer {
		return histories.Customer{
			Number:   rapid.IntRange(0, histories.MaxCustomer).Draw(t, "number"),
			Version:  rapid.SampledFrom([]recharge.Version{recharge.Version202101, recharge.Version202111}).Draw(t, "version"),
			Items:    rapid.IntRange(1, 6).Draw(t, "items"),
			Included: rapid.Bool().Draw(t, "included"),
			Topics:   append(histories.RecordedTopics(), histories.AssumedTopics()...),
			Seed:     rapid.Uint64().Draw(t, "seed"),
		}
	})
}

// The decoder reads in a body what the delivery shows, in both versions, and no body is from the future.
func TestBodiesHoldWhatDeliveriesShow(t *testing.T) {
	decoder, err := recharge.NewDecoder()
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		customer, now := customers().Draw(t, "customer"), noon
		account := customer.Open()
		account.Sparse = rapid.Bool().Draw(t, "sparse")
		actions := append(histories.Recorded()[:6], histories.Swap, histories.Change, histories.DeleteOne, histories.FinalFailure, histories.Erasure)
		for _, action := range actions {
			for _, d := range account.Burst(action, now) {
				w, err := decoder.Decode(d.Topic, d.Body(), d.Received)
				require.NoError(t, err, "%s %s", d.Topic, d.Body())
				requireShown(t, customer, d, w)
				for _, at := range shownAt(d) {
					require.False(t, at.After(now.Add(d.Offset)), "%s %s", d.Topic, d.Body())
				}
				if !d.Bare() {
					require.Equal(t, customer.Version, w.Version, "%s", d.Body())
				}
				if !d.Bare() || d.Topic == "customer/deleted" {
					require.Equal(t, customer.ID(), w.CustomerID())
					require.Equal(t, customer.ID(), d.Key())
				}
			}
			now = now.Add(9 * 24 * time.Hour)
		}
	})
}

// requireShown compares the decoded webhook with the delivery.
func requireShown(t require.TestingT, of histories.Customer, d histories.Delivery, w recharge.Webhook) {
	if d.Customer != nil {
		got := w.Customer
		require.NotNil(t, got)
		read := histories.CustomerObject{
			Person: histories.Person{Email: got.Email, FirstName: got.FirstName, LastName: got.LastName, Phone: got.Phone},
			Active: got.ActiveSubscriptions, Total: got.TotalSubscriptions, Created: got.CreatedAt, Updated: got.UpdatedAt,
		}
		require.Equal(t, *d.Customer, read)
		require.Equal(t, of.PlatformID(), got.PlatformID)
	} else if d.Topic != "customer/deleted" {
		require.Nil(t, w.Customer)
	}
	switch {
	case d.Bare():
	case d.Subscription != nil:
		s, got := d.Subscription, w.Subscription
		require.Equal(t, d.ID, got.ID)
		require.Equal(t, []any{s.Email, s.Status, s.Created, s.Updated, s.Cancelled, s.Due}, []any{got.Email, got.Status, got.CreatedAt, got.UpdatedAt, got.CancelledAt, got.NextChargeDate})
	case d.Charge != nil:
		c, got := d.Charge, w.Charge
		require.Equal(t, d.ID, got.ID)
		require.Equal(t, []any{c.Email, c.Status, c.Kind, c.Failure, c.Created, c.Updated, c.Processed, c.Due}, []any{got.Email, got.Status, got.Type, got.ErrorType, got.CreatedAt, got.UpdatedAt, got.ProcessedAt, got.ScheduledDate})
	case d.Order != nil:
		c, got := d.Order, w.Order
		require.Equal(t, d.ID, got.ID)
		require.Equal(t, []any{c.Email, c.Status, c.Created, c.Updated}, []any{got.Email, got.Status, got.CreatedAt, got.UpdatedAt})
	}
}

// shownAt are the times in a body, none of which may be in the future.
func shownAt(d histories.Delivery) []time.Time {
	switch {
	case d.Subscription != nil:
		return []time.Time{d.Subscription.Created, d.Subscription.Updated, d.Subscription.Cancelled}
	case d.Charge != nil:
		return []time.Time{d.Charge.Created, d.Charge.Updated, d.Charge.Processed}
	case d.Order != nil:
		return []time.Time{d.Order.Created, d.Order.Updated, d.Order.Processed}
	case d.Customer != nil:
		return []time.Time{d.Customer.Created, d.Customer.Updated}
	}
	return nil
}

func TestBurstsAreReproducible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		customer := customers().Draw(t, "customer")
		action := rapid.SampledFrom(histories.Recorded()).Draw(t, "action")
		first := customer.Burst(action, noon)
		require.Equal(t, first, customer.Burst(action, noon))
	})
}

// No two customers share an id, and a customer's charges are numbered through their history.
func TestIDsFollowFromTheNumber(t *testing.T) {
	seen := map[string]bool{}
	for _, number := range []int{0, 1, 2, 10, 99, 100, 101, 999, 1000, histories.MaxCustomer} {
		customer := histories.Customer{Number: number}
		ids := []string{"customer " + customer.ID(), "address " + customer.AddressID(), customer.Email(), customer.Phone()}
		for i := 1; i <= histories.MaxItems; i++ {
			ids = append(ids, "subscription "+customer.SubscriptionID(i))
		}
		for i := 1; i <= histories.MaxCharges; i++ {
			ids = append(ids, "charge "+customer.ChargeID(i), "order "+customer.OrderID(i))
		}
		for _, id := range ids {
			require.False(t, seen[id], id)
			seen[id] = true
		}
		for _, key := range []string{customer.ID(), "subscription/" + customer.SubscriptionID(1), "subscription/" + customer.SubscriptionID(histories.MaxItems)} {
			n, ok := histories.NumberOf(key)
			assert.True(t, ok, key)
			assert.Equal(t, number, n, key)
		}
	}
	account, created := histories.Customer{Number: 3, Items: 2}.Open(), map[string]int{}
	for i, action := range histories.Recorded() {
		for _, d := range account.Burst(action, noon.AddDate(0, 0, 10*i)) {
			if d.Topic == "charge/created" && d.Charge.Status == "queued" {
				created[d.ID]++
			}
		}
	}
	assert.Len(t, created, 5, "of the checkout, the renewal, the moved date and each reactivated item")
	for id, times := range created {
		assert.Equal(t, 1, times, id)
	}
}

func TestBodiesHaveARealisticSize(t *testing.T) {
	for _, version := range []recharge.Version{recharge.Version202101, recharge.Version202111} {
		total, count := 0, 0
		for _, d := range (histories.Customer{Number: 7, Items: 4, Included: true, Version: version}).Burst(histories.FirstCheckout, noon) {
			require.True(t, json.Valid(d.Body()))
			total, count = total+len(d.Body()), count+1
		}
		t.Log(version, total/count)
		assert.InDelta(t, 2000, total/count, 1000, version)
	}
}

func TestPhonesAreUSNumbers(t *testing.T) {
	seen := map[string]bool{}
	for customer := 0; customer < 340_000; customer += 97 {
		phone := histories.Customer{Number: customer}.Phone()
		require.Regexp(t, `^\+1[2-9]\d\d555\d{4}$`, phone)
		require.False(t, seen[phone])
		seen[phone] = true
	}
}
