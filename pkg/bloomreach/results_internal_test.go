package bloomreach

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A response that is read quickly says the same when it is read in full.
func FuzzAcceptsAll(f *testing.F) {
	for _, body := range []string{
		`{"results":[{"success":true,"command_id":"e0"},{"success":true,"command_id":"e1"}],"success":true}`,
		`{"start_time":1.5,"end_time":2,"results":[{"success":true},{"time":0.1,"success":true}],"success":true}`,
		` {"results" : [ {"success" : true , "errors":[]} , {"success":true} ] } `,
		`{"results":[{"success":true,"command_id":"e1"},{"success":true,"command_id":"e0"}]}`,
		`{"results":[{"success":true,"success":true},{}]}`, `{"results":[{"success":true,"success":false},{"success":true}]}`,
		`{"results":[{"success":true,"command_id":"e0"},{"success":true}]}`, `{"results":[{"success":true},{"success":true},{"success":true}]}`,
		`{"results":[{"success":true}]}`, `{"results":[{"success":true},{"success":true}],"results":[]}`, `{"results":[{"success":true},{"success":true}],"success":false}`,
		`{"results":[{"success":true},{"success":true}],"success":"true"}`, `{"results":[{"success":true,"command_id":7},{"success":true}]}`,
		`{"results":[{"success":true,"command_id":"\u0065\u0030"},{"success":true,"command_id":"e1"}]}`,
		`{"results":[{"success":true,"command_id":null},{"success":true,"command_id":null}]}`,
		`{"results":[{"success":true},{"success":true}]`, `{"success":true}`, `[]`, `null`, ``, `<html>`, `{"results":{"a":1}}`, `{"results":[true,true]}`,
		`{"\u0072esults":[{"success":true},{"success":true}]}`, `{"results":[],"results":[{"success":true},{"success":true}]}`,
	} {
		f.Add(200, body)
		f.Add(500, body)
	}
	client, err := New(Config{BaseURL: "https://api.example", ProjectToken: "project-token", Auth: PublicToken("public-token")})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, status int, body string) {
		batch := []pendingCommand{{Command: Command{ID: "e0"}, result: &Result{ID: "e0"}}, {Command: Command{ID: "e1"}, result: &Result{ID: "e1"}}}
		a := answer{status: status, body: []byte(body)}
		if !acceptsAll(a, batch) {
			return
		}
		require.NoError(t, client.classify(a))
		require.NoError(t, client.applyResults(a, batch))
		for _, s := range batch {
			assert.Equal(t, Accepted, s.result.Outcome)
		}
	})
}

// What Bloomreach sends is read quickly.
func TestAcceptsAll(t *testing.T) {
	batch := []pendingCommand{{Command: Command{ID: "e0"}}, {Command: Command{ID: "e1"}}}
	for body, want := range map[string]bool{
		`{"results":[{"success":true,"command_id":"e0"},{"success":true,"command_id":"e1"}],"success":true}`:      true,
		`{"start_time":1.5,"end_time":2,"results":[{"success":true},{"time":0.1,"success":true}],"success":true}`: true,
		`{"results":[{"success":true,"success":true},{}]}`:                                                        false,
		`{"results":[{"success":true,"command_id":"e1"},{"success":true,"command_id":"e0"}]}`:                     false,
	} {
		assert.Equal(t, want, acceptsAll(answer{status: 200, body: []byte(body)}, batch), body)
	}
}
