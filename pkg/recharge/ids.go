package recharge

import (
	"bytes"
	"encoding/json"
)

// IDs are the ids in a webhook's body.
type IDs struct {
	CustomerID string // digits; "" when the body names no customer
	ResourceID string // digits; "" when the resource has no id
}

// FindIDs finds the ids of customer and resource without decoding the body. The customer's id is the first of
// {resource}.customer_id, {resource}.customer.id and customer.id that is present; the resource's id is {resource}.id. An
// id is a JSON integer above zero or a string of its digits.
//
// body must be valid JSON (json.Valid). Names match exactly, and the last of a repeated name counts. A full decode may
// differ in both; Recharge sends no such body.
func FindIDs(resource string, body []byte) IDs {
	var top, res, nested members
	top.read(body, resource, "customer", "")
	res.read(top.value[0], "customer_id", "customer", "id")
	nested.read(res.value[1], "id", "", "")
	ids := IDs{ResourceID: digits(res.value[2])}
	ids.CustomerID = digits(res.value[0])
	if ids.CustomerID == "" {
		ids.CustomerID = digits(nested.value[0])
	}
	if ids.CustomerID == "" {
		var included members
		included.read(top.value[1], "id", "", "")
		ids.CustomerID = digits(included.value[0])
	}
	return ids
}

// members are the raw values of up to three members of a JSON object.
type members struct {
	value [3][]byte
}

// read sets the values of the named members; "" is not a name. If raw is not an object, none is set.
func (m *members) read(raw []byte, names ...string) {
	eachMember(raw, func(key, value []byte) bool {
		for i, name := range names {
			if name != "" && keyIs(key, name) {
				m.value[i] = value
			}
		}
		return true
	})
}

// eachMember calls visit for each member of a JSON object, with its quoted key and its raw value, until visit returns false.
func eachMember(raw []byte, visit func(key, value []byte) bool) {
	s := scanner{rest: raw}
	if !s.skip('{') {
		return
	}
	for !s.skip('}') {
		key := s.next()
		s.skip(':')
		value := s.next()
		if len(key) == 0 || len(value) == 0 || !visit(key, value) {
			return // an empty key or value is not valid JSON: no endless loop
		}
		s.skip(',')
	}
}

// keyIs compares a quoted JSON string with a name. It decodes a string only if it has an escape.
func keyIs(quoted []byte, name string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return len(quoted) == len(name)+2 && string(quoted[1:len(quoted)-1]) == name
	}
	var key string
	return json.Unmarshal(quoted, &key) == nil && key == name
}

// digits returns the id in a raw JSON number or string, "" if it is not an id.
func digits(raw []byte) string {
	if bytes.IndexByte(raw, '\\') >= 0 {
		var plain string
		_ = json.Unmarshal(raw, &plain) // not a string: not an id
		raw = []byte(plain)
	} else if len(raw) >= 2 && raw[0] == '"' {
		raw = raw[1 : len(raw)-1]
	}
	if !isID(raw) {
		return ""
	}
	return string(raw)
}

// maxIDDigits is the number of digits of the largest 64-bit integer.
const maxIDDigits = 19

func isID[T string | []byte](s T) bool {
	return len(s) > 0 && len(s) <= maxIDDigits && s[0] != '0' && isDigits(string(s))
}

// scanner skips over the values of valid JSON.
type scanner struct {
	rest []byte
}

// skip skips white space and then c, and reports whether c was there. At the end of the input it returns true for '}', so that
// every loop ends.
func (s *scanner) skip(c byte) bool {
	s.rest = bytes.TrimLeft(s.rest, " \t\r\n")
	if len(s.rest) == 0 {
		return c == '}'
	}
	if s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// next returns the next complete value and skips it.
func (s *scanner) next() []byte {
	s.rest = bytes.TrimLeft(s.rest, " \t\r\n")
	n := valueLen(s.rest)
	value := s.rest[:n]
	s.rest = s.rest[n:]
	return value
}

// valueLen returns the length of the JSON value at the start of b.
func valueLen(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i += stringLen(b[i:]) - 1
			if depth == 0 {
				return min(i+1, len(b))
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
			if depth < 0 {
				return i
			}
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}

// stringLen returns the length of the quoted string at the start of b, with its quotes.
func stringLen(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}
