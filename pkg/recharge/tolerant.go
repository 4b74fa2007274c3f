package recharge

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The JSON type of one field differs between API versions and even between
// records: numbers come quoted, booleans as 0 and 1, absent texts as null. These
// types take each form that was met and refuse the rest with an error that names
// the field.

// text is a JSON string; a number or boolean is kept as written, null is "".
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	s, err := scalar(raw, reflect.TypeFor[string]())
	*t = text(s)
	return err
}

// id is a positive integer as a number or a string; null and "" are "".
type id string

func (v *id) UnmarshalJSON(raw []byte) error {
	s, err := scalar(raw, reflect.TypeFor[int64]())
	if err != nil {
		return err
	}
	if s != "" && !isID(s) {
		return mismatch(raw, reflect.TypeFor[int64]())
	}
	*v = id(s)
	return nil
}

// decimal is an amount as a number or a string, kept digit for digit.
type decimal string

func (d *decimal) UnmarshalJSON(raw []byte) error {
	s, err := scalar(raw, reflect.TypeFor[float64]())
	if err != nil {
		return err
	}
	if s != "" && !isDecimal(s) {
		return mismatch(raw, reflect.TypeFor[float64]())
	}
	*d = decimal(s)
	return nil
}

// isDecimal admits plain digits only: an exponent would turn a few bytes into
// any number of digits.
func isDecimal(s string) bool {
	whole, fraction, dotted := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	return len(s) <= 40 && isDigits(whole) && (!dotted || isDigits(fraction))
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// count is a whole number as a number or a string; known tells it from null.
type count struct {
	n     int
	known bool
}

func (c *count) UnmarshalJSON(raw []byte) error {
	s, err := scalar(raw, reflect.TypeFor[int]())
	if err != nil || s == "" {
		return err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(s, ".0"))
	if err != nil {
		return mismatch(raw, reflect.TypeFor[int]())
	}
	*c = count{n: n, known: true}
	return nil
}

// flag is a boolean as such, as 0 or 1, or as one of them quoted; null is false.
type flag bool

func (f *flag) UnmarshalJSON(raw []byte) error {
	s, err := scalar(raw, reflect.TypeFor[bool]())
	if err != nil {
		return err
	}
	switch strings.ToLower(s) {
	case "", "0", "false":
		*f = false
	case "1", "true":
		*f = true
	default:
		return mismatch(raw, reflect.TypeFor[bool]())
	}
	return nil
}

// phone is a text that remembers whether its key was there at all: null says
// that the customer has none, a missing key says nothing.
type phone struct {
	value text
	known bool
}

func (p *phone) UnmarshalJSON(raw []byte) error {
	p.known = true
	return p.value.UnmarshalJSON(raw)
}

// platformID is an id of the shop's platform: {"ecommerce": "123"} in 2021-11, a
// bare number or string in 2021-01.
type platformID string

func (p *platformID) UnmarshalJSON(raw []byte) error {
	var v text
	if bytes.HasPrefix(raw, []byte("{")) {
		var nested struct {
			Ecommerce text `json:"ecommerce"`
		}
		if err := json.Unmarshal(raw, &nested); err != nil {
			return mismatch(raw, reflect.TypeFor[string]())
		}
		v = nested.Ecommerce
	} else if err := v.UnmarshalJSON(raw); err != nil {
		return err
	}
	*p = platformID(v)
	return nil
}

// scalar returns a string's content, a number's or boolean's letters, "" for null.
func scalar(raw []byte, want reflect.Type) (string, error) {
	switch raw[0] {
	case 'n':
		return "", nil
	case '{', '[':
		return "", mismatch(raw, want)
	case '"':
		if plain := raw[1 : len(raw)-1]; bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
			return strings.TrimSpace(string(plain)), nil
		}
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return "", mismatch(raw, want)
		}
		return strings.TrimSpace(s), nil
	default:
		return string(raw), nil
	}
}

// mismatch is the error to which encoding/json adds the path of the field. It
// names the kind of what was met, never its content.
func mismatch(raw []byte, want reflect.Type) error {
	kinds := map[byte]string{'{': "object", '[': "array", '"': "string", 't': "bool", 'f': "bool"}
	kind, ok := kinds[raw[0]]
	if !ok {
		kind = "number"
	}
	return &json.UnmarshalTypeError{Value: kind, Type: want}
}
