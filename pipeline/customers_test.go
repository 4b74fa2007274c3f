package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// people is an API that knows everybody, and counts who is asked for.
type people struct {
	asked []string
	err   error
}

func (p *people) Customer(_ context.Context, id string) (recharge.Customer, error) {
	p.asked = append(p.asked, id)
	if p.err != nil {
		return recharge.Customer{}, p.err
	}
	return recharge.Customer{ID: id, Email: id + "@example.com"}, nil
}

func TestCustomersAreRememberedForAWhile(t *testing.T) {
	now, api := atTen(), &people{}
	customers, err := pipeline.NewCustomers(map[string]pipeline.CustomerReader{"acme": api, "beta": api}, 2, time.Minute, func() time.Time { return now })
	require.NoError(t, err)
	lookup := func(store, id string) (asked bool) {
		before := len(api.asked)
		looked, err := customers.Lookup(t.Context(), store, subscriber.LookupNeeded{CustomerID: id})
		require.NoError(t, err)
		assert.Equal(t, id, looked.Customer.ID)
		assert.False(t, looked.Fresh, "nobody wanted it fresh")
		return len(api.asked) > before
	}
	assert.True(t, lookup("acme", "1"))
	assert.False(t, lookup("acme", "1"))
	now = now.Add(time.Minute - 1)
	assert.False(t, lookup("acme", "1"))
	now = now.Add(1)
	assert.True(t, lookup("acme", "1"), "too old")
	assert.False(t, lookup("acme", "1"))

	assert.True(t, lookup("beta", "1"), "another store's customer of that number")
	assert.False(t, lookup("acme", "1"))
	assert.True(t, lookup("acme", "2"), "there is room for two: beta's goes")
	assert.False(t, lookup("acme", "1"))
	assert.True(t, lookup("beta", "1"))

	customers.Forget("beta", "1")
	assert.True(t, lookup("beta", "1"))
	customers.Forget("beta", "never seen")
}

// Who wants to know how it is now is told so, whatever is remembered; and what
// was told is remembered.
func TestCustomersFresh(t *testing.T) {
	api := &people{}
	customers, err := pipeline.NewCustomers(map[string]pipeline.CustomerReader{"acme": api}, 2, time.Minute, atTen)
	require.NoError(t, err)
	for _, test := range []struct {
		fresh bool
		asked int
	}{{true, 1}, {false, 1}, {true, 2}, {false, 2}} {
		looked, err := customers.Lookup(t.Context(), "acme", subscriber.LookupNeeded{CustomerID: "1", Fresh: test.fresh})
		require.NoError(t, err)
		assert.Equal(t, test.fresh, looked.Fresh)
		assert.Len(t, api.asked, test.asked)
	}
}

func TestCustomersRefusals(t *testing.T) {
	api := &people{err: recharge.ErrNotFound}
	customers, err := pipeline.NewCustomers(map[string]pipeline.CustomerReader{"acme": api}, 2, time.Minute, atTen)
	require.NoError(t, err)
	first := subscriber.LookupNeeded{CustomerID: "1"}
	for _, fresh := range []bool{false, true} {
		looked, err := customers.Lookup(t.Context(), "acme", subscriber.LookupNeeded{CustomerID: "1", Fresh: fresh})
		require.NoError(t, err)
		assert.Equal(t, subscriber.Lookup{Fresh: fresh}, looked, "nobody")
	}
	assert.Len(t, api.asked, 2, "that there is nobody is not remembered")
	api.err = errors.New("no such host")
	_, err = customers.Lookup(t.Context(), "acme", first)
	require.ErrorIs(t, err, api.err)
	api.err = nil
	looked, err := customers.Lookup(t.Context(), "acme", first)
	require.NoError(t, err)
	assert.Equal(t, "1", looked.Customer.ID)
	_, err = customers.Lookup(t.Context(), "without access", first)
	require.ErrorIs(t, err, subscriber.ErrCustomerUnknown)
	_, err = pipeline.NewCustomers(nil, 0, time.Minute, atTen)
	require.Error(t, err)
}

// transform hands webhooks to the transformer, one after the other.
func (b *bench) transform(t *testing.T, records ...kafka.Record) error {
	t.Helper()
	done, err := b.handle(t, records)
	if err == nil {
		require.Equal(t, len(records), done)
	}
	return err
}

// A customer/* webhook tells that what is remembered may be wrong.
func TestCustomerWebhookForgets(t *testing.T) {
	for _, topic := range []string{"customer/updated", "customer/created", "customer/activated", "customer/deactivated"} {
		t.Run(topic, func(t *testing.T) {
			w, api := newWorld(t, storeConfig{}), &people{}
			stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, pipeline.Options{
				Stores:            []pipeline.Store{{Settings: settingsOf(store), Customers: api}},
				CustomerCacheSize: 10, CustomerCacheTTL: time.Hour,
			}, w.run)
			require.NoError(t, err)
			b := &bench{stage: stages[0], topics: w.topics}
			created := w.raw("subscription/created", subscriptionBody("1", ""))
			require.NoError(t, b.transform(t, created, created))
			assert.Len(t, api.asked, 1)
			require.NoError(t, b.transform(t, w.raw(topic, `{"customer":{"id":99,"email":"ann@example.com","phone":null}}`), created))
			assert.Len(t, api.asked, 1, "that was someone else")
			require.NoError(t, b.transform(t, w.raw(topic, `{"customer":`+joBean+`}`), created))
			assert.Equal(t, []string{"246936001", "246936001"}, api.asked)
		})
	}
}

// A customer whom Recharge does not know can't be asked for again; an API that
// is down can.
func TestCustomerLookupFails(t *testing.T) {
	w := newWorld(t, storeConfig{})
	api := &people{}
	stages, err := pipeline.Stages([]pipeline.Role{pipeline.RoleTransformer}, pipeline.Options{
		Stores: []pipeline.Store{{Settings: settingsOf(store), Customers: api}}, CustomerCacheSize: 10, CustomerCacheTTL: time.Hour,
	}, w.run)
	require.NoError(t, err)
	webhooks := []kafka.Record{
		w.raw("subscription/created", subscriptionBody("1", joBean)), w.raw("subscription/created", subscriptionBody("2", "")),
		w.raw("subscription/created", subscriptionBody("3", joBean)),
	}
	api.err = &recharge.APIError{Status: 429, Message: "rate limit reached", RetryAfter: 2 * time.Second}
	done, err := w.handle(stages[0], webhooks)
	require.ErrorIs(t, err, api.err)
	var asked *kafka.PauseError
	require.ErrorAs(t, err, &asked)
	assert.Equal(t, 2*time.Second, asked.After)
	assert.Equal(t, 1, done, "the next ones wait behind it")
	assert.Equal(t, []string{"transformer done"}, w.fates.lines)

	api.err = errors.New("no such host")
	done, err = w.handle(stages[0], webhooks[1:])
	require.ErrorIs(t, err, api.err)
	assert.Zero(t, done)

	api.err = recharge.ErrNotFound
	done, err = w.handle(stages[0], webhooks[1:])
	require.NoError(t, err)
	assert.Equal(t, 2, done)
	assert.Equal(t, []string{"transformer done", "transformer rejected customer_unknown", "transformer done"}, w.fates.lines)
	assert.Len(t, w.dead(pipeline.RoleTransformer), 1)

	api.err = fmt.Errorf("%w: status 422", recharge.ErrUnreadable)
	done, err = w.handle(stages[0], webhooks[1:2])
	require.NoError(t, err)
	assert.Equal(t, 1, done)
	assert.Equal(t, 1, w.fates.count("transformer rejected customer_unreadable"))
}

// A token that Recharge refuses pauses the store until someone has mended it.
func TestCustomerTokenRefused(t *testing.T) {
	for _, status := range []int{401, 403} {
		w := newWorld(t, storeConfig{})
		w.api.PutCustomer("246936001", []byte(`{"customer":`+joBean+`}`))
		w.api.FailNext(2, status, `{"error":"bad authentication"}`)
		w.lay(w.raw("subscription/created", subscriptionBody("1", "")))
		stage := w.stage(pipeline.RoleTransformer)
		require.ErrorContains(t, w.work(stage), "bad authentication")
		require.ErrorContains(t, w.work(stage), "bad authentication")
		require.NoError(t, w.work(stage))
		assert.Equal(t, []bool{true, true, false}, w.fates.pauses)
		assert.Equal(t, 1, w.fates.count("transformer done"))
		assert.Empty(t, w.dead(pipeline.RoleTransformer))
	}
}

// A store that this process does not know yet, or no more, loses nothing: its
// webhooks wait.
func TestTransformerStoreUnknown(t *testing.T) {
	w := newWorld(t, storeConfig{})
	record := w.raw("subscription/created", subscriptionBody("1", joBean))
	record.Headers[1].Value = []byte("gone")
	done, err := w.handle(w.stage(pipeline.RoleTransformer), []kafka.Record{record})
	require.ErrorContains(t, err, `store "gone" is not in the configuration`)
	assert.Zero(t, done)
	assert.Empty(t, w.fates.lines)
}
