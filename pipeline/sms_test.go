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
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
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

// send gives the records to the sms stage once.
func (w *world) send(records ...kafka.Record) (int, error) {
	return w.handle(w.stage(pipeline.RoleSMS), records)
}

func (w *world) states() map[ledger.State]int {
	counts, err := w.ledger.Counts(w.t.Context(), store)
	require.NoError(w.t, err)
	return counts
}

// A trigger that is handled again after its text was accepted sends nothing.
func TestSMSRedelivered(t *testing.T) {
	w := textWorld(t)
	for range 3 {
		done, err := w.send(w.triggerRecord(0), w.triggerRecord(1), w.triggerRecord(0))
		require.NoError(t, err)
		assert.Equal(t, 3, done)
	}
	assert.Len(t, w.texts.Texts(), 2)
	assert.Equal(t, 2, w.texts.Requests())
	assert.Equal(t, append([]string{"sms done", "sms done"}, repeat("sms skipped already_sent", 7)...), w.outcomes.lines)
	assert.Equal(t, map[ledger.State]int{ledger.StateAccepted: 2}, w.states())
}

func repeat(line string, n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = line
	}
	return lines
}

// Without an answer it is unknown whether the text was sent: it is not sent again, not
// even when its trigger is delivered again the next day.
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
			assert.Equal(t, []string{"sms skipped outcome_unknown", "sms done", "sms skipped outcome_unknown"}, w.outcomes.lines)
			assert.Len(t, w.texts.Texts(), test.texts+1)
			assert.Empty(t, w.texts.Duplicates())
			assert.Equal(t, 2, w.texts.Requests())
			assert.Empty(t, w.dead(pipeline.RoleSMS))
		})
	}
}

// givesUpWhenItHangs makes the driver cancel a call as soon as the gateway hangs.
func (w *world) givesUpWhenItHangs(does *smstest.Behaviour) {
	giveUp := make(chan context.CancelFunc, 1)
	does.OnHang = func() { (<-giveUp)() }
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

// A refused connection means that nothing was sent: the text waits, and is sent later,
// once.
func TestSMSConnectionRefused(t *testing.T) {
	w := textWorld(t)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	right := w.driver.Driver
	w.driver.Driver = w.gatewayDriver(closed.URL)
	for range 3 {
		done, err := w.send(w.triggerRecord(0), w.triggerRecord(1))
		require.ErrorContains(t, err, "no_connection")
		assert.Zero(t, done)
		assert.Equal(t, map[ledger.State]int{ledger.StatePlanned: 1}, w.states(), "the claim is released")
	}
	assert.Empty(t, w.outcomes.lines)

	w.driver.Driver = right
	done, err := w.send(w.triggerRecord(0), w.triggerRecord(1))
	require.NoError(t, err)
	assert.Equal(t, 2, done)
	assert.Len(t, w.texts.Texts(), 2)
	assert.Equal(t, []string{"sms done", "sms done"}, w.outcomes.lines)
}

// A text that was certainly not sent waits as long as the gateway's Retry-After.
func TestSMSRateLimit(t *testing.T) {
	w := textWorld(t)
	w.texts.Next(2, smstest.Behaviour{Status: http.StatusTooManyRequests, RetryAfter: 7 * time.Second})
	for range 2 {
		done, err := w.send(w.triggerRecord(0))
		var retryAfter *kafka.RetryAfterError
		require.ErrorAs(t, err, &retryAfter)
		assert.Equal(t, 7*time.Second, retryAfter.After)
		assert.Zero(t, done)
	}
	assert.Equal(t, []bool{false, false}, w.outcomes.pauses)
	done, err := w.send(w.triggerRecord(0))
	require.NoError(t, err)
	assert.Equal(t, 1, done)
	assert.Len(t, w.texts.Texts(), 1)
	assert.Equal(t, []string{"sms done"}, w.outcomes.lines)
}

// A refused text becomes a dead letter each time its record is handled again (the
// first one may not have been written), and is never sent again.
func TestSMSRefused(t *testing.T) {
	w := textWorld(t)
	w.texts.Next(1, smstest.Behaviour{Status: http.StatusUnprocessableEntity})
	done, err := w.send(w.triggerRecord(0), w.triggerRecord(1))
	require.NoError(t, err)
	assert.Equal(t, 2, done)
	_, err = w.send(w.triggerRecord(0))
	require.NoError(t, err)
	assert.Equal(t, []string{"sms rejected refused", "sms done", "sms rejected refused"}, w.outcomes.lines)
	assert.Equal(t, 2, w.texts.Requests())
	require.Len(t, w.dead(pipeline.RoleSMS), 2)
	assert.Contains(t, w.dead(pipeline.RoleSMS)[0].Header(deadletter.HeaderError), "http_422")
	assert.Equal(t, map[ledger.State]int{ledger.StateRejected: 1, ledger.StateAccepted: 1}, w.states())
}

// Wrong credentials stop the store's texts until they are fixed. Each attempt costs few requests, and no text is rejected.
func TestSMSWrongCredentials(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusNotFound, http.StatusFound} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			w := textWorld(t)
			const texts, attempts = 20, 9
			records := make([]kafka.Record, texts)
			for i := range records {
				records[i] = w.triggerRecord(i)
			}
			w.texts.Next(4*attempts, smstest.Behaviour{Status: status})
			for range attempts {
				before := w.texts.Requests()
				done, err := w.send(records...)
				require.ErrorContains(t, err, "http_")
				assert.Zero(t, done)
				assert.LessOrEqual(t, w.texts.Requests()-before, 4)
			}
			assert.True(t, w.outcomes.pauses[len(w.outcomes.pauses)-1])
			assert.Equal(t, map[ledger.State]int{ledger.StatePlanned: texts}, w.states(), "no claim is held")

			for range 20 { // the rest of the refusals
				if _, err := w.send(records...); err == nil {
					break
				}
			}
			assert.Len(t, w.texts.Texts(), texts)
			assert.False(t, w.outcomes.pauses[len(w.outcomes.pauses)-1])
			assert.Empty(t, w.texts.Duplicates())
			assert.Empty(t, w.dead(pipeline.RoleSMS))
		})
	}
}

// Two workers share one ledger, as after a rebalance that one of them has not
// noticed: each text is sent once.
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
	assert.Empty(t, w.texts.Duplicates())
	assert.Equal(t, triggers, w.outcomes.count("sms done"))
	assert.Equal(t, triggers*(workers-1), w.outcomes.count("sms skipped already_sent"))
}

// If the ledger fails to record that a text was sent, the record is handled again, and
// the text is not sent again.
func TestSMSAnswerNotWritten(t *testing.T) {
	w := textWorld(t)
	full := errors.New("disk full")
	w.ledger.accept = func(context.Context) error { return full }
	records := []kafka.Record{w.triggerRecord(0), w.triggerRecord(1)}
	done, err := w.send(records...)
	require.ErrorIs(t, err, full)
	require.ErrorContains(t, err, "record outcome in ledger")
	assert.Zero(t, done)

	w.ledger.accept = nil
	done, err = w.send(records...)
	require.ErrorContains(t, err, "another process is sending it", "the claim has not expired")
	assert.Zero(t, done)
	w.later(ledger.DefaultLease)
	done, err = w.send(records...)
	require.NoError(t, err)
	assert.Equal(t, 2, done)
	assert.Equal(t, []string{"sms skipped outcome_unknown", "sms done"}, w.outcomes.lines)
	assert.Len(t, w.texts.Texts(), 2)
	assert.Empty(t, w.texts.Duplicates())
}

// Without the ledger nothing is sent.
func TestSMSLedgerDown(t *testing.T) {
	w := textWorld(t)
	require.NoError(t, w.ledger.Close())
	done, err := w.send(w.triggerRecord(0))
	require.ErrorIs(t, err, ledger.ErrClosed)
	assert.Zero(t, done)
	assert.Zero(t, w.texts.Requests())
	assert.Empty(t, w.outcomes.lines)
}

// A shutdown during a call waits for its answer, and the ledger has it.
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
	assert.Equal(t, []string{"sms done"}, w.outcomes.lines)
	assert.Equal(t, map[ledger.State]int{ledger.StateAccepted: 1}, w.states())
}

// driverFunc is an sms.Driver.
type driverFunc func(context.Context, sms.Message) (sms.Receipt, error)

func (f driverFunc) Send(ctx context.Context, m sms.Message) (sms.Receipt, error) { return f(ctx, m) }

// An error without a class does not prove that the text was not sent.
func TestSMSErrorWithoutClass(t *testing.T) {
	w := textWorld(t)
	w.driver.Driver = driverFunc(func(context.Context, sms.Message) (sms.Receipt, error) {
		return sms.Receipt{}, errors.New("something else")
	})
	_, err := w.send(w.triggerRecord(0))
	require.NoError(t, err)
	assert.Equal(t, []string{"sms skipped outcome_unknown"}, w.outcomes.lines)
}

// Triggers without a text, with the reason. The gateway gets no request.
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
		{"phone of another country", func(t *subscriber.Trigger) { t.Recipient.Phone, t.Recipient.PhoneCountry = "503 555 0100", "DE" }, "skipped phone_invalid"},
		{"phone of another country, without phone_country", func(t *subscriber.Trigger) { t.Recipient.Phone, t.Recipient.Country = "503 555 0100", "DE" }, "skipped phone_invalid"},
		{"country not recognized", func(t *subscriber.Trigger) { t.Recipient.Phone, t.Recipient.PhoneCountry = "503 555 0100", "Atlantis" }, "skipped country_unknown"},
		{"country unknown", func(t *subscriber.Trigger) {
			t.Recipient.Phone, t.Recipient.PhoneCountry, t.Recipient.Country = "503 555 0100", "ZZ", "US"
		}, "skipped country_unknown"},
		{"country not recognized, and a fixed line", func(t *subscriber.Trigger) {
			t.Recipient.Phone, t.Recipient.PhoneCountry = "+44 20 7946 0958", "Atlantis"
		}, "skipped phone_invalid"},
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
			assert.Equal(t, []string{"sms " + test.fate}, w.outcomes.lines)
			assert.Zero(t, w.texts.Requests())
		})
	}
	t.Run("not JSON", func(t *testing.T) {
		w := textWorld(t)
		record := w.triggerRecord(0)
		record.Value = []byte("{")
		_, err := w.send(record)
		require.NoError(t, err)
		assert.Equal(t, []string{"sms rejected malformed"}, w.outcomes.lines)
	})
}

// Another store's triggers belong to that store's group: they are not decoded.
func TestSMSIgnoresOtherStores(t *testing.T) {
	w := textWorld(t)
	other := kafka.Record{
		Topic: "recharge.sms-triggers", Value: []byte("\x00 not JSON"),
		Headers: []kafka.Header{{Key: envelope.HeaderStore, Value: []byte("another")}},
	}
	done, err := w.send(other, w.triggerRecord(0), other)
	require.NoError(t, err)
	assert.Equal(t, 3, done)
	assert.Equal(t, []string{"sms done"}, w.outcomes.lines)
}
