package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// textWorld sends the texts of new subscriptions.
func textWorld(t *testing.T) *world {
	t.Helper()
	return newWorld(t, storeConfig{SMS: true, Flows: []string{"subscription_started"}})
}

// send hands the records to the sms stage once.
func (w *world) send(records ...kafka.Record) (int, error) {
	return w.handle(w.stage(pipeline.RoleSMS), records)
}

func (w *world) states() map[ledger.State]int {
	counts, err := w.ledger.Counts(w.t.Context(), store)
	require.NoError(w.t, err)
	return counts
}

// Whatever comes again after a text was taken sends nothing.
func TestSMSRedelivered(t *testing.T) {
	w := textWorld(t)
	for range 3 {
		done, err := w.send(w.triggerRecord(0), w.triggerRecord(1), w.triggerRecord(0))
		require.NoError(t, err)
		assert.Equal(t, 3, done)
	}
	assert.Len(t, w.texts.Texts(), 2)
	assert.Equal(t, 2, w.texts.Requests())
	assert.Equal(t, append([]string{"sms done", "sms done"}, repeat("sms skipped already_sent", 7)...), w.fates.lines)
	assert.Equal(t, map[ledger.State]int{ledger.StateAccepted: 2}, w.states())
}

func repeat(line string, n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = line
	}
	return lines
}

// An answer that never came leaves open whether the text went out: it is not
// sent again, not even by hand of the next day's redelivery.
func TestSMSOutcomeUnknown(t *testing.T) {
	tests := []struct {
		name  string
		does  smstest.Behaviour
		texts int
	}{
		{"hangs after taking it", smstest.Behaviour{Accept: true, Hang: true}, 1},
		{"hangs without taking it", smstest.Behaviour{Hang: true}, 0},
		{"breaks off after taking it", smstest.Behaviour{Accept: true, Drop: true}, 1},
		{"breaks off without taking it", smstest.Behaviour{Drop: true}, 0},
		{"fails after taking it", smstest.Behaviour{Accept: true, Status: http.StatusBadGateway}, 1},
		{"fails without taking it", smstest.Behaviour{Status: http.StatusInternalServerError}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := textWorld(t)
			w.givesUpWhenItHangs(&test.does)
			w.texts.Next(1, test.does)
			done, err := w.send(w.triggerRecord(0), w.triggerRecord(1))
			require.NoError(t, err, "the next one does not wait for it")
			assert.Equal(t, 2, done)
			assert.Equal(t, map[ledger.State]int{ledger.StateUnknown: 1, ledger.StateAccepted: 1}, w.states())
			again := w.triggerRecord(0)
			w.later(23 * time.Hour)
			_, err = w.send(again)
			require.NoError(t, err)
			assert.Equal(t, []string{"sms skipped outcome_unknown", "sms done", "sms skipped outcome_unknown"}, w.fates.lines)
			assert.Len(t, w.texts.Texts(), test.texts+1)
			assert.Empty(t, w.texts.Doubled())
			assert.Equal(t, 2, w.texts.Requests())
			assert.Empty(t, w.dead(pipeline.RoleSMS))
		})
	}
}

// givesUpWhenItHangs has the driver give up a call as soon as the gateway hangs.
func (w *world) givesUpWhenItHangs(does *smstest.Behaviour) {
	giveUp := make(chan context.CancelFunc, 1)
	does.Hangs = func() { (<-giveUp)() }
	right := w.driver.Driver
	w.driver.Driver = driverFunc(func(ctx context.Context, m sms.Message) (sms.Receipt, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		select {
		case giveUp <- cancel:
		default:
		}
		return right.Send(ctx, m)
	})
}

// A gateway that nobody listens at has taken nothing: the text waits, and the
// ledger lets it out later, once.
func TestSMSConnectionRefused(t *testing.T) {
	w := textWorld(t)
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	right := w.driver.Driver
	w.driver.Driver = w.gatewayDriver(nobody.URL)
	for range 3 {
		done, err := w.send(w.triggerRecord(0), w.triggerRecord(1))
		require.ErrorContains(t, err, "no_connection")
		assert.Zero(t, done)
		assert.Equal(t, map[ledger.State]int{ledger.StatePlanned: 1}, w.states(), "the claim is given back")
	}
	assert.Empty(t, w.fates.lines)

	w.driver.Driver = right
	done, err := w.send(w.triggerRecord(0), w.triggerRecord(1))
	require.NoError(t, err)
	assert.Equal(t, 2, done)
	assert.Len(t, w.texts.Texts(), 2)
	assert.Equal(t, []string{"sms done", "sms done"}, w.fates.lines)
}

// What the gateway surely did not take waits for as long as it asks.
func TestSMSRateLimit(t *testing.T) {
	w := textWorld(t)
	w.texts.Next(2, smstest.Behaviour{Status: http.StatusTooManyRequests, RetryAfter: 7 * time.Second})
	for range 2 {
		done, err := w.send(w.triggerRecord(0))
		var asked *kafka.PauseError
		require.ErrorAs(t, err, &asked)
		assert.Equal(t, 7*time.Second, asked.After)
		assert.Zero(t, done)
	}
	assert.Equal(t, []bool{false, false}, w.fates.pauses)
	done, err := w.send(w.triggerRecord(0))
	require.NoError(t, err)
	assert.Equal(t, 1, done)
	assert.Len(t, w.texts.Texts(), 1)
	assert.Equal(t, []string{"sms done"}, w.fates.lines)
}

// A refused text is a dead letter, again each time its record comes again (the
// first may not have been written), and never sent again.
func TestSMSRefused(t *testing.T) {
	w := textWorld(t)
	w.texts.Next(1, smstest.Behaviour{Status: http.StatusUnprocessableEntity})
	done, err := w.send(w.triggerRecord(0), w.triggerRecord(1))
	require.NoError(t, err)
	assert.Equal(t, 2, done)
	_, err = w.send(w.triggerRecord(0))
	require.NoError(t, err)
	assert.Equal(t, []string{"sms rejected refused", "sms done", "sms rejected refused"}, w.fates.lines)
	assert.Equal(t, 2, w.texts.Requests())
	require.Len(t, w.dead(pipeline.RoleSMS), 2)
	assert.Contains(t, w.dead(pipeline.RoleSMS)[0].Header(deadletter.HeaderError), "http_422")
	assert.Equal(t, map[ledger.State]int{ledger.StateRejected: 1, ledger.StateAccepted: 1}, w.states())
}

// Wrong credentials stop the store's texts until someone has mended them.
func TestSMSWrongCredentials(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			w := textWorld(t)
			w.texts.Next(2, smstest.Behaviour{Status: status})
			for range 2 {
				done, err := w.send(w.triggerRecord(0), w.triggerRecord(1))
				require.ErrorContains(t, err, "config")
				assert.Zero(t, done)
			}
			assert.Equal(t, []string{"sms paused", "sms paused"}, w.fates.lines)
			done, err := w.send(w.triggerRecord(0), w.triggerRecord(1))
			require.NoError(t, err)
			assert.Equal(t, 2, done)
			assert.Equal(t, []bool{true, true, false, false}, w.fates.pauses)
			assert.Len(t, w.texts.Texts(), 2)
			assert.Empty(t, w.dead(pipeline.RoleSMS))
		})
	}
}

// Two workers on one ledger, as after a rebalance that one of them has not
// noticed: each text goes out once.
func TestSMSTwoWorkers(t *testing.T) {
	const triggers, workers = 25, 4
	w := newWorld(t, storeConfig{SMS: true, Flows: []string{"subscription_started"}})
	records := make([]kafka.Record, triggers)
	for i := range records {
		records[i] = w.triggerRecord(i)
	}
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for rest := records; len(rest) > 0; {
				done, err := w.send(rest...)
				rest = rest[done:]
				if err != nil && !strings.Contains(err.Error(), "another process is sending it") {
					t.Error(err)
					return
				}
				runtime.Gosched()
			}
		})
	}
	group.Wait()
	assert.Len(t, w.texts.Texts(), triggers)
	assert.Empty(t, w.texts.Doubled())
	assert.Equal(t, triggers, w.fates.count("sms done"))
	assert.Equal(t, triggers*(workers-1), w.fates.count("sms skipped already_sent"))
}

// The text went out, and the ledger could not write that down: the record comes
// again, the text does not.
func TestSMSAnswerNotNoted(t *testing.T) {
	w := textWorld(t)
	full := errors.New("disk full")
	w.ledger.accept = func(context.Context) error { return full }
	records := []kafka.Record{w.triggerRecord(0), w.triggerRecord(1)}
	done, err := w.send(records...)
	require.ErrorIs(t, err, full)
	require.ErrorContains(t, err, "note text in ledger")
	assert.Zero(t, done)

	w.ledger.accept = nil
	done, err = w.send(records...)
	require.ErrorContains(t, err, "another process is sending it", "its claim still lasts")
	assert.Zero(t, done)
	w.later(ledger.DefaultLease)
	done, err = w.send(records...)
	require.NoError(t, err)
	assert.Equal(t, 2, done)
	assert.Equal(t, []string{"sms skipped outcome_unknown", "sms done"}, w.fates.lines)
	assert.Len(t, w.texts.Texts(), 2)
	assert.Empty(t, w.texts.Doubled())
}

// A ledger that can't be asked lets nothing out.
func TestSMSLedgerDown(t *testing.T) {
	w := textWorld(t)
	require.NoError(t, w.ledger.Close())
	done, err := w.send(w.triggerRecord(0))
	require.ErrorIs(t, err, ledger.ErrClosed)
	assert.Zero(t, done)
	assert.Zero(t, w.texts.Requests())
	assert.Empty(t, w.fates.lines)
}

// A stop in the middle of a call waits for its answer: the text is accounted for.
func TestSMSStoppedWhileSending(t *testing.T) {
	w := textWorld(t)
	stopped, stop := context.WithCancel(t.Context())
	right := w.driver.Driver
	w.driver.Driver = driverFunc(func(ctx context.Context, m sms.Message) (sms.Receipt, error) {
		stop()
		return right.Send(ctx, m)
	})
	left, err := handle(stopped, w.stage(pipeline.RoleSMS), nil, []kafka.Record{w.triggerRecord(0)})
	require.NoError(t, err)
	assert.Empty(t, left)
	assert.Equal(t, []string{"sms done"}, w.fates.lines)
	assert.Equal(t, map[ledger.State]int{ledger.StateAccepted: 1}, w.states())
}

// driverFunc is an sms.Driver.
type driverFunc func(context.Context, sms.Message) (sms.Receipt, error)

func (f driverFunc) Send(ctx context.Context, m sms.Message) (sms.Receipt, error) { return f(ctx, m) }

// An error of a class nobody has heard of is no proof that the text was not sent.
func TestSMSErrorWithoutClass(t *testing.T) {
	w := textWorld(t)
	w.driver.Driver = driverFunc(func(context.Context, sms.Message) (sms.Receipt, error) {
		return sms.Receipt{}, errors.New("something else")
	})
	_, err := w.send(w.triggerRecord(0))
	require.NoError(t, err)
	assert.Equal(t, []string{"sms skipped outcome_unknown"}, w.fates.lines)
}

// What gets no text, and why; the gateway hears of none of it.
func TestSMSNoText(t *testing.T) {
	tests := []struct {
		name   string
		change func(*subscriber.Trigger)
		fate   string
	}{
		{"flow off", func(t *subscriber.Trigger) { t.Flow = flow.ChargePaid }, "skipped flow_inactive"},
		{"stale", func(t *subscriber.Trigger) { t.StaleAt = t.OccurredAt }, "skipped stale"},
		{"no phone", func(t *subscriber.Trigger) { t.Recipient.Phone = "" }, "skipped no_phone"},
		{"phone nonsense", func(t *subscriber.Trigger) { t.Recipient.Phone = "ask my wife" }, "skipped phone_invalid"},
		{"phone much too long", func(t *subscriber.Trigger) { t.Recipient.Phone = strings.Repeat("+1", 1<<16) }, "skipped phone_invalid"},
		{"phone of another country", func(t *subscriber.Trigger) { t.Recipient.Phone, t.Recipient.Country = "503 555 0100", "DE" }, "skipped phone_invalid"},
		{"no such flow", func(t *subscriber.Trigger) { t.Flow = "birthday" }, "rejected malformed"},
		{"no id", func(t *subscriber.Trigger) { t.ID = "" }, "rejected malformed"},
		{"no customer", func(t *subscriber.Trigger) { t.RechargeCustomerID = "" }, "rejected malformed"},
		{"a cause without an end", func(t *subscriber.Trigger) { t.Cause = strings.Repeat("x", 1<<16) }, "rejected malformed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := textWorld(t)
			record := w.triggerRecord(0)
			var trigger subscriber.Trigger
			require.NoError(t, json.Unmarshal(record.Value, &trigger))
			test.change(&trigger)
			value, err := json.Marshal(trigger)
			require.NoError(t, err)
			record.Value = value
			done, err := w.send(record)
			require.NoError(t, err)
			assert.Equal(t, 1, done)
			assert.Equal(t, []string{"sms " + test.fate}, w.fates.lines)
			assert.Zero(t, w.texts.Requests())
		})
	}
	t.Run("not JSON", func(t *testing.T) {
		w := textWorld(t)
		record := w.triggerRecord(0)
		record.Value = []byte("{")
		_, err := w.send(record)
		require.NoError(t, err)
		assert.Equal(t, []string{"sms rejected malformed"}, w.fates.lines)
	})
}

// Another store's triggers are that store's group's: not even looked at.
func TestSMSPassesOthersOver(t *testing.T) {
	w := textWorld(t)
	other := kafka.Record{
		Topic: "recharge.sms-triggers", Value: []byte("\x00 not JSON"),
		Headers: []kafka.Header{{Key: pipeline.HeaderStore, Value: []byte("another")}},
	}
	done, err := w.send(other, w.triggerRecord(0), other)
	require.NoError(t, err)
	assert.Equal(t, 3, done)
	assert.Equal(t, []string{"sms done"}, w.fates.lines)
}
