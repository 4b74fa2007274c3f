package bloomreachtest_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

func TestCheckAccess(t *testing.T) {
	gzipped := func(r *http.Request) {
		var packed bytes.Buffer
		writer := gzip.NewWriter(&packed)
		_, _ = writer.Write([]byte(`{"commands":[` + event + `]}`))
		_ = writer.Close()
		r.Body, r.ContentLength = io.NopCloser(&packed), int64(packed.Len())
	}
	wrongProject := func(r *http.Request) { r.URL.Path = strings.Replace(r.URL.Path, "0b7e3f52", "0b7e3f5", 1) }
	const badRequest = `{"message":"BadRequest: The browser (or proxy) sent a request that this server could not understand.","success":false}`
	tests := []struct {
		name   string
		change func(*http.Request)
		status int
		body   string
	}{
		{"valid", func(*http.Request) {}, 200, ""},
		{"public token", func(r *http.Request) { r.Header.Set("Authorization", "Token "+bloomreachtest.PublicToken) }, 200, ""},
		{"public token in the url", func(r *http.Request) {
			r.Header.Del("Authorization")
			r.URL.RawQuery = url.Values{"access_token": {bloomreachtest.PublicToken}}.Encode()
		}, 200, ""},
		{"json with charset", func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") }, 200, ""},
		{"unknown path", func(r *http.Request) { r.URL.Path = "/track/v2/batch" }, 404, `{"errors":{"code":404,"description":"The requested URL was not found on the server"}}`},
		{"single route", func(r *http.Request) {
			r.URL.Path = "/track/v2/projects/" + bloomreachtest.ProjectToken + "/customers"
		}, 404, `{"errors":{"code":404,"description":"The requested URL was not found on the server"}}`},
		{"wrong method", func(r *http.Request) { r.Method = http.MethodPut }, 405, `{"message":"Method not allowed (simulator)","success":false}`},
		{"wrong project", wrongProject, 400, `{"error":"Could not authenticate","success":false}`},
		{"no credentials", func(r *http.Request) { r.Header.Del("Authorization") }, 401, `{"error":"Access key not provided","success":false}`},
		{"unknown key", func(r *http.Request) { r.SetBasicAuth("x", bloomreachtest.KeySecret) }, 401, `{"error":"Access key not found","success":false}`},
		{"unknown token", func(r *http.Request) { r.Header.Set("Authorization", "Token x") }, 401, `{"error":"Access key not found","success":false}`},
		{"wrong secret", func(r *http.Request) { r.SetBasicAuth(bloomreachtest.KeyID, "x") }, 403, `{"error":"invalid secret","success":false}`},
		{"no content type", func(r *http.Request) { r.Header.Del("Content-Type") }, 400, badRequest},
		{"form", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, 400, badRequest},
		{"gzip declared", func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip"); gzipped(r) }, 400, badRequest},
		{"gzip undeclared", gzipped, 400, badRequest},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := start(t)
			r := request(t, server, `{"commands":[`+event+`]}`)
			test.change(r)
			answer := do(t, server, r)
			assert.Equal(t, test.status, answer.status, answer.body)
			assert.NotEmpty(t, answer.header.Get("X-Request-Id"))
			assert.Equal(t, 1, server.Requests())
			if test.status == http.StatusOK {
				assert.Len(t, server.Events(), 1)
				return
			}
			assert.Equal(t, test.body, answer.body)
			assert.Empty(t, server.Received())
		})
	}
}

func TestBatchRefused(t *testing.T) {
	tests := []struct {
		name, body, text string
	}{
		{"empty", ``, "Invalid JSON"},
		{"broken", `{"commands":[`, "Invalid JSON"},
		{"trailing text", `{"commands":[` + event + `]} x`, "Invalid JSON"},
		{"commands is an object", `{"commands":{}}`, "Invalid JSON"},
		{"one command is not an object", `{"commands":[` + event + `,1]}`, "Invalid JSON"},
		{"one command is null", `{"commands":[null,` + event + `]}`, "Invalid JSON"},
		{"no commands", `{}`, "No commands"},
		{"empty commands", `{"commands":[]}`, "No commands"},
		{"51 commands", `{"commands":[` + strings.Repeat(event+",", 50) + event + `]}`, "Too many commands (simulator)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := start(t)
			answer := do(t, server, request(t, server, test.body))
			assert.Equal(t, http.StatusBadRequest, answer.status)
			assert.Equal(t, `{"message":"`+test.text+`","success":false}`, answer.body)
			assert.Empty(t, server.Received())
		})
	}
}

func TestCommandRejected(t *testing.T) {
	const noID, noValidID = "At least one id should be specified.", "At least one valid id should be specified"
	const badTime = "Invalid timestamp (simulator)"
	tests := []struct {
		name, command, data, reason string
	}{
		{"no ids", "customers/events", `{"event_type":"x"}`, noID},
		{"empty ids", "customers", `{"customer_ids":{},"properties":{"a":1}}`, noID},
		{"ids are a list", "customers", `{"customer_ids":["ann"],"properties":{"a":1}}`, noID},
		{"blank id", "customers", `{"customer_ids":{"registered":"  "},"properties":{"a":1}}`, noValidID},
		{"null id", "customers", `{"customer_ids":{"registered":null},"properties":{"a":1}}`, noValidID},
		{"the word null", "customers", `{"customer_ids":{"registered":"null"},"properties":{"a":1}}`, noValidID},
		{"the word undefined", "customers", `{"customer_ids":{"registered":" undefined "},"properties":{"a":1}}`, noValidID},
		{"no letter or digit", "customers", `{"customer_ids":{"registered":"--"},"properties":{"a":1}}`, noValidID},
		{"unknown command", "customers/merge", `{"customer_ids":{"registered":"ann"}}`, "Unknown command name (simulator)"},
		{"legacy command", "system/time", `{}`, "Unknown command name (simulator)"},
		{"data is a list", "customers", `[]`, "Command data is not an object (simulator)"},
		{"data is null", "customers", `null`, "Command data is not an object (simulator)"},
		{"event without type", "customers/events", `{"customer_ids":{"registered":"ann"}}`, "Event type is missing (simulator)"},
		{"event with empty type", "customers/events", `{"customer_ids":{"registered":"ann"},"event_type":""}`, "Event type is missing (simulator)"},
		{"properties are a list", "customers/events", `{"customer_ids":{"registered":"ann"},"event_type":"x","properties":[]}`, "Properties are not an object (simulator)"},
		{"update without properties", "customers", `{"customer_ids":{"registered":"ann"}}`, "Properties are missing (simulator)"},
		{"update of nothing", "customers", `{"customer_ids":{"registered":"ann"},"properties":{}}`, "Properties are missing (simulator)"},
		{"offset", "customers/events", `{"customer_ids":{"registered":"ann"},"event_type":"x","timestamp":"2026-03-01T10:00:00+00:00"}`, badTime},
		{"negative offset", "customers", `{"customer_ids":{"registered":"ann"},"properties":{"a":1},"update_timestamp":"2018-8-5 12:20:25-12:00"}`, badTime},
		{"a word", "customers/events", `{"customer_ids":{"registered":"ann"},"event_type":"x","timestamp":"now"}`, badTime},
		{"quoted number", "customers/events", `{"customer_ids":{"registered":"ann"},"event_type":"x","timestamp":"1700000000"}`, badTime},
		{"number too large", "customers/events", `{"customer_ids":{"registered":"ann"},"event_type":"x","timestamp":1e999}`, badTime},
		{"boolean", "customers/events", `{"customer_ids":{"registered":"ann"},"event_type":"x","timestamp":true}`, badTime},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := start(t)
			bad := `{"name":"` + test.command + `","command_id":"bad","data":` + test.data + `}`
			results := send(t, server, bad, event).results(t)
			require.Len(t, results, 2)
			assert.Equal(t, result{CommandID: "bad", Errors: []string{test.reason}}, results[0])
			assert.Equal(t, result{CommandID: "e1", Success: true}, results[1])
			assert.Len(t, server.Received(), 2)
			assert.Len(t, server.Events(), 1)
		})
	}
}

func FuzzServer(f *testing.F) {
	for _, body := range []string{
		`{"commands":[` + event + `,` + update + `]}`, `{"commands":[null]}`, `{"commands":[{}]}`, `[]`, ``,
		`{"commands":[{"name":"customers/events","data":{"customer_ids":{"a":1e9},"event_type":"x","timestamp":-0.0e5}}]}`,
		`{"commands":[{"name":"customers","data":{"customer_ids":{"a":"b"},"update_timestamp":1e308,"properties":{"p":[{"q":-0}]}}}]}`,
	} {
		f.Add(body)
	}
	server := bloomreachtest.New()
	f.Cleanup(server.Close)
	f.Fuzz(func(t *testing.T, body string) {
		answer := do(t, server, request(t, server, body))
		assert.Contains(t, []int{200, 400}, answer.status)
		assert.Contains(t, answer.body, `"success":`)
	})
}
