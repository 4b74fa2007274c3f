package bloomreach_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

func asError(t *testing.T, err error, class bloomreach.Class) *bloomreach.Error {
	t.Helper()
	requireClass(t, err, class)
	failure, _ := errors.AsType[*bloomreach.Error](err)
	return failure
}

// requireClass fails unless err is an *Error of the class.
func requireClass(t *testing.T, err error, class bloomreach.Class) {
	t.Helper()
	var failure *bloomreach.Error
	require.ErrorAs(t, err, &failure)
	require.Equal(t, class, failure.Class, failure.Error())
}

func TestBatchAgainstSimulator(t *testing.T) {
	const noID = "At least one id should be specified."
	mixed := []bloomreach.Result{accepted("e0")[0], rejected("bad", noID), accepted("e1")[0]}
	invalidJSON := bloomreachtest.Failure{Status: 400, Body: bloomreachtest.ShapeMessage.Body("Invalid JSON")}
	isBad := func(c bloomreachtest.Command) bool { return c.ID == "bad" }
	tests := []struct {
		name     string
		set      func(*bloomreachtest.Server)
		want     []bloomreach.Result
		class    bloomreach.Class // empty: no error
		requests int
	}{
		{"one rejected", func(*bloomreachtest.Server) {}, mixed, "", 1},
		{"shuffled", func(s *bloomreachtest.Server) { s.ShuffleResults(true) }, mixed, "", 1},
		// Requests: all, and bad alone, which proves that the results are in the order of the commands.
		{"no command ids", func(s *bloomreachtest.Server) { s.EchoCommandIDs(false) }, mixed, "", 2},
		{"no results", func(s *bloomreachtest.Server) {
			s.OmitResults(true)
		}, []bloomreach.Result{unanswered("e0"), unanswered("bad"), unanswered("e1")}, bloomreach.ClassUnknown, 1},
		{"one result missing", func(s *bloomreachtest.Server) {
			s.OmitResultsOf(func(c bloomreachtest.Command) bool { return c.ID == "e0" })
		}, []bloomreach.Result{unanswered("e0"), rejected("bad", noID), accepted("e1")[0]}, bloomreach.ClassUnknown, 1},
		{"one result missing, no command ids", func(s *bloomreachtest.Server) {
			s.EchoCommandIDs(false)
			s.OmitResultsOf(isBad)
		}, []bloomreach.Result{accepted("e0")[0], unanswered("bad"), unanswered("e1")}, bloomreach.ClassUnknown, 4},
		{"several errors", func(s *bloomreachtest.Server) {
			s.RejectWhen(func(c bloomreachtest.Command) []string {
				if c.ID == "e0" {
					return []string{"too old", "too long"}
				}
				return nil
			})
		}, []bloomreach.Result{rejected("e0", "too old", "too long"), rejected("bad", noID), accepted("e1")[0]}, "", 1},
		{"events forbidden", func(s *bloomreachtest.Server) {
			s.ForbidEvents("subscription")
		}, []bloomreach.Result{unanswered("e0"), rejected("bad", noID), unanswered("e1")}, bloomreach.ClassConfig, 1},
		// Requests: all refused, e0 accepted, bad and e1 refused, bad refused, e1 accepted.
		{"poison command", func(s *bloomreachtest.Server) {
			s.FailWhen(isBad, invalidJSON)
		}, []bloomreach.Result{accepted("e0")[0], rejected("bad", "Invalid JSON"), accepted("e1")[0]}, "", 5},
		{"poison command, refused with 200", func(s *bloomreachtest.Server) {
			s.FailWhen(isBad, bloomreachtest.Failure{Status: 200, Body: `{"success": false}`})
		}, []bloomreach.Result{accepted("e0")[0], rejected("bad", "no reason given (status 200)"), accepted("e1")[0]}, "", 5},
		{"first half fails", func(s *bloomreachtest.Server) {
			s.FailNext(1, invalidJSON)
			s.FailNext(1, bloomreachtest.Failure{Status: 503})
		}, []bloomreach.Result{unanswered("e0"), unanswered("bad"), unanswered("e1")}, bloomreach.ClassRetry, 2},
		{"second half fails", func(s *bloomreachtest.Server) {
			s.FailNext(1, invalidJSON)
			s.FailWhen(isBad, bloomreachtest.Failure{Status: 503})
		}, []bloomreach.Result{accepted("e0")[0], unanswered("bad"), unanswered("e1")}, bloomreach.ClassRetry, 3},
		{"all refused as too large", func(s *bloomreachtest.Server) { s.LimitBody(10) }, []bloomreach.Result{
			rejected("e0", "Body exceeds 10 bytes (simulator)"), rejected("bad", "Body exceeds 10 bytes (simulator)"),
			rejected("e1", "Body exceeds 10 bytes (simulator)"),
		}, "", 5},
		{"connection lost after applying", func(s *bloomreachtest.Server) {
			s.DropAfterApplying(1)
		}, []bloomreach.Result{unanswered("e0"), unanswered("bad"), unanswered("e1")}, bloomreach.ClassRetry, 1},
		{"wrong secret", func(s *bloomreachtest.Server) {
			s.RotateKey(bloomreachtest.KeyID, "new")
		}, []bloomreach.Result{unanswered("e0"), unanswered("bad"), unanswered("e1")}, bloomreach.ClassConfig, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := start(t)
			test.set(server)
			results, err := newClient(t, config(server)).Batch(t.Context(), []bloomreach.Command{event(t, "e0"), invalidEvent("bad"), event(t, "e1")})
			if test.class == "" {
				require.NoError(t, err)
			} else {
				requireClass(t, err, test.class)
			}
			assert.Equal(t, test.want, withoutRequestIDs(results))
			assert.Equal(t, test.requests, server.Requests())
		})
	}
}

func TestResendAfterLostAnswer(t *testing.T) {
	server := start(t)
	server.DropAfterApplying(1)
	client, commands := newClient(t, config(server)), events(t, 3)
	_, err := client.Batch(t.Context(), commands)
	requireClass(t, err, bloomreach.ClassRetry)
	results, err := client.Batch(t.Context(), commands)
	require.NoError(t, err)
	assert.Equal(t, accepted("e0", "e1", "e2"), withoutRequestIDs(results))
	assert.Len(t, server.Events(), 3)
	assert.Equal(t, 3, server.Deduplicated())
}

func TestResultCarriesRequestID(t *testing.T) {
	server := start(t)
	results, err := newClient(t, config(server)).Batch(t.Context(), events(t, 1))
	require.NoError(t, err)
	assert.Equal(t, "00000000-0000-4000-8000-000000000001", results[0].RequestID)
}

func TestFullBatchIsOneRequest(t *testing.T) {
	server := start(t)
	results, err := newClient(t, config(server)).Batch(t.Context(), events(t, bloomreach.MaxCommands))
	require.NoError(t, err)
	assert.Len(t, results, bloomreach.MaxCommands)
	assert.Len(t, server.Events(), bloomreach.MaxCommands)
	assert.Equal(t, 1, server.Requests())
}

func TestInvalidBatchIsNotSent(t *testing.T) {
	server := start(t)
	client := newClient(t, config(server))
	for name, test := range map[string]struct {
		commands []bloomreach.Command
		want     string
	}{
		"too many":  {events(t, 51), "invalid batch: 51 commands, at most 50"},
		"same id":   {append(events(t, 2), event(t, "e1")), "invalid batch: the id of command 2 is empty or used twice"},
		"no id":     {[]bloomreach.Command{{Name: "customers"}}, "invalid batch: the id of command 0 is empty or used twice"},
		"empty":     {nil, ""},
		"too large": {[]bloomreach.Command{{Name: "customers", ID: "x", Data: json.RawMessage(`"` + strings.Repeat("x", 1<<20) + `"`)}}, ""},
	} {
		results, err := client.Batch(t.Context(), test.commands)
		if test.want != "" {
			require.ErrorIs(t, err, bloomreach.ErrBatch, name)
			require.EqualError(t, err, test.want)
			assert.Empty(t, results)
			continue
		}
		require.NoError(t, err, name)
		require.Len(t, results, len(test.commands), name)
		for _, result := range results {
			assert.Equal(t, bloomreach.Rejected, result.Outcome, name)
			assert.Len(t, result.Errors, 1, name)
		}
	}
	assert.Zero(t, server.Requests())
}

func TestMaxBodyHalvesBeforeSending(t *testing.T) {
	server := start(t)
	config := config(server)
	one, err := json.Marshal(event(t, "e0"))
	require.NoError(t, err)
	config.MaxBody = 2*len(one) + len(`{"commands":[,]}`)
	results, err := newClient(t, config).Batch(t.Context(), events(t, 8))
	require.NoError(t, err)
	assert.Equal(t, accepted("e0", "e1", "e2", "e3", "e4", "e5", "e6", "e7"), withoutRequestIDs(results))
	assert.Equal(t, 4, server.Requests())
}

func TestTimeoutAndCancellation(t *testing.T) {
	server := start(t)
	server.OnRequest(func(r *http.Request) { <-r.Context().Done() })
	impatient := config(server)
	impatient.Timeout = 20 * time.Millisecond
	results, err := newClient(t, impatient).Batch(t.Context(), events(t, 1))
	failure := asError(t, err, bloomreach.ClassRetry)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Zero(t, failure.Status)
	assert.Equal(t, []bloomreach.Result{unanswered("e0")}, results)

	ctx, cancel := context.WithCancel(t.Context())
	server.OnRequest(func(r *http.Request) { cancel(); <-r.Context().Done() })
	results, err = newClient(t, config(server)).Batch(ctx, events(t, 1))
	requireClass(t, err, bloomreach.ClassRetry)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []bloomreach.Result{unanswered("e0")}, results)
	assert.Empty(t, server.Received())
}

// Exactly the poison commands are rejected and every other command is accepted once, for any positions and any shape of
// the answer.
func TestPoisonCommandsAreRejected(t *testing.T) {
	server := start(t)
	client := newClient(t, config(server))
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		commands := make([]bloomreach.Command, rapid.IntRange(1, 50).Draw(t, "commands"))
		poison := make(map[string]bool)
		for i := range commands {
			commands[i] = event(t, fmt.Sprintf("%d-%d", round, i))
			poison[commands[i].ID] = rapid.IntRange(0, 9).Draw(t, "poison command") == 0
		}
		server.EchoCommandIDs(rapid.Bool().Draw(t, "echo"))
		status := rapid.SampledFrom([]int{200, 400, 413, 422}).Draw(t, "status")
		shape := rapid.SampledFrom([]bloomreachtest.ErrorShape{
			bloomreachtest.ShapeMessage, bloomreachtest.ShapeError, bloomreachtest.ShapeList, bloomreachtest.ShapeObject,
		}).Draw(t, "shape")
		server.FailWhen(func(c bloomreachtest.Command) bool { return poison[c.ID] }, bloomreachtest.Failure{Status: status, Body: shape.Body("no good")})
		before := len(server.Received())

		results, err := client.Batch(context.Background(), commands)
		require.NoError(t, err)
		good := 0
		for i, result := range withoutRequestIDs(results) {
			if poison[commands[i].ID] {
				assert.Equal(t, rejected(commands[i].ID, "no good"), result)
				continue
			}
			good++
			assert.Equal(t, accepted(commands[i].ID)[0], result)
		}
		assert.Len(t, server.Received(), before+good)
		assert.Zero(t, server.Deduplicated())
	})
}
