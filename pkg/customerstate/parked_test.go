package customerstate

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// A parked row whose key is not exactly a partition and an offset is lost: it is counted and removed.
func TestMalformedParkedRowsAreRemoved(t *testing.T) {
	const zeros = "00000000000000000"
	for _, lost := range []string{
		"", "0", "0/", "x/y", "0/7", "+0/" + zeros + "007", "0/" + zeros + "007x", "0/" + zeros + "007/8", "0/+" + zeros + "07",
		"0/-" + zeros + "07", "-0/" + zeros + "007", "00/" + zeros + "007", "1/" + zeros + "007", "0/99999999999999999999", " 0/" + zeros + "007",
	} {
		rows := table{"parked/acme/7/0/" + zeros + "009": "not JSON", "parked/acme/7/" + lost: `{"partition":0,"offset":7}`}
		tx := rows.begin()
		found, n, more, err := tx.firstParked(Ref{"acme", "7"}, 10)
		require.NoError(t, err, lost)
		assert.Equal(t, []Parked{{Offset: 9}}, found, lost)
		assert.Equal(t, 1, n, lost)
		assert.False(t, more, lost)
		tx.Ended(true)
		assert.Len(t, rows, 1, lost)
	}
}

// A record that is parked is seen by the records after it in its transaction, and by later transactions. One that is rolled back or
// replayed is not.
func TestHasParked(t *testing.T) {
	rows := table{}
	seven, eight := Ref{"acme", "7"}, Ref{"acme", "8"}
	park := func(tx *Tx, ref Ref) {
		require.NoError(t, tx.Park(ref, kafka.Record{Offset: 9}, nil, recharge.LookupRequest{Store: ref.Store, CustomerID: ref.CustomerID}))
	}
	has := func(tx *Tx) [2]bool { return [2]bool{tx.HasParked(seven), tx.HasParked(eight)} }
	tx := rows.begin()
	require.Equal(t, [2]bool{}, has(tx))
	start := tx.Savepoint()
	park(tx, seven)
	require.Equal(t, [2]bool{true, false}, has(tx))
	tx.Rollback(start)
	require.Equal(t, [2]bool{}, has(tx))
	park(tx, eight)
	require.Equal(t, [2]bool{false, true}, has(tx))
	tx.Ended(true)

	tx = rows.begin()
	require.Equal(t, [2]bool{false, true}, has(tx))
	assert.False(t, tx.HasParked(Ref{Store: "acme"}), "a record without a customer")
	replay, err := tx.Replay(eight)
	require.NoError(t, err)
	replay.next()
	require.Equal(t, [2]bool{}, has(tx))
	park(tx, seven)
	require.Equal(t, [2]bool{true, false}, has(tx))
}
