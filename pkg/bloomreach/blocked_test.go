package bloomreach_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

// attack returns a valid event whose text a firewall takes for an attack.
func attack(t require.TestingT, id string) bloomreach.Command {
	command, err := bloomreach.NewEvent(id, bloomreach.Event{
		CustomerIDs: map[string]string{"registered": "ann"}, Type: "subscription", Timestamp: "1700000000.5",
		Properties: values{"cancellation_reason_comments": "'; DROP TABLE coffee; -- moving abroad", "subscription_id": id}.properties(),
	})
	require.NoError(t, err)
	return command
}

func attacks(t require.TestingT, n int) (commands []bloomreach.Command) {
	for i := range n {
		commands = append(commands, attack(t, fmt.Sprint("a", i)))
	}
	return commands
}

// firewall is in front of Bloomreach.
func firewall(server *bloomreachtest.Server, page bloomreachtest.Failure) {
	server.BlockWhen(func(body string) bool { return strings.Contains(body, "DROP TABLE") }, page)
}

func outcomes(results []bloomreach.Result) string {
	var text []string
	for _, r := range results {
		text = append(text, string(r.Outcome[:1]))
	}
	return strings.Join(text, "")
}

// However a firewall refuses, the one command is rejected with its words.
func TestBlockedCommand(t *testing.T) {
	tests := map[string]struct {
		page  bloomreachtest.Failure
		words string
	}{
		"403 with a page":           {bloomreachtest.FirewallPage(), "403 Forbidden Request blocked Ray ID: 8a1b2c3d4e5f6789"},
		"403 with a text":           {bloomreachtest.Failure{Status: 403, Body: "error code: 1020"}, "error code: 1020"},
		"403 with nothing":          {bloomreachtest.Failure{Status: 403}, "no reason given (status 403)"},
		"403 with a gateway's JSON": {bloomreachtest.Failure{Status: 403, Body: `{"message":"Forbidden"}`}, "Forbidden"},
		"406":                       {bloomreachtest.Failure{Status: 406, Body: "<h1>Not Acceptable!</h1>An appropriate representation"}, "Not Acceptable! An appropriate representation"},
		"413":                       {bloomreachtest.Failure{Status: 413, Body: "<html>413 Request Entity Too Large</html>"}, "413 Request Entity Too Large"},
		"400 with a page":           {bloomreachtest.Failure{Status: 400, Body: "<p>Bad Request"}, "Bad Request"},
		"404 with a page":           {bloomreachtest.Failure{Status: 404, Body: "<p>Nothing here"}, "Nothing here"},
		"418":                       {bloomreachtest.Failure{Status: 418, Body: "teapot"}, "teapot"},
		"200 with a page":           {bloomreachtest.Failure{Status: 200, Body: "\n<html>Request unsuccessful. Incapsula incident ID: 1234567890123456789-0"}, "Request unsuccessful. Incapsula incident ID: 1234567890123456789-0"},
		"redirect to a page":        {bloomreachtest.Failure{Status: 302, Body: "<a href='/blocked'>Found</a>"}, "Found"},
	}
	for name, test := range tests {
		for _, n := range []int{0, 1, 9} { // other commands
			t.Run(fmt.Sprint(name, " and ", n), func(t *testing.T) {
				server := start(t)
				firewall(server, test.page)
				commands := append(events(t, n), attack(t, "bad"))
				results, err := newClient(t, config(server)).Batch(t.Context(), commands)
				require.NoError(t, err)
				assert.Equal(t, append(accepted(ids(commands[:n])...), rejected("bad", test.words)), withoutRequestIDs(results))
				assert.Len(t, server.Received(), n, "no command is accepted twice")
			})
		}
	}
}

func ids(commands []bloomreach.Command) (ids []string) {
	for _, c := range commands {
		ids = append(ids, c.ID)
	}
	return ids
}

// What concerns all requests is an error, and no command is rejected: pages for every request, and what Bloomreach itself says.
func TestAllBlocked(t *testing.T) {
	for name, set := range map[string]func(*bloomreachtest.Server){
		"all requests": func(s *bloomreachtest.Server) {
			s.BlockWhen(func(string) bool { return true }, bloomreachtest.FirewallPage())
		},
		"wrong secret behind a firewall": func(s *bloomreachtest.Server) {
			firewall(s, bloomreachtest.FirewallPage())
			s.RotateKey(bloomreachtest.KeyID, "new")
		},
		"403 of Bloomreach": func(s *bloomreachtest.Server) {
			firewall(s, bloomreachtest.Failure{Status: 403, Body: bloomreachtest.ShapeError.Body("your access is restricted")})
		},
		"credentials in a text": func(s *bloomreachtest.Server) {
			firewall(s, bloomreachtest.Failure{Status: 403, Body: "invalid secret"})
		},
	} {
		for _, n := range []int{1, 50} {
			t.Run(fmt.Sprint(name, " ", n), func(t *testing.T) {
				server := start(t)
				set(server)
				results, err := newClient(t, config(server)).Batch(t.Context(), attacks(t, n))
				requireClass(t, err, bloomreach.ClassConfig)
				assert.Equal(t, strings.Repeat("u", n), outcomes(results))
				assert.LessOrEqual(t, server.Requests(), 9, "about log2(n)")
			})
		}
	}
}

// A firewall that begins to block everything after some commands: those are accepted, the others are unanswered.
func TestBlockedFromSomeRequestOn(t *testing.T) {
	for passed := range 8 {
		server := start(t)
		requests := 0
		server.BlockWhen(func(body string) bool {
			requests++
			return requests > passed || strings.Contains(body, "DROP TABLE")
		}, bloomreachtest.FirewallPage())
		client, commands := newClient(t, config(server)), append(events(t, 3), attack(t, "bad"))
		results, err := client.Batch(t.Context(), commands)
		requireClass(t, err, bloomreach.ClassConfig)
		for i, r := range results {
			assert.NotEqual(t, bloomreach.Rejected, r.Outcome, "%d requests passed, command %d", passed, i)
		}
	}
}

// A firewall that refuses once is no proof against a command.
func TestBlockedOnce(t *testing.T) {
	for n := 1; n <= 3; n++ {
		server := start(t)
		server.FailNext(1, bloomreachtest.FirewallPage())
		results, err := newClient(t, config(server)).Batch(t.Context(), events(t, n))
		require.NoError(t, err)
		assert.Equal(t, strings.Repeat("a", n), outcomes(results))
		assert.Len(t, server.Received(), n)
	}
}

// Many commands in a row that are blocked alone, and none that passes between them, are taken as a fault that concerns all. One
// that passes ends it, also one of another batch.
func TestBlockedInARow(t *testing.T) {
	server := start(t)
	firewall(server, bloomreachtest.FirewallPage())
	client := newClient(t, config(server))
	send := func(commands []bloomreach.Command) string {
		results, err := client.Batch(t.Context(), commands)
		if strings.Contains(outcomes(results), "u") {
			requireClass(t, err, bloomreach.ClassConfig)
		} else {
			require.NoError(t, err)
		}
		return outcomes(results)
	}
	assert.Equal(t, strings.Repeat("u", 11), send(attacks(t, 11)))
	assert.Equal(t, strings.Repeat("r", 10), send(attacks(t, 10)))
	assert.Equal(t, "u", send(attacks(t, 1)))
	assert.Equal(t, "u", send(attacks(t, 1)))
	assert.Equal(t, "a", send(events(t, 1)))
	assert.Equal(t, "r", send(attacks(t, 1)))
	assert.Equal(t, strings.Repeat("r", 49)+"a", send(append(attacks(t, 49), event(t, "last"))))
}

// Finding one command costs about two requests for each halving.
func TestBlockedCommandCostsFewRequests(t *testing.T) {
	for at := range bloomreach.MaxCommands {
		server := start(t)
		firewall(server, bloomreachtest.FirewallPage())
		commands := events(t, bloomreach.MaxCommands)
		commands[at] = attack(t, "bad")
		_, err := newClient(t, config(server)).Batch(t.Context(), commands)
		require.NoError(t, err)
		assert.LessOrEqual(t, server.Requests(), 16, "at %d", at)
	}
}

// Wherever the blocked commands are: they are rejected, every other one is accepted once, unless nothing passes.
func TestBlockedCommandsAreRejected(t *testing.T) {
	server := start(t)
	firewall(server, bloomreachtest.FirewallPage())
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		client, err := bloomreach.New(config(server))
		require.NoError(t, err)
		commands := make([]bloomreach.Command, rapid.IntRange(1, 50).Draw(t, "commands"))
		want := ""
		for i := range commands {
			id := fmt.Sprintf("%d-%d", round, i)
			if rapid.IntRange(0, 3).Draw(t, "blocked") == 0 {
				commands[i], want = attack(t, id), want+"r"
				continue
			}
			commands[i], want = event(t, id), want+"a"
		}
		before := len(server.Received())
		results, err := client.Batch(context.Background(), commands)
		if !strings.Contains(want, "a") && len(want) > 10 {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		assert.Equal(t, want, outcomes(results))
		assert.Len(t, server.Received(), before+strings.Count(want, "a"))
	})
}

// The quoted response holds no secret, and no personal data in a form that can be recognized.
func TestBlockedWordsAreRedacted(t *testing.T) {
	server := start(t)
	page := "<pre>POST /track/v2/projects/" + bloomreachtest.ProjectToken + "/batch\nAuthorization: Basic c2ltdWxhdGVkLWtleQ==\n" +
		bloomreachtest.KeySecret + " jo.bean@example.com +1 503 555 0100</pre>" + strings.Repeat("ä", 600)
	firewall(server, bloomreachtest.Failure{Status: 403, Body: page})
	results, err := newClient(t, config(server)).Batch(t.Context(), []bloomreach.Command{attack(t, "bad"), event(t, "e0")})
	require.NoError(t, err)
	words := results[0].Errors[0]
	assert.Contains(t, words, "POST /track/v2/projects/***/batch Authorization: Basic *** *** *** ***")
	assert.LessOrEqual(t, len(words), 500)
	for _, private := range []string{bloomreachtest.ProjectToken, bloomreachtest.KeySecret, "c2lt", "jo.bean", "555", "<"} {
		assert.NotContains(t, words, private)
	}
}

// The proof that others pass changes nothing: it has no command.
func TestProofHasNoCommand(t *testing.T) {
	var bodies []string
	client := newClient(t, bloomreach.Config{
		BaseURL: "https://api.example", ProjectToken: "p", Auth: bloomreach.PublicToken("t"),
		HTTPClient: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			var body struct{ Commands []json.RawMessage }
			require.NoError(t, json.NewDecoder(r.Body).Decode(&body))
			bodies = append(bodies, fmt.Sprint(len(body.Commands)))
			return &http.Response{StatusCode: 403, Body: http.NoBody, Request: r}, nil
		})},
	})
	_, err := client.Batch(t.Context(), events(t, 2))
	requireClass(t, err, bloomreach.ClassConfig)
	assert.Equal(t, []string{"2", "1", "0"}, bodies)
}

// answered returns a client that gets each of the answers in turn, and the count of its requests. A status of 0 is a connection
// that breaks.
func answered(t *testing.T, answers ...bloomreachtest.Failure) (client *bloomreach.Client, requests *int) {
	t.Helper()
	requests = new(int)
	return newClient(t, bloomreach.Config{
		BaseURL: "https://api.example", ProjectToken: "p", Auth: bloomreach.PublicToken("t"),
		HTTPClient: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			answer := answers[min(*requests, len(answers)-1)]
			*requests++
			if answer.Status == 0 {
				return nil, errors.New("connection reset")
			}
			return &http.Response{StatusCode: answer.Status, Body: io.NopCloser(strings.NewReader(answer.Body)), Request: r}, nil
		})},
	}), requests
}

// What the answers say when a blocked command is sent again.
func TestBlockedCommandIsSentAgain(t *testing.T) {
	page, broken := bloomreachtest.FirewallPage(), bloomreachtest.Failure{}
	noCommands := bloomreachtest.Failure{Status: 400, Body: `{"success":false,"errors":["No commands"]}`}
	bad := bloomreachtest.Failure{Status: 400, Body: `{"success":false,"errors":["bad"]}`}
	t.Run("Bloomreach refuses it", func(t *testing.T) {
		client, requests := answered(t, page, noCommands, bad)
		results, err := client.Batch(t.Context(), events(t, 1))
		require.NoError(t, err)
		assert.Equal(t, []string{"bad"}, results[0].Errors)
		assert.Equal(t, 3, *requests)
	})
	t.Run("no answer", func(t *testing.T) {
		client, _ := answered(t, page, noCommands, broken)
		results, err := client.Batch(t.Context(), events(t, 1))
		require.Error(t, err)
		assert.Equal(t, "u", outcomes(results))
	})
	t.Run("not after another command has no answer", func(t *testing.T) {
		client, requests := answered(t, page, page, noCommands, broken, page, noCommands)
		results, err := client.Batch(t.Context(), events(t, 2))
		require.Error(t, err)
		assert.Equal(t, "uu", outcomes(results))
		assert.Equal(t, 4, *requests)
	})
}

// Of many blocked commands none is sent again, and one request without commands is enough.
func TestManyBlockedCommandsCostFewRequests(t *testing.T) {
	server := start(t)
	firewall(server, bloomreachtest.FirewallPage())
	_, err := newClient(t, config(server)).Batch(t.Context(), attacks(t, 50))
	requireClass(t, err, bloomreach.ClassConfig)
	assert.Equal(t, 50+49+1, server.Requests())
}

// A page that asks for credentials is not about a command.
func TestCredentialsAreNotBlocked(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusProxyAuthRequired} {
		client, requests := answered(t, bloomreachtest.Failure{Status: status, Body: "<html>log in</html>"})
		_, err := client.Batch(t.Context(), events(t, 2))
		requireClass(t, err, bloomreach.ClassConfig)
		assert.Equal(t, 1, *requests, status)
	}
}
