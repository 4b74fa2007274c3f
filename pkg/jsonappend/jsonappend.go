// Package jsonappend appends JSON to a buffer, member by member. The result is that of encoding/json without HTML escaping, but
// nothing is reflected on or copied.
package jsonappend

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Writer appends a JSON object to a buffer. Names are written as they are, see Name. The methods that begin with Opt leave a member out
// that has the zero value, as the options omitempty and omitzero do.
type Writer struct {
	buf   []byte
	start int
	err   error
}

// To returns a Writer that appends to b.
func To(b []byte) *Writer { return &Writer{buf: b, start: len(b)} }

// Bytes returns the buffer with the object. The error is that of a value which JSON can't represent.
func (w *Writer) Bytes() ([]byte, error) { return w.buf, w.err }

// Begin begins an object that has no name: the whole one, or one in a list.
func (w *Writer) Begin() {
	w.comma()
	w.buf = append(w.buf, '{')
}

// BeginMember begins an object.
func (w *Writer) BeginMember(name string) { w.buf = append(w.name(name), '{') }

// End ends an object.
func (w *Writer) End() { w.buf = append(w.buf, '}') }

// BeginList begins a list.
func (w *Writer) BeginList(name string) { w.buf = append(w.name(name), '[') }

// EndList ends a list.
func (w *Writer) EndList() { w.buf = append(w.buf, ']') }

// Null appends a member without a value.
func (w *Writer) Null(name string) { w.buf = append(w.name(name), "null"...) }

// Strings appends a list of strings.
func (w *Writer) Strings(name string, values []string) {
	w.BeginList(name)
	for _, value := range values {
		w.comma()
		w.buf = AppendString(w.buf, value)
	}
	w.EndList()
}

// String appends a string.
func (w *Writer) String(name, value string) { w.buf = AppendString(w.name(name), value) }

// Binary appends bytes in base64, as encoding/json does.
func (w *Writer) Binary(name string, value []byte) {
	w.buf = append(base64.StdEncoding.AppendEncode(append(w.name(name), '"'), value), '"')
}

// OptString appends a string that is not empty.
func (w *Writer) OptString(name, value string) {
	if value != "" {
		w.String(name, value)
	}
}

// Int appends an integer.
func (w *Writer) Int(name string, value int) {
	w.buf = strconv.AppendInt(w.name(name), int64(value), 10)
}

// OptInt appends an integer that is not zero.
func (w *Writer) OptInt(name string, value int) {
	if value != 0 {
		w.Int(name, value)
	}
}

// Bool appends a boolean.
func (w *Writer) Bool(name string, value bool) { w.buf = strconv.AppendBool(w.name(name), value) }

// OptBool appends a boolean that is true.
func (w *Writer) OptBool(name string, value bool) {
	if value {
		w.Bool(name, value)
	}
}

// Time appends a time in RFC 3339, whose year must have four digits.
func (w *Writer) Time(name string, value time.Time) {
	text, err := value.AppendText(append(w.name(name), '"'))
	if err != nil {
		w.err = err
		return
	}
	w.buf = append(text, '"')
}

// OptTimes appends an object of times, in the order of their names, unless there are none.
func OptTimes[K ~string](w *Writer, name string, times map[K]time.Time) {
	if len(times) == 0 {
		return
	}
	w.BeginMember(name)
	for _, key := range slices.Sorted(maps.Keys(times)) {
		w.Time(Name(string(key)), times[key])
	}
	w.End()
}

// OptTime appends a time that is not zero.
func (w *Writer) OptTime(name string, value time.Time) {
	if !value.IsZero() {
		w.Time(name, value)
	}
}

func (w *Writer) name(name string) []byte {
	w.comma()
	w.buf = append(append(w.buf, '"'), name...)
	return append(w.buf, '"', ':')
}

// comma separates members of an object, and elements of a list.
func (w *Writer) comma() {
	if last := len(w.buf) - 1; last >= w.start && w.buf[last] != '{' && w.buf[last] != '[' {
		w.buf = append(w.buf, ',')
	}
}

// Name returns a text as the name of a member. Only constant names without special characters may be used as they are.
func Name(text string) string {
	if isPlain(text) {
		return text
	}
	quoted := AppendString(nil, text)
	return string(quoted[1 : len(quoted)-1])
}

// AppendString appends a string in quotes.
func AppendString(b []byte, value string) []byte {
	if isPlain(value) {
		return appendQuoted(b, value)
	}
	var escaped bytes.Buffer
	encoder := json.NewEncoder(&escaped)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // a string is always encoded
	return append(b, bytes.TrimSuffix(escaped.Bytes(), []byte("\n"))...)
}

// AppendHTMLString appends a string in quotes, with <, > and & escaped, as json.Marshal does.
func AppendHTMLString(b []byte, value string) []byte {
	if isPlain(value) && !strings.ContainsAny(value, "<>&") {
		return appendQuoted(b, value)
	}
	encoded, _ := json.Marshal(value) // a string is always encoded
	return append(b, encoded...)
}

func appendQuoted(b []byte, value string) []byte {
	return append(append(append(b, '"'), value...), '"')
}

// isPlain reports whether a string needs no escapes: those of JSON, and those of invalid UTF-8 and of the line separators U+2028
// and U+2029.
func isPlain(value string) bool {
	ascii := true
	for i := range len(value) {
		switch c := value[i]; {
		case c < ' ', c == '"', c == '\\':
			return false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return ascii || utf8.ValidString(value) && !strings.ContainsAny(value, "\u2028\u2029")
}
