package bloomreach_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
)

// sample is a recorded or documented request and its answer.
type sample struct {
	Request  struct{ Body batch }
	Body     batch // of a request without an answer
	Response struct {
		Status    int
		Body      json.RawMessage
		BodyOneOf []json.RawMessage `json:"body_one_of"`
	}
	ResponsePartial json.RawMessage   `json:"response_partial"`
	Bodies          []json.RawMessage // error shapes without a status
}

type batch struct{ Commands []json.RawMessage }

func TestSamples(t *testing.T) {
	directory := samplesDirectory(t)
	const ok, no = bloomreach.Accepted, bloomreach.Rejected
	tests := []struct {
		file     string
		outcomes []bloomreach.Outcome
		text     string // of the only rejection, or of the error
		class    bloomreach.Class
	}{
		{"01-batch-partial-failure.rudder.json", []bloomreach.Outcome{ok, no}, "At least one id should be specified.", ""},
		{"02-batch-success.rudder.json", []bloomreach.Outcome{ok, ok}, "", ""},
		{"03-batch-partial-failure.docs.json", []bloomreach.Outcome{ok, no}, "At least one id should be specified.", ""},
		{"04-batch-no-commands.docs.json", []bloomreach.Outcome{no}, "No commands", ""},
		{"05-batch-invalid-json.docs.json", []bloomreach.Outcome{no}, "Invalid JSON", ""},
		{"06-bad-project-token.docs.json", nil, "", bloomreach.ClassConfig},
		{"08-batch-with-system-time.exponea-python.json", []bloomreach.Outcome{ok, ok, ok}, "", ""},
		{"11-batch-command-id.konto-bratislava.json", []bloomreach.Outcome{ok, no}, "rejected without a reason", ""},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			s := readSample(t, filepath.Join(directory, test.file))
			for _, body := range s.bodies() {
				results, err := recorded(t, max(s.Response.Status, 200), body).Batch(t.Context(), events(t, max(len(test.outcomes), 1)))
				if test.class != "" {
					requireClass(t, err, test.class)
					continue
				}
				require.NoError(t, err)
				for i, result := range results {
					assert.Equal(t, test.outcomes[i], result.Outcome)
					if result.Outcome == no {
						assert.Equal(t, []string{test.text}, result.Errors)
					}
				}
			}
		})
	}
	for i, body := range readSample(t, filepath.Join(directory, "10-error-shapes.exponea-python.json")).Bodies {
		_, err := answering(t, 401, string(body)).Batch(t.Context(), events(t, 1))
		want := []string{"access key not found", "not authorized to update specified customer properties", "Customer does not exist"}[i]
		assert.Equal(t, want, asError(t, err, bloomreach.ClassConfig).Message)
	}
}

// recorded returns a client that gets the recorded answer. A command that is sent again, alone, gets its own result.
func recorded(t *testing.T, status int, body json.RawMessage) *bloomreach.Client {
	t.Helper()
	var whole struct{ Results []json.RawMessage }
	_ = json.Unmarshal(body, &whole) // it may be no object
	return newClient(t, bloomreach.Config{
		BaseURL: "https://api.example", ProjectToken: "project-token", Auth: bloomreach.PublicToken("public-token"),
		HTTPClient: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			var sent batch
			require.NoError(t, json.NewDecoder(r.Body).Decode(&sent))
			if len(sent.Commands) != len(whole.Results) && len(sent.Commands) == 1 && len(whole.Results) > 0 {
				var n int
				_, err := fmt.Sscanf(string(sent.Commands[0]), `{"name":"customers/events","command_id":"e%d"`, &n)
				require.NoError(t, err)
				body = fmt.Appendf(nil, `{"success":true,"results":[%s]}`, whole.Results[n])
			}
			return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
		})},
	})
}

// The simulator answers the sample's request with the sample's outcomes.
func TestSampleRequestsAgainstSimulator(t *testing.T) {
	directory := samplesDirectory(t)
	for file, want := range map[string][]bloomreach.Outcome{
		"02-batch-success.rudder.json":               {bloomreach.Accepted, bloomreach.Accepted},
		"13-batch-fractional-timestamp.keboola.json": {bloomreach.Accepted},
	} {
		server := start(t)
		s := readSample(t, filepath.Join(directory, file))
		var commands []bloomreach.Command
		for i, raw := range append(s.Request.Body.Commands, s.Body.Commands...) {
			command := bloomreach.Command{ID: fmt.Sprint(i)}
			require.NoError(t, json.Unmarshal(raw, &command))
			commands = append(commands, command)
		}
		results, err := newClient(t, config(server)).Batch(t.Context(), commands)
		require.NoError(t, err)
		require.Len(t, results, len(want))
		for i, result := range results {
			assert.Equal(t, want[i], result.Outcome, file)
		}
	}
}

func (s sample) bodies() []json.RawMessage {
	switch {
	case s.Response.BodyOneOf != nil:
		return s.Response.BodyOneOf
	case s.ResponsePartial != nil:
		return []json.RawMessage{s.ResponsePartial}
	}
	return []json.RawMessage{s.Response.Body}
}

func readSample(t *testing.T, file string) sample {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	var s sample
	require.NoError(t, json.Unmarshal(content, &s))
	return s
}

// samplesDirectory returns the directory of the samples beside the repository, or skips the test.
func samplesDirectory(t *testing.T) string {
	t.Helper()
	root, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		require.NotEqual(t, filepath.Dir(root), root, "no go.mod above the test")
		root = filepath.Dir(root)
	}
	directory := filepath.Join(root, "..", "shared", "samples", "bloomreach")
	if _, err := os.Stat(directory); err != nil {
		t.Skip("no recorded samples beside the repository: " + directory)
	}
	return directory
}
