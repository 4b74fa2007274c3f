package recharge

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rechargeflow/rechargeflow/pkg/jsonread"
)

// The JSON type of a field differs between API versions and even between records: numbers are quoted, booleans are 0 and 1,
// absent texts are null. These types accept each form that was observed. For others they return an error that names the field.

// text is a JSON string. A number or boolean becomes its literal, null becomes "". A shop may cut a text in the middle of a
// character: half of a surrogate pair is removed.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	s, err := scalar(raw, reflect.TypeFor[string]())
	if strings.ContainsRune(s, utf8.RuneError) { // which replaces what is no character
		s = strings.TrimSpace(strings.ReplaceAll(s, string(utf8.RuneError), ""))
	}
	*t = text(s)
	return err
}

// id is a positive integer, as a number or a string. Null and "" become "".
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

// decimal is an amount, as a number or a string, with its digits unchanged.
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

// isDecimal rejects exponents, with which a few bytes could encode any number of digits.
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

// count is an integer, as a number or a string. known is false for null and for an absent field.
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

// boolean is true, false, 1 or 0, or one of them as a string. Null is false.
type boolean bool

func (f *boolean) UnmarshalJSON(raw []byte) error {
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

// optional is a text and whether its key is present: null means that the customer has none, a missing key that it is unknown.
type optional struct {
	value text
	known bool
}

func (o *optional) UnmarshalJSON(raw []byte) error {
	o.known = true
	return o.value.UnmarshalJSON(raw)
}

// platformID is an id of the shop platform: {"ecommerce": "123"} in 2021-11, a number or string in 2021-01.
type platformID string

func (p *platformID) UnmarshalJSON(raw []byte) error {
	var v text
	if !bytes.HasPrefix(raw, []byte("{")) {
		if err := v.UnmarshalJSON(raw); err != nil {
			return err
		}
	}
	s := jsonread.Scan(raw)
	for name := range s.Members() {
		if bytes.EqualFold(name, []byte("ecommerce")) && v.UnmarshalJSON(s.Raw()) != nil {
			return mismatch(raw, reflect.TypeFor[string]())
		}
	}
	*p = platformID(v)
	return nil
}

// scalar returns the content of a string, the literal of a number or boolean, "" for null.
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

// mismatch returns an error to which encoding/json adds the path of the field. It names the JSON type, never the content.
func mismatch(raw []byte, want reflect.Type) error {
	return &json.UnmarshalTypeError{Value: kindOf(raw), Type: want}
}

// kindOf returns the JSON type of a value, as encoding/json names it.
func kindOf(raw []byte) string {
	switch raw[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	}
	return "number"
}
