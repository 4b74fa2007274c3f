package parked_test

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/pkg/parked"
)

// table is parked.Rows.
type table map[string]string

func (r table) Set(key, value []byte) {
	if value == nil {
		delete(r, string(key))
		return
	}
	r[string(key)] = string(value)
}

func (r table) Scan(prefix []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for _, key := range slices.Sorted(maps.Keys(r)) {
			if strings.HasPrefix(key, string(prefix)) && !yield([]byte(key), []byte(r[key])) {
				return
			}
		}
	}
}

// A key that no place has says nothing, however much of one is in it: the row is lost, and taken out.
func TestRowsThatDontSayWhereTheyAre(t *testing.T) {
	const zeros = "00000000000000000"
	for _, lost := range []string{
		"", "0", "0/", "x/y", "0/7", "+0/" + zeros + "007", "0/" + zeros + "007x", "0/" + zeros + "007/8", "0/+" + zeros + "07",
		"0/-" + zeros + "07", "-0/" + zeros + "007", "00/" + zeros + "007", "1/" + zeros + "007", "0/99999999999999999999", " 0/" + zeros + "007",
	} {
		rows := table{"parked/acme/7/0/" + zeros + "009": "not JSON", "parked/acme/7/" + lost: `{"partition":0,"offset":7}`}
		found, n, more := parked.First(rows, "acme/7", 0, 10)
		assert.Equal(t, []parked.Place{{Offset: 9}}, found, lost)
		assert.Equal(t, 1, n, lost)
		assert.False(t, more, lost)
		assert.Len(t, rows, 1, lost)
	}
}
