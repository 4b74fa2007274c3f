package bloomreach

import (
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/jsonappend"
)

// Bloomreach takes property values under 16 KBytes and messages under 800 KBytes
// (https://documentation.bloomreach.com/engagement/reference/add-event). It does not say whether a KByte has 1,000 or 1,024
// bytes; these limits hold for both. They count bytes of JSON.
const (
	maxValue   = 16_000 - 1
	maxMessage = 800_000 - 1
)

// maxNested is the length in bytes to which strings in a list are cut when the list is too long.
const maxNested = 1_000

// Values that are too long for Bloomreach are cut: strings at the end of a character, lists at the end of an element. Properties say
// what was cut, with the name of the property that was cut and one of these.
const (
	suffixTruncated = "_truncated" // true
	suffixOmitted   = "_omitted"   // the number of elements left out at the end of a list
)

func tooLong(size int) string {
	return fmt.Sprintf("has %d bytes, at most %d are allowed", size, maxValue)
}

// cutString returns the longest start of s that has at most limit bytes in JSON and no partial character.
func cutString(s string, limit int) string {
	size := func(s string) int { return len(jsonappend.AppendHTMLString(nil, s)) }
	if size(s) <= limit {
		return s
	}
	short, long := 0, min(len(s), limit) // bytes that fit, bytes that may not
	for long-short > 1 {
		middle := (short + long) / 2
		if size(httpclient.Cut(s, middle)) <= limit {
			short = middle
		} else {
			long = middle
		}
	}
	return httpclient.Cut(s, short)
}

// appendCut appends a string that is cut to at most limit bytes in JSON.
func appendCut(b []byte, s string, limit int) []byte {
	from := len(b)
	if b = jsonappend.AppendHTMLString(b, s); len(b)-from <= limit {
		return b
	}
	return jsonappend.AppendHTMLString(b[:from], cutString(s, limit))
}

// appendFirst appends an array of the first of n elements that fit together into limit bytes, with their strings cut. It returns how many do.
func appendFirst(b []byte, n, limit int, appendElement func(b []byte, i, limit int) []byte) (list []byte, fit int) {
	from := len(b)
	b = append(b, '[')
	for ; fit < n; fit++ {
		end := len(b)
		if fit > 0 {
			b = append(b, ',')
		}
		if b = appendElement(b, fit, maxNested); len(b)-from+len("]") > limit {
			b = b[:end]
			break
		}
	}
	return append(b, ']'), fit
}
