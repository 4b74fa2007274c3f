package bloomreachtest

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// parseTimestamp parses the formats that https://documentation.bloomreach.com/engagement/docs/data-types documents: UNIX
// seconds with any number of digits, and dates such as "2018-8-5 12:20:25" and "2021-08-16T13:03:00.000001Z", without an
// offset. The result is canonical: equal times are equal strings.
func parseTimestamp(value json.RawMessage) (string, bool) {
	var parsed any
	if decode(value, &parsed) != nil {
		return "", false
	}
	switch v := parsed.(type) {
	case json.Number:
		return canonical(v.String())
	case string:
		text := strings.Replace(strings.TrimSuffix(v, "Z"), "T", " ", 1)
		date, err := time.Parse("2006-1-2 15:04:05", text)
		return seconds(date), err == nil
	}
	return "", false
}

// seconds returns canonical UNIX seconds, to the microsecond.
func seconds(t time.Time) string {
	text, _ := canonical(big.NewRat(t.UnixMicro(), 1_000_000).FloatString(6))
	return text
}

// canonical returns a JSON number without exponent, trailing zeros or negative zero: 1.50 and 15e-1 become 1.5.
func canonical(number string) (string, bool) {
	if strings.ContainsAny(number, "eE") {
		float, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return "", false
		}
		number = strconv.FormatFloat(float, 'f', -1, 64)
	}
	if strings.Contains(number, ".") {
		number = strings.TrimSuffix(strings.TrimRight(number, "0"), ".")
	}
	if number == "-0" {
		number = "0"
	}
	return number, true
}

// compareTimes compares two canonical times. It is negative when a is older.
func compareTimes(a, b string) int {
	left, okLeft := new(big.Rat).SetString(a)
	right, okRight := new(big.Rat).SetString(b)
	if !okLeft || !okRight {
		return strings.Compare(a, b)
	}
	return left.Cmp(right)
}
