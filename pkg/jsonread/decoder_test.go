package jsonread_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/jsonread"
)

// shape has a field of each kind.
type shape struct {
	inner                       // embedded, unexported
	Text     string             `json:"text,omitempty"`
	N        int                `json:"n"`
	Small    int8               `json:"small"`
	On       bool               `json:"on"`
	At       time.Time          `json:"at,omitzero"`
	Loose    loose              `json:"loose"`
	LooseTo  *loose             `json:"loose_to"`
	Raw      json.RawMessage    `json:"raw"`
	Number   json.Number        `json:"number"`
	Float    float64            `json:"float"`
	Any      any                `json:"any"`
	Bytes    []byte             `json:"bytes"`
	Array    [2]int             `json:"array"`
	To       *string            `json:"to"`
	Deep     **shape            `json:"deep"`
	Struct   inner              `json:"struct"`
	Names    []string           `json:"names"`
	Shapes   []shape            `json:"shapes"`
	Times    map[name]time.Time `json:"times"`
	Structs  map[string]inner   `json:"structs"`
	Lists    map[string][]*int  `json:"lists"`
	Lower    map[lower]int      `json:"lower"`
	Numbered map[int]string     `json:"numbered"`
	Quoted   struct {
		N int `json:"n,string"`
	} `json:"quoted"`
	Untagged struct{ Name string } `json:"untagged"`
	Mixed    struct {
		A int `json:"anInt"`
	} `json:"mixed"`
	Same struct {
		inner
		ID int `json:"id"`
	} `json:"same"`
	Lowered lower  `json:"lowered"`
	Hidden  string `json:"-"`
}

type inner struct {
	ID string `json:"id"`
	K  int    `json:"k"`
}

type name string

// loose is what it gets, in its own words; it takes no object.
type loose struct{ text string }

func (l *loose) UnmarshalJSON(raw []byte) error {
	if raw[0] == '{' {
		return errors.New("an object")
	}
	l.text += "<" + string(raw) + ">"
	return nil
}

// lower is a text in lower case.
type lower string

func (l *lower) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("empty")
	}
	*l = lower(strings.ToLower(string(text)))
	return nil
}

// odd are members that are not read as they are: most are left to encoding/json.
func odd() []string {
	return []string{
		`"text":"a","text":"b"`, `"Text":"a"`, `"text":"a","TEXT":null`, "\"\u212a\":1", `"\u006b":1`, `"id":"a","ID":"b"`, `"text":1`, `"text":null`,
		`"text":"\ud83d\ude00 \ud83d"`, "\"text\":\"\xff\u2028<&>\"", `"n":1.0`, `"n":1e2`, `"n":-0`, `"n":"1"`, `"n":9223372036854775807`, `"n":9223372036854775808`, `"n":null`,
		`"small":127`, `"small":128`, `"small":-129`, `"on":1`, `"on":null`, `"on":"true"`, `"on":false`, `"at":null`, `"at":"2026-02-30T00:00:00Z"`, `"at":1`,
		`"loose":null`, `"loose_to":null`, `"loose": [ 1 , {} ] `, `"loose":{}`, `"loose_to":"a"`, `"loose":1,"loose":2`, `"raw": {"a": 1} `, `"raw":null`,
		`"number":1e400`, `"number":"1"`, `"number":"x"`, `"float":1e400`, `"any":{"a":[1,null]}`, `"bytes":"AQI="`, `"bytes":[1]`, `"array":[1,2,3]`, `"array":[1]`,
		`"to":null`, `"to":"a","to":null`, `"deep":{"deep":null,"n":1}`, `"deep":null`, `"struct":null`, `"struct":[]`, `"struct":{"id":"a"},"struct":{"k":1}`,
		`"names":null`, `"names":[]`, `"names":["a",null,"c"]`, `"names":["a","b"],"names":["c"]`, `"names":{}`, `"shapes":[{"n":1},null,{"shapes":[{}]}]`, `"shapes":[{"N":1}]`,
		`"times":{"a":"2026-03-01T10:00:00.5+02:00","b":null}`, `"times":null`, `"times":{}`, `"times":{"a":null,"a":"2026-03-01T10:00:00Z"}`, `"structs":{"a":{"id":"1"},"a":{"k":2}}`,
		`"lists":{"a":[1,null],"b":null,"` + "\xff" + `":[]}`, `"lower":{"A":1}`, `"lower":{"":1}`, `"numbered":{"1":"a"}`, `"numbered":{"x":"a"}`, `"quoted":{"n":"7"}`, `"quoted":{"n":7}`,
		`"untagged":{"name":"a"}`, `"mixed":{"anint":1}`, `"mixed":{"anInt":1}`, `"same":{"id":1,"k":1}`, `"same":{"id":"a"}`, `"lowered":"ABC"`, `"lowered":""`, `"Hidden":"a","hidden":"b"`,
		`"unknown":{"n":[1,{"Text":"\u0000"}]},"other":"` + "\xff" + `"`, `"text":"a",`, `"text"`, `"at":"2026-03-01T10:00:00Z"}`, `"n":01`, `"names":["a",]`, `"structs":{"a":nul}`,
	}
}

// A Decoder decodes as json.Unmarshal does.
func checkDecoder(t require.TestingT, decoder *jsonread.Decoder[shape], raw []byte) {
	var want shape
	got := shape{Text: "of the value before", Names: []string{"x"}}
	wantErr := json.Unmarshal(raw, &want)
	err := decoder.Decode(raw, &got)
	require.Equal(t, wantErr, err, "%q", raw)
	if err == nil {
		require.Equal(t, want, got, "%q", raw)
	}
}

func TestDecoder(t *testing.T) {
	decoder := jsonread.NewDecoder[shape]()
	for _, document := range documents() {
		checkDecoder(t, decoder, []byte(document))
	}
	for _, members := range odd() {
		checkDecoder(t, decoder, []byte("{"+members+"}"))
		checkDecoder(t, decoder, []byte(` { "k":7, `+members+` , "names": [ "é" ] } `))
	}
}

func FuzzDecoder(f *testing.F) {
	for _, members := range odd() {
		f.Add([]byte("{" + members + "}"))
	}
	f.Add([]byte("{" + strings.Join(odd()[len(odd())-20:], ",") + "}"))
	decoder := jsonread.NewDecoder[shape]()
	f.Fuzz(func(t *testing.T, raw []byte) { checkDecoder(t, decoder, raw) })
}

// Types that are no structs are decoded, too.
func TestDecoderOfOtherTypes(t *testing.T) {
	var list []inner
	require.NoError(t, jsonread.NewDecoder[[]inner]().Decode([]byte(`[{"id":"a"},{}]`), &list))
	assert.Equal(t, []inner{{ID: "a"}, {}}, list)
	var text loose
	require.NoError(t, jsonread.NewDecoder[loose]().Decode([]byte(` 1 `), &text))
	assert.Equal(t, loose{"<1>"}, text)
	var number *int
	require.NoError(t, jsonread.NewDecoder[*int]().Decode([]byte(`1`), &number))
	assert.Equal(t, 1, *number)
}

// usual has no kind of field that is left to encoding/json.
type usual struct {
	ID    string               `json:"id"`
	N     int                  `json:"n"`
	Items []inner              `json:"items"`
	Times map[string]time.Time `json:"times"`
	Inner *inner               `json:"inner"`
}

func BenchmarkDecoder(b *testing.B) {
	document := []byte(`{"id":"71","n":3,"items":[` + strings.Repeat(`{"id":"house blend","k":2,"unknown":{"a":[1,2,3]}},`, 10) + `{}],` +
		`"times":{"created":"2026-03-01T10:00:00Z","paused":"2026-03-02T10:00:00Z"},"inner":{"id":"7"}}`)
	decoder := jsonread.NewDecoder[usual]()
	for name, decode := range map[string]func(*usual) error{
		"decoder":       func(to *usual) error { return decoder.Decode(document, to) },
		"encoding/json": func(to *usual) error { return json.Unmarshal(document, to) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(document)))
			for b.Loop() {
				var to usual
				require.NoError(b, decode(&to))
			}
		})
	}
}
