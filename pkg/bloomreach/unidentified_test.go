package bloomreach_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

// Whether results have command_id or not, and in whatever order they are: exactly the commands that Bloomreach refuses are rejected, and
// all others are stored. Only results in another order without command_id make the client send accepted commands again, once.
func TestOutcomesInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		server := bloomreachtest.New()
		defer server.Close()
		echo, shuffle := rapid.Bool().Draw(t, "echo"), rapid.Bool().Draw(t, "shuffle")
		server.EchoCommandIDs(echo)
		server.ShuffleResults(shuffle)
		server.RejectWhen(func(c bloomreachtest.Command) []string {
			if _, why, refused := strings.Cut(c.ID, " "); refused {
				return []string{why}
			}
			return nil
		})
		client, err := bloomreach.New(config(server))
		require.NoError(t, err)
		var commands []bloomreach.Command
		var want []bloomreach.Result
		good := 0
		for i := range rapid.IntRange(1, 50).Draw(t, "commands") {
			id := fmt.Sprint("e", i)
			if why := rapid.SampledFrom([]string{"", "", "", "too old", "too long"}).Draw(t, "refused"); why != "" {
				want, id = append(want, rejected(id+" "+why, why)), id+" "+why
			} else {
				want, good = append(want, accepted(id)...), good+1
			}
			commands = append(commands, event(t, id))
		}
		results, err := client.Batch(context.Background(), commands)
		require.NoError(t, err)
		assert.Equal(t, want, withoutRequestIDs(results))
		assert.Len(t, server.Events(), good)
		if echo || !shuffle {
			assert.Zero(t, server.Deduplicated())
			return
		}
		assert.LessOrEqual(t, server.Deduplicated(), good)
		assert.LessOrEqual(t, server.Requests(), 1+len(commands))
	})
}

// What is not about a command waits, also if results have no command_id, and whatever their order is. The others are accepted.
func TestErrorsInAnyOrder(t *testing.T) {
	update, err := bloomreach.NewCustomerUpdate("u", bloomreach.CustomerUpdate{
		CustomerIDs: map[string]string{"registered": "ann"}, Properties: values{"active": true}.properties(), UpdateTimestamp: "1",
	})
	require.NoError(t, err)
	tests := map[string]struct {
		set   func(*bloomreachtest.Server)
		class bloomreach.Class
	}{
		"no permission": {func(s *bloomreachtest.Server) { s.ForbidUpdates(true) }, bloomreach.ClassConfig},
		"busy": {func(s *bloomreachtest.Server) {
			s.RejectWhen(func(c bloomreachtest.Command) []string { return map[string][]string{"u": {"Too Many Requests"}}[c.ID] })
		}, bloomreach.ClassRetry},
		"no results for it": {func(s *bloomreachtest.Server) {
			s.OmitResultsOf(func(c bloomreachtest.Command) bool { return c.ID == "u" })
		}, bloomreach.ClassUnknown},
	}
	for name, test := range tests {
		for _, shuffle := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ", shuffle), func(t *testing.T) {
				server := start(t)
				server.EchoCommandIDs(false)
				server.ShuffleResults(shuffle)
				test.set(server)
				client, commands := newClient(t, config(server)), append(events(t, 4), update)
				results, err := client.Batch(t.Context(), commands)
				requireClass(t, err, test.class)
				for _, r := range results {
					assert.NotEqual(t, bloomreach.Rejected, r.Outcome)
				}
				assert.Equal(t, bloomreach.Unanswered, results[4].Outcome)
				assert.Len(t, server.Events(), 4)

				server.ForbidUpdates(false)
				server.RejectWhen(nil)
				server.OmitResultsOf(nil)
				results, err = client.Batch(t.Context(), commands)
				require.NoError(t, err)
				assert.Equal(t, "aaaaa", outcomes(results))
				assert.Len(t, server.Events(), 4)
			})
		}
	}
}

// Nothing is accepted because of a guess that could not be tested.
func TestGuessThatCannotBeTested(t *testing.T) {
	client, requests := answered(t,
		bloomreachtest.Failure{Status: 200, Body: `{"success":true,"results":[{"success":true},{"success":false,"errors":["bad"]}]}`},
		bloomreachtest.Failure{})
	results, err := client.Batch(t.Context(), events(t, 2))
	requireClass(t, err, bloomreach.ClassRetry)
	assert.Equal(t, "uu", outcomes(results))
	assert.Equal(t, 2, *requests)
}

// Fewer results than commands, or more: what has a result is accepted, and the rest is sent until it has one.
func TestOtherNumberOfResults(t *testing.T) {
	for name, set := range map[string]func(*bloomreachtest.Server){
		"fewer": func(s *bloomreachtest.Server) {
			s.LimitCommands(20)
			s.TruncateBatches(true)
		},
		"refused": func(s *bloomreachtest.Server) { s.LimitCommands(20) },
		"more":    func(s *bloomreachtest.Server) { s.AddResult(true) },
	} {
		for _, echo := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " ", echo), func(t *testing.T) {
				server := start(t)
				server.EchoCommandIDs(echo)
				set(server)
				client, left := newClient(t, config(server)), events(t, 50)
				for tries := 0; len(left) > 0 && tries < 10; tries++ {
					results, err := client.Batch(t.Context(), left)
					if err != nil {
						requireClass(t, err, bloomreach.ClassUnknown)
					}
					var again []bloomreach.Command
					for i, r := range results {
						require.NotEqual(t, bloomreach.Rejected, r.Outcome)
						if r.Outcome == bloomreach.Unanswered {
							again = append(again, left[i])
						}
					}
					left = again
					if name == "more" && !echo {
						server.AddResult(false) // nothing can be known until then
					}
				}
				assert.Empty(t, left)
				assert.Len(t, server.Events(), 50)
			})
		}
	}
}
