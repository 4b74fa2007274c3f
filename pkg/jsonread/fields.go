package jsonread

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Fields reads what encoding/json has written of a struct: without white space, and with the fields in the order of the struct. Fields
// that were omitted are left as they are. Any other JSON is odd, such as an unknown field or one that comes twice.
//
//	f := jsonread.Read(encoded)
//	f.Begin()
//	f.String("id", &e.ID)
//	f.Time("occurred_at", &e.OccurredAt)
//	f.End()
//	if !f.Complete() {
//		e = Event{}
//		err = json.Unmarshal(encoded, &e)
//	}
type Fields struct {
	rest string
	last byte // read: the beginning of an object or an array, a comma, or 0 for the end of a value
	odd  bool
}

// Read returns a reader of an encoded struct. Strings share the memory of one copy of it.
func Read(encoded []byte) Fields { return Fields{rest: string(encoded)} }

// Complete reports whether all was read and nothing was odd.
func (f *Fields) Complete() bool { return !f.odd && f.rest == "" && f.last == 0 }

func (f *Fields) setOdd() {
	f.odd = true
	f.rest = ""
}

// Begin begins an object that is not a field: the outermost, or an element.
func (f *Fields) Begin() { f.begin('{') }

func (f *Fields) begin(opening byte) {
	if !f.take(opening) {
		f.setOdd()
	}
}

// End ends an object.
func (f *Fields) End() { f.end('}') }

func (f *Fields) end(closing byte) {
	if f.last == ',' || !f.take(closing) {
		f.setOdd()
		return
	}
	f.next()
}

// next reads the comma behind a value, if there is one.
func (f *Fields) next() {
	if !f.take(',') {
		f.last = 0
	}
}

func (f *Fields) take(c byte) bool {
	if f.rest == "" || f.rest[0] != c {
		return false
	}
	f.rest, f.last = f.rest[1:], c
	return true
}

// field reads the name of a field, if it is the next one.
func (f *Fields) field(name string) bool {
	n := len(name)
	if f.last == 0 || len(f.rest) < n+len(`"":`) || f.rest[0] != '"' || f.rest[1:n+1] != name || f.rest[n+1] != '"' || f.rest[n+2] != ':' {
		return false
	}
	f.rest = f.rest[n+3:]
	return true
}

// Object begins an object. It returns false if the field is omitted.
func (f *Fields) Object(name string) bool {
	if !f.field(name) {
		return false
	}
	f.begin('{')
	return !f.odd
}

// Array begins an array. It returns false if the field is omitted.
func (f *Fields) Array(name string) bool {
	if !f.field(name) {
		return false
	}
	f.begin('[')
	return !f.odd
}

// More reports whether an array has another element. If not, it ends the array.
func (f *Fields) More() bool {
	if f.odd {
		return false
	}
	if f.last != 0 && f.rest != "" && f.rest[0] != ']' {
		return true
	}
	f.end(']')
	return false
}

// String reads a string.
func (f *Fields) String(name string, to *string) {
	if f.field(name) {
		*to = f.Element()
	}
}

// Element reads an element of an array that is a string.
func (f *Fields) Element() string {
	if !f.take('"') {
		f.setOdd()
		return ""
	}
	n := plainPrefix(f.rest)
	if n == len(f.rest) || f.rest[n] != '"' {
		return f.escaped(n)
	}
	text := f.rest[:n]
	if !utf8.ValidString(text) { // encoding/json replaces what is not
		f.setOdd()
		return ""
	}
	f.rest = f.rest[n+1:]
	f.next()
	return text
}

// escaped reads a string whose first special byte is at n.
func (f *Fields) escaped(n int) (text string) {
	for n < len(f.rest) && f.rest[n] == '\\' {
		n = min(n+len(`\n`), len(f.rest))
		n += plainPrefix(f.rest[n:])
	}
	if n == len(f.rest) || json.Unmarshal([]byte(`"`+f.rest[:n+1]), &text) != nil {
		f.setOdd()
		return ""
	}
	f.rest = f.rest[n+1:]
	f.next()
	return text
}

// Int reads an integer.
func (f *Fields) Int(name string, to *int) {
	if !f.field(name) {
		return
	}
	digits := f.literal()
	n, err := strconv.Atoi(digits)
	if err != nil || strconv.Itoa(n) != digits {
		f.setOdd()
		return
	}
	*to = n
}

// Bool reads true or false.
func (f *Fields) Bool(name string, to *bool) {
	if !f.field(name) {
		return
	}
	switch f.literal() {
	case "true":
		*to = true
	case "false":
		*to = false
	default:
		f.setOdd()
	}
}

// literal reads a value that is not a string, an object or an array.
func (f *Fields) literal() string {
	n := strings.IndexAny(f.rest, ",}]")
	if n < 0 {
		f.setOdd()
		return ""
	}
	text := f.rest[:n]
	f.rest = f.rest[n:]
	f.next()
	return text
}

// Time reads a time.
func (f *Fields) Time(name string, to *time.Time) {
	if !f.field(name) {
		return
	}
	text := f.Element()
	if f.odd {
		return
	}
	if err := to.UnmarshalText([]byte(text)); err != nil {
		f.setOdd()
	}
}
