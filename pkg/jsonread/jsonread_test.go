package jsonread_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

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

// shape has a field of each kind.
type shape struct {
	ID      string    `json:"id"`
	Note    string    `json:"note,omitempty"`
	N       int       `json:"n,omitempty"`
	On      bool      `json:"on"`
	At      time.Time `json:"at,omitzero"`
	Inner   *inner    `json:"inner,omitempty"`
	Names   []string  `json:"names,omitempty"`
	Objects []inner   `json:"objects"`
}

type inner struct {
	ID string `json:"id,omitempty"`
	N  int    `json:"n,omitempty"`
}

func (i *inner) read(f *jsonread.Fields) {
	f.String("id", &i.ID)
	f.Int("n", &i.N)
	f.End()
}

func (s *shape) read(encoded []byte) bool {
	f := jsonread.Read(encoded)
	f.Begin()
	f.String("id", &s.ID)
	f.String("note", &s.Note)
	f.Int("n", &s.N)
	f.Bool("on", &s.On)
	f.Time("at", &s.At)
	if f.Object("inner") {
		s.Inner = &inner{}
		s.Inner.read(&f)
	}
	if f.Array("names") {
		for s.Names = []string{}; f.More(); {
			s.Names = append(s.Names, f.Element())
		}
	}
	if f.Array("objects") {
		for s.Objects = []inner{}; f.More(); {
			var one inner
			f.Begin()
			one.read(&f)
			s.Objects = append(s.Objects, one)
		}
	}
	f.End()
	return f.Complete()
}

func TestFields(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 123456000, time.UTC)
	for _, s := range []shape{
		{},
		{Objects: []inner{}},
		{ID: "1", Note: "ä \"quoted\" <&> \u2028 \\ 😀\n", N: -7, On: true, At: at, Inner: &inner{ID: "i"}, Names: []string{"", "a,b", "]"}, Objects: []inner{{}, {N: 2}}},
		{ID: strings.Repeat("x", 100), Inner: &inner{}, Objects: []inner{{ID: "}"}}},
	} {
		encoded, err := json.Marshal(s)
		require.NoError(t, err)
		var got shape
		assert.Equal(t, s.Objects != nil, got.read(encoded), "%s", encoded) // null is odd
		if s.Objects != nil {
			assert.Equal(t, s, got)
		}
	}
}

// Fields reads a struct as json.Unmarshal does, or finds it odd.
func FuzzFields(f *testing.F) {
	for _, seed := range []string{
		`{"id":"1","note":"\u00e4\n","n":3,"on":true,"at":"2026-03-01T10:00:00.5Z","inner":{"id":"i","n":1},"names":["a",""],"objects":[{},{"n":2}]}`,
		`{"id":"1","on":false,"objects":[]}`, `{"id":"1","id":"2","on":true}`, `{"ID":"1"}`, `{"on":true,"id":"1"}`, `{"id":"1",}`, `{"id":1}`, `{"id":null}`,
		`{"id":"` + "\xff" + `"}`, `{"id":"\ud800"}`, `{"id":"\"}`, `{"n":1.0}`, `{"n":1e2}`, `{"n":-0}`, `{"n":99999999999999999999}`, `{"n":01}`, `{"at":"2026-03-01"}`,
		`{"names":["a",],"objects":[]}`, `{"names":[,"a"]}`, `{"objects":[{"id":"a"},]}`, `{"objects":[{"id":"a",}]}`, `{"objects":[{}{}]}`, `{"objects":null}`, `{"inner":{}`, `{"on":tru}`,
		`{"id":"1"}x`, `{"id":"1"} `, `[]`, ``, `{`, `{"id"`, `{"id":`, `{"id":"`, `{"id":"1"},`, `{"inner":[]}`, `{"names":{}}`, `{"n":1]`, `{"objects":[:"a"},]}`, `{"names":[{}]}`, `{"id":"a` + "\n" + `"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got, want shape
		if !got.read(raw) {
			return
		}
		require.NoError(t, json.Unmarshal(raw, &want), "%s", raw)
		require.Equal(t, want, got, "%s", raw)
	})
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
