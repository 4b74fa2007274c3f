package customerstate

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
