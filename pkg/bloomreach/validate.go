package bloomreach

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// validateCustomerIDs applies Bloomreach's rules for an id. The error names the id, not its value.
func validateCustomerIDs(ids map[string]string) error {
	if len(ids) == 0 {
		return fmt.Errorf("%w: at least one customer id is needed", ErrCommand)
	}
	for _, name := range slices.Sorted(maps.Keys(ids)) {
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
	if !isDecimal(number) {
		return fmt.Errorf("%w: %s %s", ErrCommand, field, notDecimal)
	}
	return nil
}

const notDecimal = "is not a plain decimal number"

func isDecimal(number json.Number) bool {
	whole, fraction, hasFraction := strings.Cut(strings.TrimPrefix(number.String(), "-"), ".")
	return isDigits(whole) && (!hasFraction || isDigits(fraction)) && (len(whole) == 1 || whole[0] != '0')
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// validProperties returns a copy without nil values, or an error that names the invalid property.
func validProperties(properties map[string]any) (map[string]any, error) {
	for name := range properties {
		// https://documentation.bloomreach.com/engagement/docs/tracking: attribute names are ASCII only.
		if name == "" || strings.IndexFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) >= 0 {
			return nil, fmt.Errorf("%w: property name %q is not ASCII text", ErrCommand, name)
		}
	}
	valid, invalid := validObject(properties)
	if invalid != nil {
		return nil, fmt.Errorf("%w: property %q %s", ErrCommand, strings.TrimPrefix(invalid.path, "."), invalid.reason)
	}
	return valid, nil
}

// invalidValue is the path of an invalid value inside the properties, built from the inside out, and the reason.
type invalidValue struct {
	path, reason string
}

func (v *invalidValue) in(outer string) *invalidValue {
	return &invalidValue{path: outer + v.path, reason: v.reason}
}

func validObject(object map[string]any) (map[string]any, *invalidValue) {
	valid := make(map[string]any, len(object))
	for name, given := range object {
		value, invalid := validValue(given)
		if invalid != nil {
			return nil, invalid.in("." + name)
		}
		if value != nil {
			valid[name] = value
		}
	}
	return valid, nil
}

func validValue(value any) (any, *invalidValue) {
	switch v := value.(type) {
	case nil, string, bool, int, int64, []string:
		return v, nil
	case json.Number:
		if !isDecimal(v) {
			return nil, &invalidValue{reason: notDecimal}
		}
		return v, nil
	case map[string]any:
		return validObject(v)
	case []any:
		return validList(v)
	case []map[string]any:
		return validList(v)
	default:
		return nil, &invalidValue{reason: fmt.Sprintf("has type %T; use string, bool, json.Number, int, a list or an object", value)}
	}
}

func validList[T any](list []T) ([]any, *invalidValue) {
	valid := make([]any, 0, len(list))
	for i, element := range list {
		value, invalid := validValue(element)
		if invalid != nil {
			return nil, invalid.in(fmt.Sprintf("[%d]", i))
		}
		valid = append(valid, value)
	}
	return valid, nil
}
