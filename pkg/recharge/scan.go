package recharge

import (
	"bytes"
	"encoding/json"
)

// Owner says whom a webhook's body is about, as far as its bytes tell.
type Owner struct {
	CustomerID string // digits; "" when the body names no customer
	ResourceID string // digits; "" when the body carries no id
}

// FindOwner reads the customer's id from exact paths ({resource}.customer_id,
// {resource}.customer.id, customer.id, the first that holds one) and the
// resource's own id from {resource}.id, without decoding the rest. An id is a
// JSON integer above zero or a string of such digits. body must be valid JSON
// (json.Valid). Names are matched exactly, and of a repeated one the last counts: a
// full decode may read such a body, which Recharge doesn't send, in another way.
func FindOwner(resource string, body []byte) Owner {
	var top, res, nested members
	top.read(body, resource, "customer", "")
	res.read(top.value[0], "customer_id", "customer", "id")
	nested.read(res.value[1], "id", "", "")
	owner := Owner{ResourceID: digits(res.value[2])}
	owner.CustomerID = digits(res.value[0])
	if owner.CustomerID == "" {
		owner.CustomerID = digits(nested.value[0])
	}
	if owner.CustomerID == "" {
		var included members
		included.read(top.value[1], "id", "", "")
		owner.CustomerID = digits(included.value[0])
	}
	return owner
}

// members holds the raw values of up to three members of one JSON object.
type members struct {
	value [3][]byte
}

// read fills m with the members of the object in raw that have the given names
// ("" is never looked for). Anything but an object has no members.
func (m *members) read(raw []byte, names ...string) {
	s := scanner{rest: raw}
	if !s.enter('{') {
		return
	}
	for !s.enter('}') {
		key := s.next()
		s.enter(':')
		value := s.next()
		if len(key) == 0 || len(value) == 0 {
			return // not valid JSON: never loop on it
		}
		for i, name := range names {
			if name != "" && keyIs(key, name) {
				m.value[i] = value
			}
		}
		s.enter(',')
	}
}

// keyIs compares a quoted JSON string with a name, decoding it only when it
// holds an escape.
func keyIs(quoted []byte, name string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return len(quoted) == len(name)+2 && string(quoted[1:len(quoted)-1]) == name
	}
	var key string
	return json.Unmarshal(quoted, &key) == nil && key == name
}

// digits returns the id in a raw JSON number or string, "" when it is none.
func digits(raw []byte) string {
	if bytes.IndexByte(raw, '\\') >= 0 {
		var plain string
		_ = json.Unmarshal(raw, &plain) // what is no string is no id either
		raw = []byte(plain)
	} else if len(raw) >= 2 && raw[0] == '"' {
		raw = raw[1 : len(raw)-1]
	}
	if !isID(raw) {
		return ""
	}
	return string(raw)
}

// maxIDDigits is the length of the greatest 64-bit integer.
const maxIDDigits = 19

func isID[T string | []byte](s T) bool {
	return len(s) > 0 && len(s) <= maxIDDigits && s[0] != '0' && isDigits(string(s))
}

// scanner steps over the values of valid JSON.
type scanner struct {
	rest []byte
}

// enter skips white space and then c, reporting whether c was there. At the end
// of the input it claims to have met it, so that every loop ends.
func (s *scanner) enter(c byte) bool {
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

// next returns the next whole value and steps over it.
func (s *scanner) next() []byte {
	s.rest = bytes.TrimLeft(s.rest, " \t\r\n")
	n := valueLen(s.rest)
	value := s.rest[:n]
	s.rest = s.rest[n:]
	return value
}

// valueLen is the length of the JSON value that b begins with.
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

// stringLen is the length of the quoted string that b begins with, quotes included.
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
