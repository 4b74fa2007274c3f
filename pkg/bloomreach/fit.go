package bloomreach

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
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

// Names of the properties that say what was cut, after the name of the property that was cut.
const (
	suffixTruncated = "_truncated" // true
	suffixOmitted   = "_omitted"   // the number of elements left out at the end of a list
)

// fit cuts the values that are too long for Bloomreach: strings at the end of a character, lists at the end of an element. It
// marks them with properties that end in "_truncated" and "_omitted".
func fit(properties map[string]any) (map[string]any, error) {
	fitted := maps.Clone(properties)
	for name, value := range properties {
		if isShort(value) || size(value) <= maxValue {
			continue
		}
		short, omitted := cut(value)
		if size(short) > maxValue {
			return nil, fmt.Errorf("%w: property %q has %d bytes, at most %d are allowed", ErrCommand, name, size(short), maxValue)
		}
		fitted[name], fitted[name+suffixTruncated] = short, true
		if omitted > 0 {
			fitted[name+suffixOmitted] = omitted
		}
	}
	return fitted, nil
}

// isShort reports whether a value is within maxValue for sure, without encoding it. A character takes at most six bytes.
func isShort(value any) bool {
	switch v := value.(type) {
	case string:
		return len(v) < maxValue/6-1
	case bool, int, int64:
		return true
	}
	return false
}

// size returns the bytes of a value in JSON.
func size(value any) int {
	encoded, err := json.Marshal(value)
	if err != nil {
		return 0 // reported when the command is encoded
	}
	return len(encoded)
}

// cut returns a value without what exceeds maxValue, and the number of elements that were left out. Objects and numbers are
// returned unchanged.
func cut(value any) (short any, omitted int) {
	switch v := value.(type) {
	case string:
		return cutString(v, maxValue), 0
	case []string:
		return cutList(v, func(s string) string { return cutString(s, maxNested) })
	case []any:
		return cutList(v, cutNested)
	}
	return value, 0
}

// cutString returns the longest start of s that has at most limit bytes in JSON and no partial character.
func cutString(s string, limit int) string {
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

// cutList shortens the elements, then returns the first ones that fit together.
func cutList[T any](list []T, shorten func(T) T) (any, int) {
	total, fits := len("[]"), 0
	short := make([]T, 0, len(list))
	for _, element := range list {
		short = append(short, shorten(element))
		total += size(short[fits]) + len(",")
		if total-len(",") > maxValue {
			break
		}
		fits++
	}
	return slices.Clip(short[:fits]), len(list) - fits
}

// cutNested cuts the strings of a list's element.
func cutNested(element any) any {
	switch v := element.(type) {
	case string:
		return cutString(v, maxNested)
	case map[string]any:
		short := make(map[string]any, len(v))
		for name, value := range v {
			short[name] = cutNested(value)
		}
		return short
	}
	return element
}
