package jsonread_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/jsonread"
)

// documents are valid and invalid.
func documents() []string {
	return []string{
		`{}`, `[]`, `""`, `0`, `-0`, `-1.5e+10`, `1E5`, `true`, `false`, `null`, ` {"a" : [ 1 , {"b":null} ] } `, "\t[\r\n]\n",
		`{"a":1,"a":2}`, `{"\u0061":1,"":{"":""}}`, `"\"\\\/\b\f\n\r\t\uABcd"`, `"ä😀` + "\xff\u2028" + `"`, `[[[[]]],[{}]]`,
		`"twelve bytes and more, with no escapes"`, `"\\"`, `["\\","\""]`,
		``, ` `, `{`, `}`, `[`, `]`, `{]`, `[}`, `"`, `"\`, `"\u00`, `"\u00g0"`, `"\x"`, "\"\n\"", "\"a\x00\"", "\"a long text with a tab\tin it\"", `tru`, `nul`, `truee`, `-`, `+1`,
		`01`, `1.`, `.5`, `1e`, `1e+`, `--1`, `0x1`, `NaN`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{a:1}`, `{'a':1}`, `{"a":1 "b":2}`, `{"a" 1}`,
		`[1,]`, `[,]`, `[1 2]`, `{} {}`, `{}x`, `1 1`, `"a""b"`, `[1}`, `{"a":1]`, `{1:2}`, `{"a":{"b":[}}`, "\ufeff{}", `/**/{}`,
		nested("[", "", "]", 10000), nested("[", "", "]", 10001), nested(`{"a":`, "[]", "}", 9999), nested(`{"a":`, "[]", "}", 10000), nested("[", "", "", 20000),
	}
}

func nested(opening, inside, closing string, depth int) string {
	return strings.Repeat(opening, depth) + inside + strings.Repeat(closing, depth)
}

// scan reads a value with all methods of Scanner, and returns what it found.
func scan(s *jsonread.Scanner, depth int) any {
	if depth > 100 {
		return json.RawMessage(s.Raw())
	}
	switch s.Kind() {
	case '{':
		object := map[string]any{}
		for name := range s.Members() {
			key := string(name)
			if key == "skipped" {
				object[key] = nil
				continue
			}
			object[key] = scan(s, depth+1)
		}
		return object
	case '[':
		list := []any{}
		for i := range s.Elements() {
			if i != len(list) {
				return "wrong index"
			}
			list = append(list, scan(s, depth+1))
		}
		return list
	}
	return json.RawMessage(s.Raw())
}

// decoded is the same by encoding/json.
func decoded(t require.TestingT, raw []byte, depth int) any {
	if depth > 100 {
		return json.RawMessage(raw)
	}
	switch raw[0] {
	case '{':
		var members map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(raw, &members))
		object := map[string]any{}
		for name, value := range members {
			object[name] = nil
			if name != "skipped" {
				object[name] = decoded(t, value, depth+1)
			}
		}
		return object
	case '[':
		var elements []json.RawMessage
		require.NoError(t, json.Unmarshal(raw, &elements))
		list := []any{}
		for _, element := range elements {
			list = append(list, decoded(t, element, depth+1))
		}
		return list
	}
	return json.RawMessage(raw)
}

// A scanner accepts what json.Valid accepts, and finds what json.Unmarshal finds.
func checkScanner(t require.TestingT, raw []byte) {
	whole := jsonread.Scan(raw)
	whole.Raw()
	require.Equal(t, json.Valid(raw), whole.Complete(), "%.100q", raw)

	s := jsonread.Scan(raw)
	found := scan(&s, 0)
	require.Equal(t, json.Valid(raw), s.Complete(), "%.100q", raw)
	if s.Complete() {
		require.Equal(t, decoded(t, []byte(strings.TrimSpace(string(raw))), 0), found)
	}
}

func TestScanner(t *testing.T) {
	for _, document := range documents() {
		checkScanner(t, []byte(document))
	}
	for length := range 20 { // a special byte at any position
		for _, special := range []string{`"`, `\"`, `\`, "\x1f", "\x7f", "\x80"} {
			checkScanner(t, []byte(`["`+strings.Repeat("x", length)+special+`"]`))
		}
	}
}

func FuzzScanner(f *testing.F) {
	for _, document := range documents() {
		f.Add([]byte(document))
	}
	f.Add([]byte(`{"skipped":{"a":[1]},"b":2,"skipped":3}`))
	f.Add([]byte("{\"not UTF-8: \xdc\":{}}"))
	f.Fuzz(func(t *testing.T, raw []byte) { checkScanner(t, raw) })
}

func TestScannerStops(t *testing.T) {
	s := jsonread.Scan([]byte(`{"a":1,"b":2}`))
	for range s.Members() {
		break
	}
	assert.False(t, s.Complete(), "left early")

	s = jsonread.Scan([]byte(`{"a":{"b":2}}`))
	for range s.Members() {
		for range s.Elements() {
			assert.Fail(t, "not an array")
		}
	}
	assert.False(t, s.Complete())

	s = jsonread.Scan([]byte(`{"a":1,"b":2}`))
	names := 0
	for range s.Members() {
		names++
		s.Fail()
	}
	assert.Equal(t, 1, names)
	assert.False(t, s.Complete())
	assert.Zero(t, s.Kind())
}

func BenchmarkSkip(b *testing.B) {
	var items []string
	for i := range 30 {
		items = append(items, fmt.Sprintf(`{"id":%d,"product_title":"House Blend","properties":[{"name":"grind","value":"whole"}],"price":"49.00","sku":null}`, i))
	}
	document := []byte(`{"charge":{"id":1,"line_items":[` + strings.Join(items, ",") + `]}}`)
	b.Run("scanner", func(b *testing.B) {
		b.SetBytes(int64(len(document)))
		for b.Loop() {
			s := jsonread.Scan(document)
			s.Raw()
			require.True(b, s.Complete())
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.SetBytes(int64(len(document)))
		for b.Loop() {
			require.True(b, json.Valid(document))
		}
	})
}
