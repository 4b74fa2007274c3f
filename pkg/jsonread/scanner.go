package jsonread

import (
	"iter"
	"unicode/utf8"
)

// Scanner reads one JSON value from its start to its end and checks all of it, as json.Valid does. Values that the caller does not read
// are skipped.
//
//	s := jsonread.Scan(body)
//	for name := range s.Members() {
//		switch string(name) {
//		case "id":
//			id = s.Raw()
//		}
//	}
//	valid := s.Complete()
type Scanner struct {
	data   []byte
	text   string // a copy of data, or ""
	at     int
	depth  int
	failed bool
}

// Scan returns a scanner at the start of data.
func Scan(data []byte) Scanner { return Scanner{data: data} }

// Complete reports whether all of the data is a valid value, which was read, and Fail was not called.
func (s *Scanner) Complete() bool {
	s.space()
	return !s.failed && s.at == len(s.data)
}

// Fail ends the scan, for a caller that found something it can't handle.
func (s *Scanner) Fail() {
	s.failed = true
	s.at = len(s.data)
}

// Kind returns the first byte of the next value, such as '{' or '"', and 0 at the end.
func (s *Scanner) Kind() byte {
	s.space()
	if s.at == len(s.data) {
		return 0
	}
	return s.data[s.at]
}

// Raw reads a value and returns its bytes.
func (s *Scanner) Raw() []byte {
	s.space()
	from := s.at
	s.at = s.skip(from, s.depth)
	if s.at < 0 {
		s.Fail()
		return nil
	}
	return s.data[from:s.at]
}

// Members reads an object and returns the names of its members in turn. Each value is read inside the loop. The scan fails if the value
// is not an object, or if the loop is left early.
func (s *Scanner) Members() iter.Seq[[]byte] {
	return func(yield func(name []byte) bool) {
		s.begin('{')
		defer s.end()
		for more := !s.failed && !s.take('}'); more; more = s.more('}') {
			name := s.name()
			from := s.at
			if s.failed || !s.value(yield(name), from) {
				return
			}
		}
	}
}

// Elements reads an array, and returns the index of each element in turn. Otherwise it is like Members.
func (s *Scanner) Elements() iter.Seq[int] {
	return func(yield func(i int) bool) {
		s.begin('[')
		defer s.end()
		i := 0
		for more := !s.failed && !s.take(']'); more; more = s.more(']') {
			s.space()
			from := s.at
			if !s.value(yield(i), from) {
				return
			}
			i++
		}
	}
}

// null reads null, if it is the next value.
func (s *Scanner) null() bool {
	if s.Kind() != 'n' {
		return false
	}
	s.Raw()
	return true
}

func (s *Scanner) begin(opening byte) {
	if s.depth++; s.depth > maxDepth || !s.take(opening) {
		s.Fail()
	}
}

func (s *Scanner) end() { s.depth-- }

// value skips a value that begins at from, unless the caller has read it. It returns false if there is nothing more to read.
func (s *Scanner) value(wanted bool, from int) bool {
	if !wanted {
		s.Fail()
	}
	if !s.failed && s.at == from {
		s.Raw()
	}
	return !s.failed
}

// name reads the name of a member, up to its value.
func (s *Scanner) name() (name []byte) {
	s.space()
	quoted := s.at
	end, escaped := s.skipString(quoted)
	if end < 0 {
		s.Fail()
		return nil
	}
	s.at = end
	if name = s.data[quoted+1 : end-1]; escaped || !utf8.Valid(name) {
		name = []byte(unquote(s.data[quoted:end]))
	}
	if !s.take(':') {
		s.Fail()
	}
	s.space()
	return name
}

// more reads a comma, or the end of an object or an array.
func (s *Scanner) more(end byte) bool {
	if s.take(',') {
		return true
	}
	if !s.take(end) {
		s.Fail()
	}
	return false
}

// take reads a byte if it is the next one after white space.
func (s *Scanner) take(c byte) bool {
	if s.Kind() != c || s.at == len(s.data) {
		return false
	}
	s.at++
	return true
}

func (s *Scanner) space() {
	for s.at < len(s.data) && isSpace(s.data[s.at]) {
		s.at++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
