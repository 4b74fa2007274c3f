package jsonappend_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/jsonappend"
)

// A string is written as encoding/json writes it.
func FuzzString(f *testing.F) {
	for _, seed := range []string{
		"", "House Blend", "<b>&amp;</b>", `say "hi"\`, "tab\tnewline\n\r\b\f\x00\x1f\x7f", "Café 北京 🚲", "\u2028\u2029\u2027\u202a",
		"\xff", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\ufffd",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		require.NoError(t, encoder.Encode(text))
		assert.Equal(t, want.String(), string(jsonappend.AppendString(nil, text))+"\n")
		escaped, err := json.Marshal(text)
		require.NoError(t, err)
		assert.Equal(t, string(escaped), string(jsonappend.AppendHTMLString(nil, text)))
		assert.Equal(t, strings.TrimSuffix(want.String(), "\n"), `"`+jsonappend.Name(text)+`"`)
	})
}

// Members are separated by commas, whatever is in the buffer before. Those that are zero are left out where they may be.
func TestWriter(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 5000, time.UTC)
	w := jsonappend.To([]byte(`{"x":`))
	w.Begin()
	w.OptString("a", "")
	w.OptInt("a", 0)
	w.OptBool("a", false)
	w.OptTime("a", time.Time{})
	w.BeginMember("b")
	w.End()
	w.String("c", "")
	w.OptString("d", "{")
	w.Int("e", 0)
	w.OptInt("f", -7)
	w.BeginList("g")
	w.EndList()
	w.BeginList("h")
	for n := range 2 {
		w.Begin()
		w.Int("n", n)
		w.End()
	}
	w.EndList()
	w.Bool("i", false)
	w.OptBool("j", true)
	w.Null("k")
	w.Time("l", time.Time{})
	w.OptTime("m", at)
	jsonappend.OptTimes(w, "n", map[string]time.Time{})
	jsonappend.OptTimes(w, "n", map[string]time.Time{"z": at, "\"": {}})
	w.Binary("n", []byte{1, 255})
	w.Strings("n", nil)
	w.Strings("o", []string{"[", "\n"})
	w.End()
	b, err := w.Bytes()
	require.NoError(t, err)
	assert.Equal(t, strings.Join([]string{
		`{"x":{"b":{}`, `"c":""`, `"d":"{"`, `"e":0`, `"f":-7`, `"g":[]`, `"h":[{"n":0}`, `{"n":1}]`, `"i":false`, `"j":true`, `"k":null`,
		`"l":"0001-01-01T00:00:00Z"`, `"m":"2026-03-01T10:00:00.000005Z"`, `"n":{"\"":"0001-01-01T00:00:00Z"`, `"z":"2026-03-01T10:00:00.000005Z"}`, `"n":"Af8="`, `"n":[]`, `"o":["["`, `"\n"]}`,
	}, ","), string(b))
}

// A time that RFC 3339 can't represent is an error, as in encoding/json.
func TestWriterError(t *testing.T) {
	w := jsonappend.To(nil)
	w.Begin()
	w.Time("at", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))
	w.Time("at", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	w.End()
	_, err := w.Bytes()
	require.ErrorContains(t, err, "year outside of range")
}
