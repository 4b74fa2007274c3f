package bloomreach

import (
	"encoding/json"
	"math/big"
	"strings"
	"time"
)

// Properties are the attributes of an event or a customer, name to value. The setters leave out absent values: Bloomreach
// does not document null.
type Properties map[string]any

// Text sets a string, unless it is empty.
func (p Properties) Text(name, value string) {
	if value != "" {
		p[name] = value
	}
}

// Amount sets a number with the digits of a decimal string, unless that is empty.
func (p Properties) Amount(name, digits string) {
	if digits != "" {
		p[name] = decimal(digits)
	}
}

// Number sets an integer, unless it is 0.
func (p Properties) Number(name string, n int) {
	if n != 0 {
		p[name] = n
	}
}

// Count sets an integer that may be 0, unless it is nil.
func (p Properties) Count(name string, n *int) {
	if n != nil {
		p[name] = *n
	}
}

// Time sets a time in UNIX seconds, see [UnixSeconds], unless it is the zero time.
func (p Properties) Time(name string, t time.Time) {
	if !t.IsZero() {
		p[name] = UnixSeconds(t)
	}
}

// List sets an array, unless it is empty. A list inside a string would not be searchable
// (https://documentation.bloomreach.com/engagement/docs/data-types).
func (p Properties) List(name string, values []string) {
	if len(values) > 0 {
		p[name] = values
	}
}

// Multiply multiplies a decimal string by n, with the same number of decimals. It returns "" when digits is not a number
// or n is 0.
func Multiply(digits string, n int) string {
	price, ok := new(big.Rat).SetString(digits)
	if !ok || n == 0 {
		return ""
	}
	_, fraction, _ := strings.Cut(digits, ".")
	return price.Mul(price, big.NewRat(int64(n), 1)).FloatString(len(fraction))
}

// decimal returns a JSON number, which has no leading zeros.
func decimal(digits string) json.Number {
	sign := ""
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		sign, digits = "-", rest
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" || digits[0] == '.' {
		digits = "0" + digits
	}
	return json.Number(sign + digits)
}
