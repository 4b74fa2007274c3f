package smstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// JSONRequest returns the request of a driver that posts JSON: as text for a golden file, and its body. newDriver returns a driver that calls
// an address.
func JSONRequest(t *testing.T, newDriver func(address string) (sms.Driver, error), m sms.Message) (written string, body []byte) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		written = head(r)
	}))
	defer server.Close()
	d, err := newDriver(server.URL)
	require.NoError(t, err)
	_, err = d.Send(t.Context(), m)
	require.NoError(t, err)
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, body, "", "  "))
	return written + "\n" + indented.String() + "\n", body
}

// head returns the lines of a request before its body, without what Go's client adds.
func head(r *http.Request) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s\n", r.Method, r.URL.RequestURI())
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if !slices.Contains([]string{"Content-Length", "Accept-Encoding", "Connection"}, name) {
			fmt.Fprintf(&text, "%s: %s\n", name, r.Header.Get(name))
		}
	}
	return text.String()
}

// field is a line of a specification.
type field struct {
	kind     string
	form     *regexp.Regexp
	required bool
}

// AssertSpecified compares the body of a request, field by field, with a provider's specification. A line of its file has the path of a field,
// its type, what a value must be like, as a regular expression, and "required", if it is that where the object that it is in is there. The
// path of any property ends in ".*". Lines that begin with # say where it is published.
func AssertSpecified(t *testing.T, file string, body []byte) {
	t.Helper()
	published := specification(t, file)
	var decoded any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&decoded))
	sent := map[string]any{}
	flatten("", decoded, sent)
	for path, value := range sent {
		f, known := published[path]
		if !known {
			f, known = published[path[:strings.LastIndex(path, ".")+1]+"*"]
		}
		if assert.True(t, known, "%s is not published", path) {
			assert.Equal(t, f.kind, kindOf(value), path)
			assert.Regexp(t, f.form, fmt.Sprint(value), path)
		}
	}
	for path, f := range published {
		assert.True(t, !f.required || !has(sent, parent(path)) || has(sent, path), "%s is missing", path)
	}
}

func specification(t *testing.T, file string) map[string]field {
	t.Helper()
	raw, err := os.ReadFile(file) //nolint:gosec // of a test
	require.NoError(t, err)
	all, source := map[string]field{}, false
	for line := range strings.Lines(string(raw)) {
		if strings.HasPrefix(line, "#") {
			source = source || strings.Contains(line, "https://")
			continue
		}
		fields := strings.Fields(line)
		require.GreaterOrEqual(t, len(fields), 3, line)
		all[fields[0]] = field{kind: fields[1], form: regexp.MustCompile(fields[2]), required: len(fields) == 4}
	}
	require.True(t, source, "%s has no source", file)
	return all
}

// flatten adds the values of a JSON value by their paths.
func flatten(path string, value any, into map[string]any) {
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 0 {
			into[path] = v
		}
		for name, member := range v {
			flatten(strings.TrimPrefix(path+"."+name, "."), member, into)
		}
	case []any:
		for _, member := range v {
			flatten(path+"[]", member, into)
		}
	default:
		into[path] = value
	}
}

func kindOf(value any) string {
	switch value.(type) {
	case string:
		return "string"
	case json.Number:
		return "number"
	case bool:
		return "boolean"
	case map[string]any:
		return "object"
	}
	return "null"
}

func parent(path string) string { return path[:max(0, strings.LastIndex(path, "."))] }

// has reports whether there is a field, or one within it. The whole body is "".
func has(sent map[string]any, path string) bool {
	for other := range sent {
		if other == path || path == "" || strings.HasPrefix(other, path+".") {
			return true
		}
	}
	return false
}
