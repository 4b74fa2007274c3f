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
	whole, fraction, hasFraction := strings.Cut(strings.TrimPrefix(number.String(), "-"), ".")
	if !digits(whole) || (hasFraction && !digits(fraction)) || (len(whole) > 1 && whole[0] == '0') {
		return fmt.Errorf("%w: %s is not a plain decimal number", ErrCommand, what)
	}
	return nil
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// cleanProperties returns a copy without nil values, or says which property can't be sent.
func cleanProperties(properties map[string]any) (map[string]any, error) {
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		// https://documentation.bloomreach.com/engagement/docs/tracking: attribute names are ASCII only.
		if name == "" || strings.IndexFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) >= 0 {
			return nil, fmt.Errorf("%w: property name %q is not ASCII text", ErrCommand, name)
		}
	}
	return cleanObject("", properties)
}

func cleanObject(path string, object map[string]any) (map[string]any, error) {
	cleaned := make(map[string]any, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value, err := cleanValue(strings.TrimPrefix(path+"."+name, "."), object[name])
		if err != nil {
			return nil, err
		}
		if value != nil {
			cleaned[name] = value
		}
	}
	return cleaned, nil
}

func cleanValue(path string, value any) (any, error) {
	switch v := value.(type) {
	case nil, string, bool, int, int64, []string:
		return v, nil
	case json.Number:
		return v, checkDecimal(fmt.Sprintf("property %q", path), v)
	case map[string]any:
		return cleanObject(path, v)
	case []any:
		return cleanList(path, v)
	case []map[string]any:
		return cleanList(path, v)
	default:
		return nil, fmt.Errorf("%w: property %q has type %T; use string, bool, json.Number, int, a list or an object",
			ErrCommand, path, value)
	}
}

func cleanList[T any](path string, list []T) ([]any, error) {
	cleaned := make([]any, 0, len(list))
	for i, element := range list {
		value, err := cleanValue(fmt.Sprintf("%s[%d]", path, i), element)
		if err != nil {
			return nil, err
		}
		cleaned = append(cleaned, value)
	}
	return cleaned, nil
}
