package bloomreachtest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

func TestResultSettings(t *testing.T) {
	both := []result{{Success: true, CommandID: "e1"}, {Success: true, CommandID: "u1"}}
	tests := []struct {
		name   string
		set    func(*bloomreachtest.Server)
		want   []result
		stored int // events
	}{
		{"default", func(*bloomreachtest.Server) {}, both, 1},
		{"no command ids", func(s *bloomreachtest.Server) { s.EchoCommandIDs(false) }, []result{{Success: true}, {Success: true}}, 1},
		{"shuffled", func(s *bloomreachtest.Server) { s.ShuffleResults(true) }, []result{both[1], both[0]}, 1},
		{"no results", func(s *bloomreachtest.Server) { s.OmitResults(true) }, nil, 1},
		{"one result missing", func(s *bloomreachtest.Server) {
			s.OmitResultsOf(func(c bloomreachtest.Command) bool { return c.ID == "e1" })
		}, both[1:], 1},
		{"rejected", func(s *bloomreachtest.Server) {
			s.RejectWhen(func(c bloomreachtest.Command) []string {
				if c.Name == "customers" {
					return []string{"too old", "too long"}
				}
				return nil
			})
		}, []result{both[0], {CommandID: "u1", Errors: []string{"too old", "too long"}}}, 1},
		{"events forbidden", func(s *bloomreachtest.Server) { s.ForbidEvents("other", "subscription") }, []result{
			{CommandID: "e1", Errors: []string{"Not authorized to add event of specified type"}}, both[1],
		}, 0},
		{"updates forbidden", func(s *bloomreachtest.Server) { s.ForbidUpdates(true) }, []result{
			both[0], {CommandID: "u1", Errors: []string{"not authorized to update specified customer properties"}},
		}, 1},
		{"events allowed again", func(s *bloomreachtest.Server) { s.ForbidEvents("subscription"); s.ForbidEvents() }, both, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := start(t)
			test.set(server)
			assert.Equal(t, test.want, send(t, server, event, update).results(t))
			assert.Len(t, server.Events(), test.stored)
		})
	}
}

func TestFailNext(t *testing.T) {
	server := start(t)
	server.FailNext(2, bloomreachtest.Failure{Status: 429, Body: "slow down", RetryAfter: "7"})
	server.FailNext(1, bloomreachtest.Failure{Status: 500, Body: bloomreachtest.ShapeMessage.Body("API is unavailable")})
	for _, want := range []reply{
		{status: 429, body: "slow down"},
		{status: 429, body: "slow down"},
		{status: 500, body: `{"message":"API is unavailable","success":false}`},
	} {
		answer := send(t, server, event)
		assert.Equal(t, want.status, answer.status)
		assert.Equal(t, want.body, answer.body)
		assert.Equal(t, want.status == 429, answer.header.Get("Retry-After") == "7")
	}
	assert.Empty(t, server.Received(), "a failed request is not applied")
	assert.Equal(t, 200, send(t, server, event).status)
	assert.Equal(t, 4, server.Requests())
}

func TestFailWhen(t *testing.T) {
	server := start(t)
	server.FailWhen(func(c bloomreachtest.Command) bool { return c.ID == "u1" },
		bloomreachtest.Failure{Status: 400, Body: bloomreachtest.ShapeMessage.Body("Invalid JSON")})
	assert.Equal(t, 400, send(t, server, event, update).status)
	assert.Empty(t, server.Received())
	assert.Equal(t, 200, send(t, server, event).status)
	server.FailWhen(nil, bloomreachtest.Failure{})
	assert.Equal(t, 200, send(t, server, update).status)
}

func TestErrorShapes(t *testing.T) {
	for shape, want := range map[bloomreachtest.ErrorShape]string{
		bloomreachtest.ShapeMessage: `{"message":"No commands","success":false}`,
		bloomreachtest.ShapeError:   `{"error":"No commands","success":false}`,
		bloomreachtest.ShapeList:    `{"errors":["No commands"],"success":false}`,
		bloomreachtest.ShapeObject:  `{"errors":{"_global":["No commands"]},"success":false}`,
	} {
		server := start(t)
		server.SetErrorShape(shape)
		assert.Equal(t, want, send(t, server).body)
	}
}

func TestLimitBody(t *testing.T) {
	server := start(t)
	server.LimitBody(len(event) + 20)
	assert.Equal(t, http.StatusRequestEntityTooLarge, send(t, server, event, update).status)
	assert.Equal(t, http.StatusOK, send(t, server, event).status)
}

func TestTruncateBatches(t *testing.T) {
	server := start(t)
	server.TruncateBatches(true)
	commands := make([]string, 51)
	for i := range commands {
		commands[i] = strings.Replace(event, `18.50`, fmt.Sprint(i), 1)
	}
	assert.Len(t, send(t, server, commands...).results(t), 50)
	assert.Len(t, server.Events(), 50)
}

func TestRotateKey(t *testing.T) {
	server := start(t)
	server.RotateKey(bloomreachtest.KeyID, "new")
	assert.Equal(t, http.StatusForbidden, send(t, server, event).status)
	r := request(t, server, `{"commands":[`+event+`]}`)
	r.SetBasicAuth(bloomreachtest.KeyID, "new")
	assert.Equal(t, http.StatusOK, do(t, server, r).status)
}

func TestDropAfterApplying(t *testing.T) {
	server := start(t)
	server.DropAfterApplying(1)
	_, err := server.Client().Do(request(t, server, `{"commands":[`+event+`]}`)) //nolint:bodyclose // there is no answer
	require.Error(t, err)
	assert.Len(t, server.Events(), 1, "applied without an answer")
	assert.Equal(t, http.StatusOK, send(t, server, event).status)
	assert.Equal(t, 1, server.Deduplicated())
}

func TestOnRequestCanHang(t *testing.T) {
	server := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	server.OnRequest(func(r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := server.Client().Do(request(t, server, `{"commands":[`+event+`]}`).WithContext(ctx)) //nolint:bodyclose // there is no answer
	require.ErrorIs(t, err, context.Canceled)
	server.OnRequest(nil)
	assert.Equal(t, http.StatusOK, send(t, server, update).status)
	assert.Empty(t, server.Events(), "a request that hangs is not applied")
	assert.Equal(t, 2, server.Requests())
}

func TestServesAsHandler(t *testing.T) {
	server := start(t)
	var handler http.Handler = server
	r := request(t, server, `{"commands":[`+event+`]}`)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	assert.Equal(t, http.StatusOK, recorder.Code)
	assert.Len(t, server.Events(), 1)
}
