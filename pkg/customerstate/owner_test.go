package customerstate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// The owner of a subscription is stored until the next transaction. Its row is apart from that of a customer with the same id.
func TestOwner(t *testing.T) {
	rows := table{}
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	owner := subscriber.Owner{Store: "acme", SubscriptionID: "71", CustomerID: "7", At: at}
	apply := func(o subscriber.Owner) *subscriber.Move {
		tx := rows.store().Begin(0)
		defer tx.Ended(true)
		move, err := tx.ApplyOwner(o, at)
		require.NoError(t, err)
		return move
	}
	require.Nil(t, apply(owner))
	require.Contains(t, rows, "owner/acme/71")
	for _, other := range [][2]string{{"acme", "7"}, {"acme", "711"}, {"acm", "71"}} {
		require.Nil(t, apply(subscriber.Owner{Store: other[0], SubscriptionID: other[1], CustomerID: "8", At: at}), other)
	}
	owner.CustomerID, owner.At = "8", at.Add(time.Second)
	assert.Equal(t, &subscriber.Move{Store: "acme", SubscriptionID: "71", CustomerID: "7", To: "8", At: owner.At, ReceivedAt: at}, apply(owner))
	assert.Contains(t, rows["owner/acme/71"], `"customer_id":"8"`)
}

// A row of a newer version is an error, and is not removed.
func TestOwnerOfANewerVersion(t *testing.T) {
	rows := table{"owner/acme/71": "\x02{}"}
	store := rows.store()
	tx := store.Begin(0)
	_, err := tx.ApplyOwner(subscriber.Owner{Store: "acme", SubscriptionID: "71"}, time.Now())
	require.ErrorIs(t, err, ErrNewerRows)
	tx.Ended(false)
	stepOf(store, time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC), true)
	assert.Contains(t, rows, "owner/acme/71")
}
