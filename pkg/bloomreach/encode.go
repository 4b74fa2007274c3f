package bloomreach

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/jsonappend"
)

// appendMember appends a comma, the name of a member, and its colon.
func appendMember(b []byte, name string) []byte {
	return append(append(append(b, `,"`...), name...), `":`...)
}

// appendIDs appends the ids of a customer, sorted by name.
func appendIDs(b []byte, ids map[string]string) []byte {
	var few [4]string
	for i, name := range sortedNames(few[:0], ids) {
		separator := byte(',')
		if i == 0 {
			separator = '{'
		}
		b = append(jsonappend.AppendHTMLString(append(b, separator), name), ':')
		b = jsonappend.AppendHTMLString(b, ids[name])
	}
	return append(b, '}')
}

// sortedNames returns the names of ids, in the memory of names if that is enough.
func sortedNames(names []string, ids map[string]string) []string {
	for name := range ids {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// appendDecimal appends the digits of a decimal string as a JSON number, which has no leading zeros.
func appendDecimal(b []byte, digits string) []byte {
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		b, digits = append(b, '-'), rest
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" || digits[0] == '.' {
		b = append(b, '0')
	}
	return append(b, digits...)
}

// UnixSeconds returns t as UNIX seconds with up to 6 decimals, for example 1709566376 or 1629118980.000001. Bloomreach
// stores microseconds (https://documentation.bloomreach.com/engagement/docs/data-types); smaller fractions are cut off. It
// does not accept an ISO 8601 string with an offset, as Recharge sends it.
func UnixSeconds(t time.Time) json.Number { return json.Number(appendUnixSeconds(nil, t)) }

func appendUnixSeconds(b []byte, t time.Time) []byte {
	micros := t.UnixMicro()
	if micros < 0 {
		b, micros = append(b, '-'), -micros
	}
	b = strconv.AppendInt(b, micros/1_000_000, 10)
	rest := micros % 1_000_000
	if rest == 0 {
		return b
	}
	b = append(b, '.')
	for unit := int64(100_000); rest > 0; unit /= 10 {
		b = append(b, byte('0'+rest/unit))
		rest %= unit
	}
	return b
}
