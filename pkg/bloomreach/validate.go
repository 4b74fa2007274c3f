package bloomreach

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
)

// validateCustomerIDs applies Bloomreach's rules for an id. The error names the id, not its value.
func validateCustomerIDs(ids map[string]string) error {
	if len(ids) == 0 {
		return fmt.Errorf("%w: at least one customer id is needed", ErrCommand)
	}
	var few [4]string
	for _, name := range sortedNames(few[:0], ids) {
		if !isValidID(strings.TrimSpace(ids[name])) {
			return fmt.Errorf("%w: customer id %q needs a letter or a digit, and must not be null or undefined",
				ErrCommand, name)
		}
	}
	return nil
}

func isValidID(id string) bool {
	if id == "null" || id == "undefined" {
		return false
	}
	return strings.IndexFunc(id, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) >= 0
}

// validateDecimal accepts digits with an optional sign and fraction: 1709566376, -0.5. It accepts neither 1e9 nor the empty
// number, which encoding/json would write as 0.
func validateDecimal(field string, number json.Number) error {
	if !isDecimal(number.String()) {
		return fmt.Errorf("%w: %s %s", ErrCommand, field, notDecimal)
	}
	return nil
}

const notDecimal = "is not a plain decimal number"

func isDecimal(number string) bool {
	whole, fraction, hasFraction := strings.Cut(strings.TrimPrefix(number, "-"), ".")
	return isDigits(whole) && (!hasFraction || isDigits(fraction)) && (len(whole) == 1 || whole[0] != '0')
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
