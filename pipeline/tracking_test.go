package pipeline_test

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// untilDone gives a stage the records until each has an outcome, and returns the
// errors.
func untilDone(t *testing.T, stage *stage.Stage, records []kafka.Record) []error {
	t.Helper()
	const patience = 20
	var failures []error
	for len(records) > 0 {
		left, err := handle(t.Context(), stage, nil, records)
		records = left
		if err != nil {
			failures = append(failures, err)
		}
		require.LessOrEqual(t, len(failures), patience, "%v", err)
	}
	return failures
}

// trackedIDs are the subscriptions of the events that Bloomreach stored.
func (w *world) trackedIDs() []string {
	var found []string
	for _, e := range w.bloomreach.Events() {
		found = append(found, e.Properties["subscription_id"].(string))
	}
	return found
}

// upTo are the subscriptions of the first n event records.
func upTo(n int) []string {
	found := make([]string, n)
	for i := range found {
		found[i] = strconv.Itoa(i + 1)
	}
	return found
}

func (w *world) dead(role topology.Role) []kafka.Record {
	return w.topics.since(topology.Topics{}.DeadLetters(role), 0)
}

// Another store's records belong to that store's group: they are not decoded.
func TestTrackingIgnoresOtherStores(t *testing.T) {
	w := newWorld(t, storeConfig{})
	other := kafka.Record{
		Topic: "recharge.events", Value: []byte("\x00 not JSON"),
		Headers: []kafka.Header{{Key: envelope.HeaderStore, Value: []byte("another")}},
	}
	own := w.eventRecords(2)
	done, err := w.handle(w.stage(topology.RoleTracking), []kafka.Record{other, own[0], other, own[1], other})
	require.NoError(t, err)
	assert.Equal(t, 5, done)
	assert.Equal(t, upTo(2), w.trackedIDs())
	assert.Equal(t, []string{"tracking done", "tracking done"}, w.outcomes.lines)
	assert.Equal(t, 2, strings.Count(w.log.String(), "record handled"))

	requests := w.bloomreach.Requests()
	done, err = w.handle(w.stage(topology.RoleTracking), []kafka.Record{other, other})
	require.NoError(t, err)
	assert.Equal(t, 2, done)
	assert.Equal(t, requests, w.bloomreach.Requests(), "no command, no request")
}

// A request has 50 commands; later records follow in the next.
func TestTrackingSplitsRequests(t *testing.T) {
	w := newWorld(t, storeConfig{})
	records := w.eventRecords(120)
	for _, want := range []int{50, 50, 20} {
		done, err := w.handle(w.stage(topology.RoleTracking), records)
		require.NoError(t, err)
		assert.Equal(t, want, done)
		records = records[done:]
	}
	assert.Equal(t, upTo(120), w.trackedIDs())
	assert.Equal(t, 3, w.bloomreach.Requests())
}

// Records without a command don't count for the size of a request.
func TestTrackingCountsCommandsOnly(t *testing.T) {
	w := newWorld(t, storeConfig{})
	other := kafka.Record{Topic: "recharge.events", Headers: []kafka.Header{{Key: envelope.HeaderStore, Value: []byte("another")}}}
	broken := w.eventRecord(0)
	broken.Value = []byte(`{"type":"subscription"}`)
	var records []kafka.Record
	for _, r := range w.eventRecords(60) {
		records = append(records, other, broken, r)
	}
	done, err := w.handle(w.stage(topology.RoleTracking), records)
	require.NoError(t, err)
	assert.Equal(t, 150, done)
	assert.Equal(t, upTo(50), w.trackedIDs())
	assert.Len(t, w.dead(topology.RoleTracking), 50)
	untilDone(t, w.stage(topology.RoleTracking), records[done:])
	assert.Equal(t, upTo(60), w.trackedIDs())
	assert.Equal(t, 60, w.outcomes.count("tracking rejected malformed"))
	assert.Equal(t, 60, w.outcomes.count("tracking done"))
}

// With wrong credentials all events wait until they are fixed.
func TestTrackingWrongCredentials(t *testing.T) {
	w := newWorld(t, storeConfig{})
	w.bloomreach.RotateKey("new-id", "new-secret")
	records := w.eventRecords(3)
	for range 3 {
		done, err := w.handle(w.stage(topology.RoleTracking), records)
		require.ErrorContains(t, err, "check bloomreach.key_id and bloomreach.secret")
		assert.Zero(t, done)
	}
	assert.Equal(t, []string{"tracking paused", "tracking paused", "tracking paused"}, w.outcomes.lines)
	assert.Equal(t, []bool{true, true, true}, w.outcomes.pauses)
	assert.Empty(t, w.dead(topology.RoleTracking))

	w.bloomreach.RotateKey(bloomreachtest.KeyID, bloomreachtest.KeySecret)
	done, err := w.handle(w.stage(topology.RoleTracking), records)
	require.NoError(t, err)
	assert.Equal(t, 3, done)
	assert.Equal(t, []bool{true, true, true, false}, w.outcomes.pauses)
	assert.Equal(t, upTo(3), w.trackedIDs())
}

// A missing permission shows only for its event types: other events of the request
// have an outcome as far as the order allows.
func TestTrackingMissingPermission(t *testing.T) {
	w := newWorld(t, storeConfig{})
	w.bloomreach.ForbidEvents("subscription")
	done, err := w.handle(w.stage(topology.RoleTracking), w.eventRecords(2))
	require.ErrorContains(t, err, "Not authorized to add event")
	assert.Zero(t, done)
	assert.Equal(t, []bool{true}, w.outcomes.pauses)
	assert.Empty(t, w.dead(topology.RoleTracking))
	w.bloomreach.ForbidEvents()
	untilDone(t, w.stage(topology.RoleTracking), w.eventRecords(2))
	assert.Equal(t, upTo(2), w.trackedIDs())
}

// After any failure Bloomreach has each event once in the end.
func TestTrackingRetries(t *testing.T) {
	third := func(c bloomreachtest.Command) bool { return strings.HasSuffix(c.ID, ":2") }
	tests := []struct {
		name         string
		fail         func(*bloomreachtest.Server)
		deduplicated int
		pause        time.Duration // the Retry-After
	}{
		{"rate limit", func(s *bloomreachtest.Server) {
			s.FailNext(2, bloomreachtest.Failure{Status: http.StatusTooManyRequests, RetryAfter: "9"})
		}, 0, 9 * time.Second},
		{"rate limit without Retry-After", func(s *bloomreachtest.Server) {
			s.FailNext(2, bloomreachtest.Failure{Status: http.StatusTooManyRequests})
		}, 0, 0},
		{"busy, inside 200", func(s *bloomreachtest.Server) {
			busy := 5
			s.RejectWhen(func(bloomreachtest.Command) []string {
				if busy--; busy >= 0 {
					return []string{"API is unavailable"}
				}
				return nil
			})
		}, 0, 0},
		{"reset", func(s *bloomreachtest.Server) { s.FailNext(2, bloomreachtest.Failure{Reset: true}) }, 0, 0},
		{"reset after they were accepted", func(s *bloomreachtest.Server) { s.FailNext(1, bloomreachtest.Failure{Reset: true, Applied: true}) }, 5, 0},
		{"half an answer", func(s *bloomreachtest.Server) {
			s.FailNext(2, bloomreachtest.Failure{Status: http.StatusOK, Body: `{"success":true,"resu`, Applied: true})
		}, 10, 0},
		{"unavailable", func(s *bloomreachtest.Server) {
			s.FailNext(3, bloomreachtest.Failure{Status: http.StatusServiceUnavailable, Body: "<html>"})
		}, 0, 0},
		{"failed", func(s *bloomreachtest.Server) {
			s.FailNext(1, bloomreachtest.Failure{Status: http.StatusInternalServerError})
		}, 0, 0},
		{"connection lost after they were accepted", func(s *bloomreachtest.Server) { s.DropAfterApplying(2) }, 10, 0},
		{"answer without results", func(s *bloomreachtest.Server) {
			omitted := 0
			s.OmitResultsOf(func(bloomreachtest.Command) bool { omitted++; return omitted <= 5 })
		}, 5, 0},
		{"answer without one result", func(s *bloomreachtest.Server) {
			omitted := false
			s.OmitResultsOf(func(c bloomreachtest.Command) bool {
				now := third(c) && !omitted
				omitted = omitted || now
				return now
			})
		}, 1, 0}, // the third; the two behind it are known to be accepted
		{"results in another order", func(s *bloomreachtest.Server) { s.ShuffleResults(true) }, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, storeConfig{})
			test.fail(w.bloomreach)
			failures := untilDone(t, w.stage(topology.RoleTracking), w.eventRecords(5))
			assert.Equal(t, upTo(5), w.trackedIDs())
			assert.Equal(t, test.deduplicated, w.bloomreach.Deduplicated())
			assert.Equal(t, 5, w.outcomes.count("tracking done"))
			assert.Len(t, w.outcomes.lines, 5)
			assert.Empty(t, w.dead(topology.RoleTracking))
			if test.pause > 0 {
				var retryAfter *kafka.RetryAfterError
				require.ErrorAs(t, failures[0], &retryAfter)
				assert.Equal(t, test.pause, retryAfter.After)
			}
		})
	}
}

// One refused event becomes a dead letter, and only that one.
func TestTrackingPartialFailure(t *testing.T) {
	w := newWorld(t, storeConfig{})
	w.bloomreach.RejectWhen(func(c bloomreachtest.Command) []string {
		if strings.HasSuffix(c.ID, ":1") {
			return []string{"Timestamp is too far in the past", "and more"}
		}
		return nil
	})
	records := w.eventRecords(4)
	done, err := w.handle(w.stage(topology.RoleTracking), records)
	require.NoError(t, err)
	assert.Equal(t, 4, done)
	assert.Equal(t, []string{"1", "3", "4"}, w.trackedIDs())
	assert.Equal(t, []string{"tracking done", "tracking rejected refused", "tracking done", "tracking done"}, w.outcomes.lines)
	require.Len(t, w.dead(topology.RoleTracking), 1)
	letter := w.dead(topology.RoleTracking)[0]
	assert.Equal(t, string(records[1].Value), string(letter.Value))
	assert.Equal(t, "bloomreach: Timestamp is too far in the past; and more", letter.Header(deadletter.HeaderError))
}

// A request that is refused as a whole because of one command: the client finds that
// command, and the others are stored.
func TestTrackingOneCommandRefusesTheRequest(t *testing.T) {
	w := newWorld(t, storeConfig{})
	w.bloomreach.FailWhen(func(c bloomreachtest.Command) bool { return strings.HasSuffix(c.ID, ":3") },
		bloomreachtest.Failure{Status: http.StatusBadRequest, Body: bloomreachtest.ShapeMessage.Body("Invalid JSON")})
	assert.Empty(t, untilDone(t, w.stage(topology.RoleTracking), w.eventRecords(6)))
	assert.Equal(t, []string{"1", "2", "3", "5", "6"}, sorted(w.trackedIDs()))
	assert.Len(t, w.dead(topology.RoleTracking), 1)
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

// One request may have a fact twice: it is accepted twice and stored once.
func TestTrackingFactTwiceInOneRequest(t *testing.T) {
	w := newWorld(t, storeConfig{})
	first := w.eventRecord(0)
	again := first
	again.Offset = 1
	done, err := w.handle(w.stage(topology.RoleTracking), []kafka.Record{first, again})
	require.NoError(t, err)
	assert.Equal(t, 2, done)
	assert.Equal(t, upTo(1), w.trackedIDs())
	assert.Equal(t, 1, w.bloomreach.Deduplicated())
	assert.Equal(t, []string{"tracking done", "tracking done"}, w.outcomes.lines)
}

// A value that is no event becomes a dead letter.
func TestTrackingMalformed(t *testing.T) {
	for _, value := range []string{
		``, `null`, `{`, `[]`, `{}`, `{"type":"subscription"}`, `{"type":"subscription_charge"}`, `{"type":"customer_change"}`,
		`{"type":"customer_property"}`, `{"type":"page_visit"}`, `{"type":"subscription","subscription":{"id":1}}`,
		`{"id":"1","type":"subscription","occurred_at":"2026-03-01T10:00:00Z","subscription":{"id":"1"}}`,
		`{"id":"1","type":"subscription","occurred_at":"2026-03-01T10:00:00Z","subscription":{"id":"1"},"email":"@"}`,
		`{"id":"1","type":"subscription","occurred_at":"2026-03-01T10:00:00Z","subscription":{"id":"1","price":"much"},"email":"jo"}`,
		`{"id":"1","type":"subscription_charge","occurred_at":"2026-03-01T10:00:00Z","charge":{"id":"1","items":[{"price":"1e9"}]},"email":"jo"}`,
	} {
		t.Run(value, func(t *testing.T) {
			w := newWorld(t, storeConfig{})
			record := w.eventRecord(0)
			record.Value = []byte(value)
			done, err := w.handle(w.stage(topology.RoleTracking), []kafka.Record{record, w.eventRecord(1)})
			require.NoError(t, err)
			assert.Equal(t, 2, done)
			assert.Equal(t, []string{"tracking rejected malformed", "tracking done"}, w.outcomes.lines)
			require.Len(t, w.dead(topology.RoleTracking), 1)
			assert.Equal(t, value, string(w.dead(topology.RoleTracking)[0].Value))
		})
	}
}

// customer_id selects the id that the destination gets, customer_id_name its name.
func TestTrackingCustomerID(t *testing.T) {
	for choice, want := range map[subscriber.IDChoice]string{
		subscriber.ByEmail: `{"registered":"jo.bean@example.com"}`, subscriber.ByRechargeID: `{"registered":"246936001"}`,
	} {
		var sent []bloomreach.Command
		s := acmeStore(trackerFunc(func(commands []bloomreach.Command) ([]bloomreach.Result, error) {
			sent = commands
			return nil, nil
		}))
		s.Settings.CustomerID = choice
		w := newWorld(t, storeConfig{})
		_, err := pipeline.NewTracking(s, topology.Topics{}, w.outcomes).Handle(t.Context(), w.eventRecords(3))
		require.NoError(t, err)
		require.Len(t, sent, 3)
		for _, command := range sent {
			assert.Contains(t, string(command.Data), `"customer_ids":`+want)
		}
	}
}

// If a request could not be sent, its records have no outcome.
func TestTrackingBatchNotSent(t *testing.T) {
	w := newWorld(t, storeConfig{})
	broken := errors.New("no such host")
	stage := w.stage(topology.RoleTracking)
	stage.Handler = pipeline.NewTracking(acmeStore(trackerFunc(func([]bloomreach.Command) ([]bloomreach.Result, error) { return nil, broken })), topology.Topics{}, w.outcomes).Handle
	done, err := w.handle(stage, w.eventRecords(2))
	require.ErrorIs(t, err, broken)
	assert.Zero(t, done)
	assert.Empty(t, w.outcomes.lines)
}

// The same event always gives the same bytes but for the command's id, which
// Bloomreach's deduplication ignores.
func TestTrackingSameBytes(t *testing.T) {
	w := newWorld(t, storeConfig{})
	var sent [][]bloomreach.Command
	stage := w.stage(topology.RoleTracking)
	stage.Handler = pipeline.NewTracking(acmeStore(trackerFunc(func(commands []bloomreach.Command) ([]bloomreach.Result, error) {
		sent = append(sent, commands)
		return nil, errors.New("again")
	})), topology.Topics{}, w.outcomes).Handle
	charge := w.sinkRecord("recharge.events", schemas.SubscriptionCharge, 9, chargeEvent())
	for range 20 {
		_, _ = stage.Handle(t.Context(), []kafka.Record{charge})
	}
	require.Len(t, sent, 20)
	for _, commands := range sent {
		require.Equal(t, sent[0], commands)
	}
}
