package customerstate

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// What is loaded is what the rows say, whatever was loaded or saved before.
func TestLoadAfterRollback(t *testing.T) {
	rows := table{}
	store := rows.store()
	named := func(email string) *subscriber.State {
		st := &subscriber.State{Subscriptions: map[string]subscriber.SubscriptionState{}, Emitted: subscriber.Emitted{"2026-03": {1}}}
		st.Customer.Email = email
		return st
	}
	emailOf := func(tx *Tx) string {
		st, err := tx.Load(customerSeven())
		require.NoError(t, err)
		return st.Customer.Email
	}
	save := func(tx *Tx, email string) {
		require.NoError(t, tx.Save(customerSeven(), &subscriber.State{}, named(email)))
	}
	tx := store.Begin(0)
	save(tx, "first@shop.test")
	tx.Ended(true)

	tx = store.Begin(0)
	from := tx.Savepoint()
	save(tx, "second@shop.test")
	assert.Equal(t, "second@shop.test", emailOf(tx))
	tx.Rollback(from)
	assert.Equal(t, "first@shop.test", emailOf(tx), "rolled back")
	save(tx, "third@shop.test")
	tx.Ended(false)
	assert.Equal(t, "first@shop.test", emailOf(store.Begin(0)), "aborted")

	rows["customer/acme/7"] = rows["customer/acme/7"][:1] + `{"customer":{"email":"other@shop.test"}}`
	assert.Equal(t, "other@shop.test", emailOf(store.Begin(0)), "written by another owner of the partition")
}

// A state after a lookup is loaded as one that may be looked up again.
func TestLookedUpIsNotSaved(t *testing.T) {
	st := &subscriber.State{Subscriptions: map[string]subscriber.SubscriptionState{}, Emitted: subscriber.Emitted{}}
	st.Customer.Email = "ada@shop.test"
	tx := table{}.begin()
	require.NoError(t, tx.Save(customerSeven(), &subscriber.State{}, st.LookedUp()))
	loaded, err := tx.Load(customerSeven())
	require.NoError(t, err)
	assert.Equal(t, st, loaded)
}

// Not all states are kept.
func TestStatesThatAreKept(t *testing.T) {
	store := table{}.store()
	tx := store.Begin(0)
	for i := range 3 * maxDecoded {
		ref := Ref{"acme", fmt.Sprint(i)}
		require.NoError(t, tx.Save(ref, &subscriber.State{}, &subscriber.State{Emitted: subscriber.Emitted{"2026-03": {uint64(i)}}}))
		st, err := tx.Load(ref)
		require.NoError(t, err)
		assert.Equal(t, subscriber.ShortIDs{uint64(i)}, st.Emitted["2026-03"])
		assert.LessOrEqual(t, len(tx.partition.codec.decoded), maxDecoded)
	}
}
