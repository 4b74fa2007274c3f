package bloomreachtest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

// change replaces parts of the event.
func change(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(event) }

func both(first, second string) string { return `{"commands":[` + first + `,` + second + `]}` }

// openBehaviours are limits whose size is not documented, and what else the documentation leaves open. Each has a row in both positions;
// the default is among the others.
func openBehaviours() []behaviour {
	const within, noon = `1700000000.5`, 1_700_000_000
	older, long := change(within, "1600000000"), strings.Repeat("x", 40)
	return []behaviour{
		{
			name: "a timestamp of any age is accepted", source: unknown,
			body: both(older, change(within, "9900000000")), sees: []string{`200 [ok e1] [ok e1]`}, stored: 2,
		},
		{
			name: "oldest timestamp", source: unknown,
			on:   func(s *bloomreachtest.Server) { s.LimitTimestamps(time.Unix(noon, 0), time.Time{}) },
			body: both(older, event), sees: []string{`200 [Timestamp is too old (simulator) e1] [ok e1]`}, stored: 1,
		},
		{
			name: "newest timestamp", source: unknown,
			on:   func(s *bloomreachtest.Server) { s.LimitTimestamps(time.Time{}, time.Unix(noon, 0)) },
			body: both(event, older), sees: []string{`200 [Timestamp is too new (simulator) e1] [ok e1]`}, stored: 1,
		},
		{
			name: "length of an id", source: unknown,
			on:   func(s *bloomreachtest.Server) { s.LimitIDs(39) },
			body: both(change("ann", long), event), sees: []string{`200 [Id registered is too long (simulator) e1] [ok e1]`}, stored: 1,
		},
		{
			name: "length of an id's name", source: unknown,
			on:   func(s *bloomreachtest.Server) { s.LimitNames(39) },
			body: both(change("registered", long), event), sees: []string{`200 [Id name is too long (simulator) e1] [ok e1]`}, stored: 1,
		},
		{
			name: "length of an event type", source: unknown,
			on:   func(s *bloomreachtest.Server) { s.LimitNames(39) },
			body: both(change("subscription", long), event), sees: []string{`200 [Event type is too long (simulator) e1] [ok e1]`}, stored: 1,
		},
		{
			name: "length of a property's name", source: unknown,
			on:   func(s *bloomreachtest.Server) { s.LimitNames(39) },
			body: both(change("price", long), event), sees: []string{`200 [Property name is too long (simulator) e1] [ok e1]`}, stored: 1,
		},
		{
			name: "names and ids of any length", source: unknown,
			body: both(change("ann", long, "price", long), event), sees: []string{`200 [ok e1] [ok e1]`}, stored: 2,
		},
		{
			name: "another limit of a property value", source: docs + "tracking has 2 KiB for some projects",
			on:   func(s *bloomreachtest.Server) { s.LimitValues(30) },
			body: both(change("18.50", `"`+long+`"`), event), sees: []string{`200 [Property value is too long (simulator) e1] [ok e1]`}, stored: 1,
		},
		{
			name: "a property value of any length", source: unknown,
			on:   func(s *bloomreachtest.Server) { s.LimitValues(0) },
			body: both(change("18.50", `"`+strings.Repeat("x", 20_000)+`"`), event), sees: []string{`200 [ok e1] [ok e1]`}, stored: 2,
		},
		{
			name: "a limit of events of a type", source: unknown,
			on: func(s *bloomreachtest.Server) {
				s.SetClock(everyRequest(s, 40*time.Second))
				s.LimitEvents("subscription", 1, time.Minute)
			},
			body: both(event, update),
			sees: []string{`200 [ok e1] [ok u1]`, `200 [Too Many Requests e1] [ok u1]`, `200 [ok e1] [ok u1]`}, stored: 1,
		},
		{
			name: "fewer commands than 50: the batch is refused", source: unknown,
			on:   func(s *bloomreachtest.Server) { s.LimitCommands(1) },
			sees: []string{`400 {"message":"Too many commands (simulator)","success":false}`},
		},
		{
			name: "fewer commands than 50: the rest is cut off", source: unknown,
			on: func(s *bloomreachtest.Server) {
				s.LimitCommands(1)
				s.TruncateBatches(true)
			},
			sees: []string{`200 [ok e1]`}, stored: 1,
		},
		{
			name: "more results than commands", source: unknown,
			on:   func(s *bloomreachtest.Server) { s.AddResult(true) },
			sees: []string{`200 [ok e1] [ok u1] [ok of no command]`}, stored: 1,
		},
		{
			name: "more results than commands, without command_id", source: unknown,
			on: func(s *bloomreachtest.Server) {
				s.AddResult(true)
				s.EchoCommandIDs(false)
			},
			sees: []string{`200 [ok ] [ok ] [ok ]`}, stored: 1,
		},
		{
			name: "ids of two profiles: refused", source: unknown,
			on: func(s *bloomreachtest.Server) { s.TreatTwoProfiles(bloomreachtest.Refused) },
			body: `{"commands":[` + event + `,` + change(`"registered":"ann"`, `"recharge_id":"7"`) + `,` +
				change(`"registered":"ann"`, `"registered":"ann","recharge_id":"7"`, "18.50", "9") + `]}`,
			sees: []string{`200 [ok e1] [ok e1] [Ids belong to different customers (simulator) e1]`}, stored: 2,
		},
		{
			name: "a page instead of JSON, with 200", source: unknown + "; a proxy's page",
			on:   fails(bloomreachtest.Failure{Status: http.StatusOK, Type: "text/html", Body: "<html>Are you human?</html>"}),
			sees: []string{`200 <html>Are you human?</html>`},
		},
	}
}

// Whose event it is if its ids belong to two profiles.
func TestTwoProfiles(t *testing.T) {
	two := change(`"registered":"ann"`, `"registered":"ann","recharge_id":"7"`, "18.50", "9")
	for setting, want := range map[bloomreachtest.TwoProfiles][2]int{
		bloomreachtest.ToFirst: {1, 2}, bloomreachtest.ToLast: {2, 1}, bloomreachtest.Refused: {1, 1},
	} {
		server := start(t)
		server.TreatTwoProfiles(setting)
		send(t, server, event, change(`"registered":"ann"`, `"recharge_id":"7"`), two)
		assert.Equal(t, want, [2]int{len(server.Timeline("registered", "ann")), len(server.Timeline("recharge_id", "7"))})
	}
}

// In which order a scenario sees events of one timestamp.
func TestReverseEqualTimestamps(t *testing.T) {
	for _, reverse := range []bool{false, true} {
		server := start(t)
		server.ReverseEqualTimestamps(reverse)
		send(t, server, event, change("created", "activated"), change("created", "earlier", "1700000000.5", "1"))
		var statuses []any
		for _, e := range server.Timeline("registered", "ann") {
			statuses = append(statuses, e.Properties["status"])
		}
		want := []any{"earlier", "created", "activated"}
		if reverse {
			want = []any{"earlier", "activated", "created"}
		}
		assert.Equal(t, want, statuses)
	}
}

// What null does to an event and to a profile.
func TestTreatNull(t *testing.T) {
	set := func(at, value string) string {
		return strings.NewReplacer("1700000000", at, "true", value).Replace(update)
	}
	for null, want := range map[bloomreachtest.Null][2]map[string]any{
		bloomreachtest.NullStored:  {{"status": "created", "price": nil}, {"active": nil}},
		bloomreachtest.NullIgnored: {{"status": "created"}, {"active": true}},
		bloomreachtest.NullDeletes: {{"status": "created"}, {}},
	} {
		server := start(t)
		server.TreatNull(null)
		send(t, server, change("18.50", "null"), set("1", "true"), set("2", "null"))
		customer, _ := server.Customer("registered", "ann")
		assert.Equal(t, want, [2]map[string]any{server.Events()[0].Properties, customer})
	}
}
