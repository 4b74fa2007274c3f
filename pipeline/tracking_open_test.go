package pipeline_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// openRow is a position of what Bloomreach's documentation leaves open.
type openRow struct {
	name string
	set  func(*bloomreachtest.Server)
	dead []int // the events that are refused, of 60
	why  string
	// again is the largest number of events that may be sent again although they were accepted.
	again int
}

func seven(c bloomreachtest.Command) bool { return strings.HasSuffix(c.ID, ":7") }

func refuseSeven(s *bloomreachtest.Server) {
	s.RejectWhen(func(c bloomreachtest.Command) []string {
		if seven(c) {
			return []string{"no"}
		}
		return nil
	})
}

// second of the n-th event.
func second(n int) time.Time { return time.Date(2026, 3, 1, 10, 0, n, 0, time.UTC) }

func withNoIDs(set func(*bloomreachtest.Server)) func(*bloomreachtest.Server) {
	return func(s *bloomreachtest.Server) {
		s.EchoCommandIDs(false)
		set(s)
	}
}

// openRows are what Bloomreach may do with single events, in each position.
func openRows() []openRow {
	shuffled := func(s *bloomreachtest.Server) { s.ShuffleResults(true); refuseSeven(s) }
	cut := func(s *bloomreachtest.Server) { s.LimitCommands(20); s.TruncateBatches(true) }
	rows := []openRow{
		{name: "results with ids, in order", set: refuseSeven, dead: []int{7}, why: "no"},
		{name: "results with ids, in another order", set: shuffled, dead: []int{7}, why: "no"},
		{name: "results without ids, in order", set: withNoIDs(refuseSeven), dead: []int{7}, why: "no"},
		{name: "results without ids, in another order", set: withNoIDs(shuffled), dead: []int{7}, why: "no", again: 50},
		{name: "50 commands at most", set: func(*bloomreachtest.Server) {}},
		{name: "20 commands at most, more are refused", set: func(s *bloomreachtest.Server) { s.LimitCommands(20) }},
		{name: "20 commands at most, more are cut", set: cut},
		{name: "20 commands at most, more are cut, no ids", set: withNoIDs(cut), again: 60},
		{name: "more results than commands", set: func(s *bloomreachtest.Server) { s.AddResult(true) }},
		{name: "413 for half a batch", set: func(s *bloomreachtest.Server) { s.LimitBody(8_000) }},
		{name: "any body", set: func(s *bloomreachtest.Server) { s.LimitBody(0) }},
		{
			name: "oldest timestamp", set: func(s *bloomreachtest.Server) { s.LimitTimestamps(second(3), time.Time{}) },
			dead: []int{0, 1, 2}, why: "Timestamp is too old (simulator)",
		},
		{
			name: "newest timestamp", set: func(s *bloomreachtest.Server) { s.LimitTimestamps(time.Time{}, second(57)) },
			dead: []int{58, 59}, why: "Timestamp is too new (simulator)",
		},
		{name: "timestamps within the limits", set: func(s *bloomreachtest.Server) { s.LimitTimestamps(second(0), second(59)) }},
		{name: "values of 2 KiB at most", set: func(s *bloomreachtest.Server) { s.LimitValues(2 << 10) }},
		{name: "values of any length", set: func(s *bloomreachtest.Server) { s.LimitValues(0) }},
		{name: "names up to 64 bytes", set: func(s *bloomreachtest.Server) { s.LimitNames(64) }},
		{name: "ids up to 256 bytes", set: func(s *bloomreachtest.Server) { s.LimitIDs(256) }},
		{name: "a page with 403 for one event", set: blockSeven(bloomreachtest.FirewallPage()), dead: []int{7}, why: "403 Forbidden Request blocked Ray ID: 8a1b2c3d4e5f6789"},
		{
			name: "a page with 200 for one event", dead: []int{7}, why: "Are you human?",
			set: blockSeven(bloomreachtest.Failure{Status: http.StatusOK, Type: "text/html", Body: "<html>Are you human?</html>"}),
		},
		{name: "null is stored", set: func(s *bloomreachtest.Server) { s.TreatNull(bloomreachtest.NullStored) }},
		{name: "null is ignored", set: func(s *bloomreachtest.Server) { s.TreatNull(bloomreachtest.NullIgnored) }},
		{name: "null deletes", set: func(s *bloomreachtest.Server) { s.TreatNull(bloomreachtest.NullDeletes) }},
	}
	for _, shape := range []bloomreachtest.ErrorShape{
		bloomreachtest.ShapeMessage, bloomreachtest.ShapeError, bloomreachtest.ShapeList, bloomreachtest.ShapeObject,
	} {
		for _, status := range []int{http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity} {
			rows = append(rows, openRow{
				name: fmt.Sprintf("one event refuses the batch: %d, shape %s", status, shape), dead: []int{7}, why: "no",
				set: func(s *bloomreachtest.Server) {
					s.FailWhen(seven, bloomreachtest.Failure{Status: status, Body: shape.Body("no")})
				},
			})
		}
	}
	return rows
}

// blockSeven is a firewall that refuses the seventh subscription.
func blockSeven(page bloomreachtest.Failure) func(*bloomreachtest.Server) {
	return func(s *bloomreachtest.Server) {
		s.BlockWhen(func(body string) bool { return strings.Contains(body, `"subscription_id":"8"`) }, page)
	}
}

// Whatever Bloomreach does where its documentation is silent: each event is stored once, in the order of its timestamps, and the events that
// are really refused, and only these, become dead letters with the reason.
func TestTrackingOpenBehaviour(t *testing.T) {
	const events = 60
	for _, row := range openRows() {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, storeConfig{})
			row.set(w.bloomreach)
			untilDone(t, w.stage(topology.RoleTracking), w.eventRecords(events))
			var want, letters []string
			for i, id := range upTo(events) {
				if slices.Contains(row.dead, i) {
					letters = append(letters, fmt.Sprintf("%d bloomreach: %s", i, row.why))
				} else {
					want = append(want, id)
				}
			}
			var got []string
			for _, e := range w.bloomreach.Timeline("registered", "jo.bean@example.com") {
				got = append(got, e.Properties["subscription_id"].(string))
			}
			assert.Equal(t, want, got)
			assert.Equal(t, letters, w.letters())
			assert.LessOrEqual(t, w.bloomreach.Deduplicated(), row.again)
			assert.NotContains(t, w.outcomes.pauses, true)
			for _, c := range w.bloomreach.Received() {
				assert.NotContains(t, string(c.Data), "null")
			}
		})
	}
}

// letters are the offsets and the errors of the sink's dead letters.
func (w *world) letters() (list []string) {
	for _, letter := range w.dead(topology.RoleTracking) {
		list = append(list, letter.Header(deadletter.HeaderOffset)+" "+letter.Header(deadletter.HeaderError))
	}
	return list
}

// What is too long for Bloomreach's limits of names and ids is a dead letter; the others are stored.
func TestTrackingLongID(t *testing.T) {
	w := newWorld(t, storeConfig{})
	w.bloomreach.LimitIDs(64)
	records := w.eventRecords(3)
	records[1].Value = []byte(strings.Replace(string(records[1].Value), "jo.bean@", strings.Repeat("jo.bean.", 12)+"@", 1))
	assert.Empty(t, untilDone(t, w.stage(topology.RoleTracking), records))
	assert.Equal(t, []string{"1", "3"}, w.trackedIDs())
	assert.Equal(t, []string{"1 bloomreach: Id registered is too long (simulator)"}, w.letters())
}

// Values are cut to the documented limit of 16 KB. In a project with a smaller one a longer value is a dead letter, alone; in one without a
// limit it is cut nevertheless.
func TestTrackingLimitOfValues(t *testing.T) {
	long := strings.Repeat("House Blend ", 1500)
	for limit, dead := range map[int][]string{
		16_000: nil, 0: nil, 2 << 10: {"1 bloomreach: Property value is too long (simulator)"},
	} {
		w := newWorld(t, storeConfig{})
		w.bloomreach.LimitValues(limit)
		records := w.eventRecords(3)
		records[1].Value = []byte(strings.Replace(string(records[1].Value), "House Blend", long, 1))
		assert.Empty(t, untilDone(t, w.stage(topology.RoleTracking), records))
		assert.Equal(t, dead, w.letters())
		assert.Len(t, w.bloomreach.Events(), 3-len(dead))
		assert.Len(t, w.bloomreach.Timeline("registered", "jo.bean@example.com"), 3-len(dead))
		for _, e := range w.bloomreach.Events() {
			assert.Equal(t, e.Properties["subscription_id"] == "2", e.Properties["title_truncated"] == true)
		}
	}
}

// What concerns the store's project pauses the store, whatever the form of the answer, and says what to check. Nothing is a dead letter, and
// everything is stored when it is fixed.
func TestTrackingPausesForTheProject(t *testing.T) {
	const permissions = "check the permissions of the API key in Bloomreach: Events > Set for the event type, Customer properties > Set"
	tests := map[string]struct{ text, check string }{
		"token":      {"Could not authenticate", "check bloomreach.project"},
		"project":    {"Invalid project id", "check bloomreach.project"},
		"suspended":  {"Project is suspended", "check bloomreach.project"},
		"key":        {"Access key not found", "check bloomreach.key_id and bloomreach.secret, or bloomreach.token"},
		"secret":     {"invalid secret", "check bloomreach.key_id and bloomreach.secret, or bloomreach.token"},
		"permission": {"Not authorized to add event of specified type", permissions},
		"quota":      {"Quota of events exceeded", "check the usage limits of the Bloomreach project"},
	}
	for name, test := range tests {
		forms := map[string]func(*bloomreachtest.Server){
			"inside 200": func(s *bloomreachtest.Server) {
				s.RejectWhen(func(bloomreachtest.Command) []string { return []string{test.text} })
			},
		}
		for _, shape := range []bloomreachtest.ErrorShape{bloomreachtest.ShapeMessage, bloomreachtest.ShapeObject} {
			for _, status := range []int{http.StatusOK, http.StatusBadRequest, http.StatusForbidden} {
				forms[fmt.Sprintf("%d %s", status, shape)] = func(s *bloomreachtest.Server) {
					s.BlockWhen(func(string) bool { return true }, bloomreachtest.Failure{Status: status, Body: shape.Body(test.text)})
				}
			}
		}
		for form, set := range forms {
			t.Run(name+" "+form, func(t *testing.T) {
				w := newWorld(t, storeConfig{})
				set(w.bloomreach)
				done, err := w.handle(w.stage(topology.RoleTracking), w.eventRecords(3))
				require.ErrorContains(t, err, test.text)
				require.ErrorContains(t, err, test.check)
				assert.Zero(t, done)
				assert.Equal(t, []bool{true}, w.outcomes.pauses)

				w.bloomreach.BlockWhen(nil, bloomreachtest.Failure{})
				w.bloomreach.RejectWhen(nil)
				assert.Empty(t, untilDone(t, w.stage(topology.RoleTracking), w.eventRecords(3)))
				assert.Equal(t, upTo(3), w.trackedIDs())
				assert.Empty(t, w.letters())
				assert.False(t, w.outcomes.pauses[len(w.outcomes.pauses)-1])
			})
		}
	}
}

// Events beyond a limit of their type wait until it allows them. Those of other types do not.
func TestTrackingLimitOfAType(t *testing.T) {
	w := newWorld(t, storeConfig{})
	w.bloomreach.SetClock(w.clock)
	w.bloomreach.LimitEvents("subscription", 4, time.Minute)
	records := append(w.eventRecords(6), w.sinkRecord("recharge.events", schemas.SubscriptionCharge, 9, chargeEvent()))
	left, err := handle(t.Context(), w.stage(topology.RoleTracking), nil, records)
	require.ErrorContains(t, err, "Too Many Requests")
	assert.Len(t, left, 2)
	assert.Len(t, w.bloomreach.Events(), 5)
	w.later(2 * time.Minute)
	assert.Empty(t, untilDone(t, w.stage(topology.RoleTracking), left))
	assert.Len(t, w.bloomreach.Events(), 7)
	assert.Empty(t, w.letters())
	assert.NotContains(t, w.outcomes.pauses, true)
}

// Events of one timestamp are all stored, in whatever order Bloomreach shows them, and an update of the property with the timestamp of the last
// one changes nothing, whichever wins.
func TestTrackingEqualTimestamps(t *testing.T) {
	for _, position := range []bool{false, true} {
		w := newWorld(t, storeConfig{NoAPI: true})
		w.bloomreach.ReverseEqualTimestamps(position)
		w.bloomreach.OverwriteOnEqualTimestamp(position)
		at := second(0)
		var records []kafka.Record
		for n := range 3 {
			records = append(records, w.sinkRecord("recharge.events", schemas.Subscription, n, subscriber.Event{
				ID: fmt.Sprintf("%032x", n), Type: subscriber.EventSubscription, Status: subscriber.StatusCreated, Store: store, OccurredAt: at,
				RechargeCustomerID: "246936001", Email: "jo.bean@example.com", Subscription: &subscriber.Subscription{ID: strconv.Itoa(n + 1)},
			}))
		}
		assert.Empty(t, untilDone(t, w.stage(topology.RoleTracking), records))
		var got []string
		for _, e := range w.bloomreach.Timeline("registered", "jo.bean@example.com") {
			got = append(got, e.Properties["subscription_id"].(string))
		}
		assert.ElementsMatch(t, upTo(3), got)

		// created, cancelled and activated in one second: the property ends as the subscription does
		for i, step := range []struct{ topic, status, cancelled string }{
			{"subscription/created", "active", ""}, {"subscription/cancelled", "cancelled", `"2026-03-01T10:00:00+00:00"`}, {"subscription/activated", "active", ""},
		} {
			body := strings.Replace(subscriptionBody("784594001", joBean), `"status":"active"`, `"status":"`+step.status+`"`, 1)
			if step.cancelled != "" {
				body = strings.Replace(body, `"quantity":2`, `"quantity":2,"cancelled_at":`+step.cancelled, 1)
			}
			answer := w.post("/webhooks/acme/"+step.topic, w.signed([]byte(body)), []byte(body))
			require.Equal(t, http.StatusOK, answer.Code, "step %d", i)
		}
		customer, found := w.bloomreach.Customer("registered", "jo.bean@example.com")
		require.True(t, found)
		var last any
		for _, r := range w.topics.since("recharge.events", 0) {
			if e, err := subscriber.NewEventDecoder(subscriber.Portal{}).Decode(r.Value); err == nil && e.Property != nil {
				last = e.Property.Value
			}
		}
		assert.NotNil(t, last)
		assert.Equal(t, last, customer[subscriber.PropertyActive], "the last value that was published")
	}
}

// A profile's second id may belong to another profile. Whatever Bloomreach makes of that, each event is stored or is a dead letter, alone.
func TestTrackingTwoProfiles(t *testing.T) {
	for setting, dead := range map[bloomreachtest.TwoProfiles][]string{
		bloomreachtest.ToFirst: nil, bloomreachtest.ToLast: nil,
		bloomreachtest.Refused: {"1 bloomreach: Ids belong to different customers (simulator)"},
	} {
		w := newWorld(t, storeConfig{SecondIDName: "recharge_id"})
		w.bloomreach.TreatTwoProfiles(setting)
		records := w.eventRecords(3)
		replace := func(n int, old, changed string) {
			records[n].Value = []byte(strings.Replace(string(records[n].Value), old, changed, 1))
		}
		replace(0, "jo.bean@", "max.bean@")             // a customer of the e-mail max.bean and the id 246936001
		replace(2, `"246936001"`, `"246936002"`)        // a customer of jo.bean and 246936002
		records[1], records[2] = records[2], records[1] // and last one of jo.bean and 246936001
		records[1].Offset, records[2].Offset = 2, 1
		assert.Empty(t, untilDone(t, w.stage(topology.RoleTracking), records))
		assert.Equal(t, dead, w.letters())
		assert.Len(t, w.bloomreach.Events(), 3-len(dead))
		assert.NotContains(t, w.outcomes.pauses, true)
	}
}
