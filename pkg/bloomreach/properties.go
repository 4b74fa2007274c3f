package bloomreach

import (
	"encoding/json"
	"math/big"
	"strings"
	"time"
)

// Properties are the attributes of an event or a customer, name to value. The setters leave out what is absent, because
// what Bloomreach does with null is documented nowhere.
type Properties map[string]any

// Text sets a text, unless it is empty.
func (p Properties) Text(name, value string) {
	if value != "" {
		p[name] = value
	}
}

// Amount sets a number with exactly the digits of a decimal string, unless that is empty.
func (p Properties) Amount(name, digits string) {
	if digits != "" {
		p[name] = decimal(digits)
	}
}

// Number sets a whole number, unless it is 0.
func (p Properties) Number(name string, n int) {
	if n != 0 {
		p[name] = n
	}
}

// Count sets a whole number that may be 0, unless it is not known.
func (p Properties) Count(name string, n *int) {
	if n != nil {
		p[name] = *n
	}
}

// Time sets a moment in UNIX seconds, see [Seconds], unless it is the zero time.
func (p Properties) Time(name string, t time.Time) {
	if !t.IsZero() {
		p[name] = Seconds(t)
	}
}

// List sets a real array, unless it is empty: a list in a text is not searchable
// (https://documentation.bloomreach.com/engagement/docs/data-types).
func (p Properties) List(name string, values []string) {
	if len(values) > 0 {
		p[name] = values
	}
}

// Times multiplies a decimal string, keeping its number of decimals; "" when there is nothing to multiply.
func Times(digits string, n int) string {
	price, ok := new(big.Rat).SetString(digits)
	if !ok || n == 0 {
		return ""
	}
	_, fraction, _ := strings.Cut(digits, ".")
	return price.Mul(price, big.NewRat(int64(n), 1)).FloatString(len(fraction))
}

// decimal drops leading zeros, which a JSON number may not have.
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
