package jsonread

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// Decoder decodes values of type T. It reads the json tags of T once, then checks and decodes each value in one pass. A field whose type
// has an UnmarshalJSON gets its value by that.
//
// The results and the errors are those of json.Unmarshal, which decodes again whatever is odd: a value with an error, with a name in
// another case than that of the tag, or with a repeated name. So UnmarshalJSON may be called twice. The decoded strings share one copy
// of the JSON.
type Decoder[T any] struct{ plan *plan }

// NewDecoder returns a Decoder. It may be used by several goroutines at once.
func NewDecoder[T any]() *Decoder[T] {
	return &Decoder[T]{plans{}.of(reflect.TypeFor[T]())}
}

// Decode sets a value to what the JSON has. Members that the JSON lacks become zero. After an error the value is undefined.
func (d *Decoder[T]) Decode(data []byte, to *T) error {
	*to = *new(T)
	s := Scan(data)
	d.plan.read(&s, reflect.ValueOf(to).Elem())
	if s.Complete() {
		return nil
	}
	*to = *new(T)
	return json.Unmarshal(data, to)
}

// plan is how values of a type are read. read sets a zero value to the next value of a scanner, or fails the scan.
type plan struct {
	read func(s *Scanner, v reflect.Value)
}

// readAny leaves a value to json.Unmarshal.
func readAny(s *Scanner, v reflect.Value) {
	if json.Unmarshal(s.Raw(), v.Addr().Interface()) != nil {
		s.Fail()
	}
}

func readByMethod(s *Scanner, v reflect.Value) {
	raw := s.Raw()
	if raw == nil || v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(raw) != nil {
		s.Fail()
	}
}

func readString(s *Scanner, v reflect.Value) {
	if s.null() {
		return
	}
	raw := s.Raw()
	if raw == nil || raw[0] != '"' {
		s.Fail()
		return
	}
	if !isPlain(raw) {
		v.SetString(unquote(raw))
		return
	}
	if s.text == "" {
		s.text = string(s.data)
	}
	v.SetString(s.text[s.at-len(raw)+1 : s.at-1])
}

func readBool(s *Scanner, v reflect.Value) {
	if s.null() {
		return
	}
	switch string(s.Raw()) {
	case "true":
		v.SetBool(true)
	case "false":
	default:
		s.Fail()
	}
}

func readInt(s *Scanner, v reflect.Value) {
	if s.null() {
		return
	}
	n, err := strconv.ParseInt(string(s.Raw()), 10, 64)
	if err != nil || v.OverflowInt(n) {
		s.Fail()
		return
	}
	v.SetInt(n)
}

// unquote returns the text of a valid string.
func unquote(raw []byte) string {
	if isPlain(raw) {
		return string(raw[1 : len(raw)-1])
	}
	var text string
	_ = json.Unmarshal(raw, &text) // what is not UTF-8 becomes U+FFFD
	return text
}

// isPlain reports whether a valid string in quotes has no escapes, and is UTF-8.
func isPlain(raw []byte) bool { return bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) }

func (p *plan) readPointer(s *Scanner, v reflect.Value) {
	if s.null() {
		return
	}
	to := reflect.New(v.Type().Elem())
	p.read(s, to.Elem())
	v.Set(to)
}

func (p *plan) readSlice(s *Scanner, v reflect.Value) {
	if s.null() {
		return
	}
	for i := range s.Elements() {
		if i == v.Cap() {
			v.Grow(1)
		}
		v.SetLen(i + 1)
		p.read(s, v.Index(i))
	}
	if v.IsNil() {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	}
}

func (p *plan) readMap(s *Scanner, v reflect.Value) {
	if s.null() {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	key, member := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
	for name := range s.Members() {
		key.SetString(string(name))
		member.SetZero()
		p.read(s, member)
		v.SetMapIndex(key, member)
	}
}

// fields are the fields of a struct by the names of their members.
type fields map[string]field

type field struct {
	*plan
	index []int // of the field, after those of the structs that embed it
	bit   uint64
}

func (f fields) read(s *Scanner, v reflect.Value) {
	if s.null() {
		return
	}
	var seen uint64
	for name := range s.Members() {
		switch field, ok := f[string(name)]; {
		case ok && seen&field.bit == 0:
			seen |= field.bit
			field.read(s, field.of(v))
		case ok || !isCaseless(name):
			s.Fail()
		}
	}
}

func (f field) of(v reflect.Value) reflect.Value {
	for _, i := range f.index {
		v = v.Field(i)
	}
	return v
}

// isCaseless reports whether a name matches no other name in lower case if case is ignored, as encoding/json does.
func isCaseless(name []byte) bool {
	for _, c := range name {
		if c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
