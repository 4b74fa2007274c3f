package bloomreach_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T) *bloomreachtest.Server {
	t.Helper()
	server := bloomreachtest.New()
	t.Cleanup(server.Close)
	return server
}

// config is that of a client of the simulator.
func config(server *bloomreachtest.Server) bloomreach.Config {
	return bloomreach.Config{
		BaseURL:      server.BaseURL(),
		ProjectToken: bloomreachtest.ProjectToken,
		Auth:         bloomreach.PrivateKey(bloomreachtest.KeyID, bloomreachtest.KeySecret),
		HTTPClient:   server.Client(),
	}
}

func newClient(t *testing.T, config bloomreach.Config) *bloomreach.Client {
	t.Helper()
	client, err := bloomreach.New(config)
	require.NoError(t, err)
	return client
}

// event returns a valid event. Its properties hold its id, so that no two events are duplicates.
func event(t require.TestingT, id string) bloomreach.Command {
	command, err := bloomreach.NewEvent(id, bloomreach.Event{
		CustomerIDs: map[string]string{"registered": "ann"},
		Type:        "subscription",
		Timestamp:   "1700000000.5",
		Properties:  values{"status": "created", "subscription_id": id}.properties(),
	})
	require.NoError(t, err)
	return command
}

func events(t require.TestingT, n int) []bloomreach.Command {
	commands := make([]bloomreach.Command, n)
	for i := range commands {
		commands[i] = event(t, fmt.Sprintf("e%d", i))
	}
	return commands
}

// invalidEvent returns an event that the simulator rejects: it names no customer.
func invalidEvent(id string) bloomreach.Command {
	return bloomreach.Command{Name: bloomreach.NameEvent, ID: id, Data: json.RawMessage(`{"customer_ids":{},"event_type":"x"}`)}
}

func accepted(ids ...string) []bloomreach.Result {
	results := make([]bloomreach.Result, len(ids))
	for i, id := range ids {
		results[i] = bloomreach.Result{ID: id, Outcome: bloomreach.Accepted}
	}
	return results
}

func rejected(id string, errors ...string) bloomreach.Result {
	return bloomreach.Result{ID: id, Outcome: bloomreach.Rejected, Errors: errors}
}

func unanswered(id string) bloomreach.Result {
	return bloomreach.Result{ID: id, Outcome: bloomreach.Unanswered}
}

// withoutRequestIDs removes the request ids, for comparison.
func withoutRequestIDs(results []bloomreach.Result) []bloomreach.Result {
	for i := range results {
		results[i].RequestID = ""
	}
	return results
}

// transport is a round tripper without a network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// always returns a client that gets the same answer to every request.
func always(status int, body string, header http.Header) *http.Client {
	return &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		if header == nil {
			header = http.Header{}
		}
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})}
}

// answering returns a client that gets the same answer to every request.
func answering(t *testing.T, status int, body string) *bloomreach.Client {
	t.Helper()
	return newClient(t, bloomreach.Config{
		BaseURL: "https://api.example", ProjectToken: "project-token", Auth: bloomreach.PublicToken("public-token"), HTTPClient: always(status, body, nil),
	})
}
