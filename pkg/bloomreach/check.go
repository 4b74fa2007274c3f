package bloomreach

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// checkCustomerIDs applies Bloomreach's rule for an id, and names the id that breaks it without repeating its value.
func checkCustomerIDs(ids map[string]string) error {
	if len(ids) == 0 {
		return fmt.Errorf("%w: at least one customer id is needed", ErrCommand)
	}
	for _, name := range slices.Sorted(maps.Keys(ids)) {
		if !validID(strings.TrimSpace(ids[name])) {
			return fmt.Errorf("%w: customer id %q needs a letter or a digit, and must not be null or undefined",
				ErrCommand, name)
		}
	}
	return nil
}

func validID(id string) bool {
	if id == "null" || id == "undefined" {
		return false
	}
	return strings.IndexFunc(id, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) >= 0
}

// checkDecimal accepts digits with an optional sign and fraction: 1709566376, -0.5. Not 1e9, and not the empty number,
// which encoding/json would write as 0.
func checkDecimal(what string, number json.Number) error {
	if !isDecimal(number) {
		return fmt.Errorf("%w: %s %s", ErrCommand, what, notDecimal)
	}
	return nil
}

const notDecimal = "is not a plain decimal number"

func isDecimal(number json.Number) bool {
	whole, fraction, hasFraction := strings.Cut(strings.TrimPrefix(number.String(), "-"), ".")
	return digits(whole) && (!hasFraction || digits(fraction)) && (len(whole) == 1 || whole[0] != '0')
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// cleanProperties returns a copy without nil values, or says which property can't be sent.
func cleanProperties(properties map[string]any) (map[string]any, error) {
	for name := range properties {
		// https://documentation.bloomreach.com/engagement/docs/tracking: attribute names are ASCII only.
		if name == "" || strings.IndexFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) >= 0 {
			return nil, fmt.Errorf("%w: property name %q is not ASCII text", ErrCommand, name)
		}
	}
	cleaned, fault := cleanObject(properties)
	if fault != nil {
		return nil, fmt.Errorf("%w: property %q %s", ErrCommand, strings.TrimPrefix(fault.path, "."), fault.what)
	}
	return cleaned, nil
}

// fault is what is wrong with a value. Its path is put together only where there is one, from the inside out.
type fault struct {
	path, what string
}

func (f *fault) in(outer string) *fault { return &fault{path: outer + f.path, what: f.what} }

func cleanObject(object map[string]any) (map[string]any, *fault) {
	cleaned := make(map[string]any, len(object))
	for name, given := range object {
		value, fault := cleanValue(given)
		if fault != nil {
			return nil, fault.in("." + name)
		}
		if value != nil {
			cleaned[name] = value
		}
	}
	return cleaned, nil
}

func cleanValue(value any) (any, *fault) {
	switch v := value.(type) {
	case nil, string, bool, int, int64, []string:
		return v, nil
	case json.Number:
		if !isDecimal(v) {
			return nil, &fault{what: notDecimal}
		}
		return v, nil
	case map[string]any:
		return cleanObject(v)
	case []any:
		return cleanList(v)
	case []map[string]any:
		return cleanList(v)
	default:
		return nil, &fault{what: fmt.Sprintf("has type %T; use string, bool, json.Number, int, a list or an object", value)}
	}
}

func cleanList[T any](list []T) ([]any, *fault) {
	cleaned := make([]any, 0, len(list))
	for i, element := range list {
		value, fault := cleanValue(element)
		if fault != nil {
			return nil, fault.in(fmt.Sprintf("[%d]", i))
		}
		cleaned = append(cleaned, value)
	}
	return cleaned, nil
}
