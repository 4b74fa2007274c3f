package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// textWorld sends the texts of new subscriptions.
func textWorld(t *testing.T) *world {
	t.Helper()
	return newWorld(t, storeConfig{SMS: true, Flows: []string{"subscription_started"}})
}

func (w *world) triggers(n int) []kafka.Record {
	records := make([]kafka.Record, n)
	for i := range records {
		records[i] = w.triggerRecord(i)
	}
	return records
}

// send writes records of the sms role, and has their texts released.
func (w *world) send(records ...kafka.Record) {
	w.produce(records...)
	w.handleAll()
	w.release()
}

// messages are the messages as they are now, by id.
func (w *world) messages() map[string]message.Change {
	all := map[string]message.Change{}
	for _, r := range w.topics.since("recharge.messages", 0) {
		var change message.Change
		require.NoError(w.t, json.Unmarshal(r.Value, &change))
		require.Equal(w.t, all[change.ID].Change+1, change.Change, "changes are in order")
		all[change.ID] = change
	}
	return all
}

// message is the only message.
func (w *world) message() message.Change {
	all := slices.Collect(maps.Values(w.messages()))
	require.Len(w.t, all, 1)
	return all[0]
}

// statuses counts the messages by status.
func (w *world) statuses() map[message.Status]int {
	counts := map[message.Status]int{}
	for _, m := range w.messages() {
		counts[m.Status]++
	}
	return counts
}

// A trigger that is delivered again, at once or later, sends nothing.
func TestSMSRedelivered(t *testing.T) {
	w := textWorld(t)
	for range 3 {
		w.send(w.triggerRecord(0), w.triggerRecord(1), w.triggerRecord(0))
	}
	assert.Len(t, w.texts.Texts(), 2)
	assert.Equal(t, 2, w.texts.Requests())
	assert.Equal(t, 7, w.outcomes.count("sms skipped duplicate"))
	assert.Equal(t, map[message.Status]int{message.Accepted: 2}, w.statuses())
}

// A text waits for others of its action until the window of its flow ends, and then names them all.
func TestSMSOneTextPerAction(t *testing.T) {
	w := textWorld(t)
	first, second := w.triggerRecord(0), w.triggerRecord(1)
	var trigger subscriber.Trigger
	require.NoError(t, json.Unmarshal(second.Value, &trigger))
	trigger.RechargeCustomerID, trigger.Cause = "1", "acme/1/subscription_started/178918/"
	trigger.Subscription.ProductTitle = "Dark Roast"
	trigger.OccurredAt = trigger.OccurredAt.Add(20 * time.Second)
	second.Value, _ = json.Marshal(trigger)
	second.Key = first.Key
	w.produce(first, second)
	w.handleAll()
	assert.Empty(t, w.texts.Texts())
	assert.Equal(t, message.Planned, w.message().Status)
	w.release()
	require.Len(t, w.texts.Texts(), 1)
	assert.Contains(t, w.texts.Texts()[0].Body, "House Blend, Dark Roast")
	assert.Len(t, w.message().Triggers, 2)
}

// Without an answer it is unknown whether the text was sent: it is not sent again, not even when its trigger is delivered again the
// next day. A report of the provider says that it was.
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
			w.send(w.triggerRecord(0), w.triggerRecord(1))
			assert.Equal(t, map[message.Status]int{message.Unknown: 1, message.Accepted: 1}, w.statuses(), "the next one does not wait for it")
			again := w.triggerRecord(0)
			w.later(23 * time.Hour)
			w.send(again)
			assert.Len(t, w.texts.Texts(), test.texts+1)
			assert.Empty(t, w.texts.Duplicates())
			assert.Equal(t, 2, w.texts.Requests())
			for _, m := range w.messages() {
				if m.Status == message.Unknown {
					w.produce(w.reportRecord(m, message.Delivered))
				}
			}
			w.handleAll()
			assert.Equal(t, map[message.Status]int{message.Delivered: 1, message.Accepted: 1}, w.statuses())
		})
	}
}

// reportRecord is a delivery report.
func (w *world) reportRecord(m message.Change, status message.Status) kafka.Record {
	record := w.sinkRecord("recharge.sms-receipts", "sms_receipt", 0, message.Receipt{
		Store: m.Store, CustomerID: m.RechargeCustomerID, MessageID: m.ID, Outcome: status, At: w.clock(),
	})
	record.Key = []byte(m.Store + "/" + m.RechargeCustomerID)
	return record
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

// driverFunc is an sms.Driver.
type driverFunc func(context.Context, sms.Message) (sms.Receipt, error)

func (f driverFunc) Send(ctx context.Context, m sms.Message) (sms.Receipt, error) { return f(ctx, m) }

// A refused connection means that nothing was sent: the texts stay planned, few are tried, and all are sent later, once.
func TestSMSConnectionRefused(t *testing.T) {
	w := textWorld(t)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	right, calls := w.gatewayDriver(w.texts.URL), 0
	refusing := w.gatewayDriver(closed.URL)
	w.driver.Driver = driverFunc(func(ctx context.Context, m sms.Message) (sms.Receipt, error) {
		calls++
		return refusing.Send(ctx, m)
	})
	w.send(w.triggers(30)...)
	for range 60 {
		w.later(time.Second)
		w.handleAll()
	}
	assert.Equal(t, map[message.Status]int{message.Planned: 30}, w.statuses())
	assert.Less(t, calls, 20, "a store whose provider is down is tried now and then")
	require.ErrorContains(t, w.sender.Trouble(), "no_connection")

	w.driver.Driver = right
	w.settle(2 * time.Minute)
	assert.Equal(t, map[message.Status]int{message.Accepted: 30}, w.statuses())
	assert.Len(t, w.texts.Texts(), 30)
	assert.Empty(t, w.texts.Duplicates())
	require.NoError(t, w.sender.Trouble())
}

// settle lets time pass, second by second.
func (w *world) settle(d time.Duration) {
	for end := w.clock().Add(d); w.clock().Before(end); {
		w.later(time.Second)
		w.handleAll()
	}
}

// A text that was certainly not sent waits as long as the gateway's Retry-After, and so do the others of its store.
func TestSMSRateLimit(t *testing.T) {
	w := textWorld(t)
	w.texts.Next(1, smstest.Behaviour{Status: http.StatusTooManyRequests, RetryAfter: 7 * time.Second})
	w.send(w.triggerRecord(0))
	require.Equal(t, 1, w.texts.Requests())
	w.later(6 * time.Second)
	w.handleAll()
	assert.Equal(t, 1, w.texts.Requests())
	w.later(2 * time.Second)
	w.handleAll()
	assert.Len(t, w.texts.Texts(), 1)
	assert.Equal(t, 2, w.message().Attempt)
	assert.NotContains(t, w.outcomes.pauses, true)
}

// A refused text has the provider's words, and is never sent again.
func TestSMSRefused(t *testing.T) {
	w := textWorld(t)
	w.texts.Next(1, smstest.Behaviour{Status: http.StatusUnprocessableEntity, Body: `{"error":"landline +14157120000"}`})
	w.send(w.triggerRecord(0))
	w.send(w.triggerRecord(0))
	assert.Equal(t, 1, w.texts.Requests())
	m := w.message()
	assert.Equal(t, message.Rejected, m.Status)
	assert.Equal(t, "http_422", m.Code)
	assert.Contains(t, m.Error, "landline")
	assert.NotContains(t, m.Error, "4157120000")
}

// Wrong credentials pause the store until they are right. Few requests are made meanwhile, and no text is lost.
func TestSMSWrongCredentials(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusNotFound, http.StatusFound} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			w := textWorld(t)
			const texts = 40
			right := w.driver.Driver
			w.driver.Driver = driverFunc(func(ctx context.Context, m sms.Message) (sms.Receipt, error) {
				w.texts.Next(1, smstest.Behaviour{Status: status})
				return right.Send(ctx, m)
			})
			w.send(w.triggers(texts)...)
			w.settle(10 * time.Minute)
			refused := w.texts.Requests()
			assert.Less(t, refused, 60)
			assert.True(t, w.outcomes.pauses[len(w.outcomes.pauses)-1])
			require.ErrorContains(t, w.sender.Trouble(), fmt.Sprintf("http_%d", status))
			assert.Equal(t, map[message.Status]int{message.Planned: texts}, w.statuses())

			w.driver.Driver = right
			w.settle(3 * time.Minute)
			assert.Len(t, w.texts.Texts(), texts)
			assert.False(t, w.outcomes.pauses[len(w.outcomes.pauses)-1])
			assert.Empty(t, w.texts.Duplicates())
		})
	}
}

// A number that the provider refuses with 403, twice within half a minute and more, while others are accepted: that text alone is
// rejected, with the provider's words, and the others are not held up.
func TestSMSOneNumberRefused(t *testing.T) {
	for _, at := range []int{0, 17, 39} {
		t.Run(fmt.Sprint("at ", at), func(t *testing.T) {
			w := textWorld(t)
			w.texts.ForNumber(fmt.Sprintf("+1415712%04d", at), smstest.Blocked())
			w.send(w.triggers(40)...)
			assert.Equal(t, map[message.Status]int{message.Planned: 1, message.Accepted: 39}, w.statuses())
			w.later(31 * time.Second)
			w.handleAll()
			assert.Equal(t, map[message.Status]int{message.Rejected: 1, message.Accepted: 39}, w.statuses())
			for _, m := range w.messages() {
				if m.Status == message.Rejected {
					assert.Contains(t, m.Error, "The recipient blocked this sender")
					assert.NotContains(t, m.Error, "1415712")
				}
			}
			assert.NotContains(t, w.outcomes.pauses, true)
		})
	}
}

// One number alone, without other texts: it waits, and is not called a fault of the credentials. Another text proves that it is refused alone.
func TestSMSOneNumberRefusedAlone(t *testing.T) {
	w := textWorld(t)
	w.texts.ForNumber("+14157120000", smstest.Blocked())
	w.send(w.triggerRecord(0))
	w.settle(5 * time.Minute)
	assert.Equal(t, message.Planned, w.message().Status)
	assert.NotContains(t, w.outcomes.pauses, true)
	w.send(w.triggerRecord(1))
	w.settle(2 * time.Minute)
	assert.Equal(t, map[message.Status]int{message.Rejected: 1, message.Accepted: 1}, w.statuses())
}

// Kafka takes no receipt for a while: the text is sent once, and its receipt follows.
func TestSMSReceiptNotWritten(t *testing.T) {
	w := textWorld(t)
	right := w.gatewayDriver(w.texts.URL)
	w.driver.Driver = driverFunc(func(ctx context.Context, m sms.Message) (sms.Receipt, error) {
		defer w.topics.failNext(1)
		return right.Send(ctx, m)
	})
	w.send(w.triggerRecord(0))
	assert.Len(t, w.texts.Texts(), 1)
	assert.Equal(t, message.Accepted, w.message().Status)
	assert.Contains(t, w.log.String(), "write receipt of a text failed")
}

// A claim without a receipt is unknown when it ends. The receipt of a process that was frozen meanwhile says what came of it.
func TestSMSNoReceipt(t *testing.T) {
	w := textWorld(t)
	var late []func()
	w.later(0)
	w.restartSender(func(call func()) { late = append(late, call) })
	w.send(w.triggerRecord(0))
	require.Len(t, late, 1)
	assert.Equal(t, message.Claimed, w.message().Status)
	w.later(2 * time.Minute)
	w.handleAll()
	assert.Equal(t, message.Unknown, w.message().Status)
	assert.Equal(t, message.CodeNoReceipt, w.message().Code)

	late[0]() // it wakes up, too late to call
	assert.Empty(t, w.texts.Texts())
	late = nil
	w.handleAll()
	w.handleAll()
	require.Len(t, late, 1, "it was not sent, so it is claimed again")
	late[0]()
	w.handleAll()
	assert.Len(t, w.texts.Texts(), 1)
	assert.Equal(t, message.Accepted, w.message().Status)
	assert.Equal(t, 2, w.message().Attempt)
}

// A process that stops sends what it has begun, and gives back what it has not.
func TestSMSStopped(t *testing.T) {
	w := textWorld(t)
	var begun []func()
	w.restartSender(func(call func()) { begun = append(begun, call) })
	w.send(w.triggerRecord(0))
	require.Len(t, begun, 1)
	stopping, cancel := context.WithCancel(t.Context())
	closed := make(chan error, 1)
	go func() { closed <- w.sender.Close(stopping) }()
	begun[0]()
	require.NoError(t, <-closed)
	cancel()
	w.handleAll()
	assert.Equal(t, message.Accepted, w.message().Status)
	w.send(w.triggerRecord(1))
	assert.Equal(t, map[message.Status]int{message.Accepted: 1, message.Planned: 1}, w.statuses(), "nothing is claimed any more")
}

// An error without a class does not prove that the text was not sent.
func TestSMSErrorWithoutClass(t *testing.T) {
	w := textWorld(t)
	w.driver.Driver = driverFunc(func(context.Context, sms.Message) (sms.Receipt, error) {
		return sms.Receipt{}, errors.New("something else")
	})
	w.send(w.triggerRecord(0))
	assert.Equal(t, message.Unknown, w.message().Status)
}

// Texts that are not sent, with the reason. The gateway gets no request.
func TestSMSNoText(t *testing.T) {
	tests := []struct {
		name   string
		change func(*subscriber.Trigger)
		fate   string
	}{
		{"flow off", func(t *subscriber.Trigger) { t.Flow = flow.ChargePaid }, "sms skipped flow_inactive"},
		{"stale", func(t *subscriber.Trigger) { t.StaleAt = t.OccurredAt }, "text subscription_started suppressed stale"},
		{"no phone", func(t *subscriber.Trigger) { t.Recipient.Phone = "" }, "text subscription_started suppressed no_phone"},
		{"phone nonsense", func(t *subscriber.Trigger) { t.Recipient.Phone = "ask my wife" }, "text subscription_started suppressed phone_invalid"},
		{"phone much too long", func(t *subscriber.Trigger) { t.Recipient.Phone = strings.Repeat("+1", 1<<16) }, "text subscription_started suppressed phone_invalid"},
		{"phone of another country", func(t *subscriber.Trigger) { t.Recipient.Phone, t.Recipient.PhoneCountry = "503 555 0100", "DE" }, "text subscription_started suppressed phone_invalid"},
		{"phone of another country, without phone_country", func(t *subscriber.Trigger) { t.Recipient.Phone, t.Recipient.Country = "503 555 0100", "DE" }, "text subscription_started suppressed phone_invalid"},
		{"country not recognized", func(t *subscriber.Trigger) { t.Recipient.Phone, t.Recipient.PhoneCountry = "503 555 0100", "Atlantis" }, "text subscription_started suppressed country_unknown"},
		{"country unknown", func(t *subscriber.Trigger) {
			t.Recipient.Phone, t.Recipient.PhoneCountry, t.Recipient.Country = "503 555 0100", "ZZ", "US"
		}, "text subscription_started suppressed country_unknown"},
		{"country not recognized, and a fixed line", func(t *subscriber.Trigger) {
			t.Recipient.Phone, t.Recipient.PhoneCountry = "+44 20 7946 0958", "Atlantis"
		}, "text subscription_started suppressed phone_invalid"},
		{"no such flow", func(t *subscriber.Trigger) { t.Flow = "birthday" }, "sms rejected malformed"},
		{"no id", func(t *subscriber.Trigger) { t.ID = "" }, "sms rejected malformed"},
		{"no customer", func(t *subscriber.Trigger) { t.RechargeCustomerID = "" }, "sms rejected malformed"},
		{"a customer with a slash", func(t *subscriber.Trigger) { t.RechargeCustomerID = "1/2" }, "sms rejected malformed"},
		{"a cause without an end", func(t *subscriber.Trigger) { t.Cause = strings.Repeat("x", 1<<16) }, "sms rejected malformed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := textWorld(t)
			w.unchecked = true
			record := w.triggerRecord(0)
			var trigger subscriber.Trigger
			require.NoError(t, json.Unmarshal(record.Value, &trigger))
			test.change(&trigger)
			value, err := json.Marshal(trigger)
			require.NoError(t, err)
			record.Value = value
			w.send(record)
			assert.Contains(t, w.outcomes.lines, test.fate)
			assert.Zero(t, w.texts.Requests())
		})
	}
	t.Run("not JSON", func(t *testing.T) {
		w := textWorld(t)
		w.unchecked = true
		record := w.triggerRecord(0)
		record.Value = []byte("{")
		w.send(record)
		assert.Equal(t, []string{"sms rejected malformed"}, w.outcomes.lines)
	})
	t.Run("a store that is not configured", func(t *testing.T) {
		w := textWorld(t)
		w.unchecked = true
		w.send(kafka.Record{Topic: "recharge.sms-triggers", Value: []byte("{}"), Headers: []kafka.Header{{Key: envelope.HeaderStore, Value: []byte("another")}}})
		assert.Equal(t, []string{"sms rejected unknown_store (store unknown)"}, w.outcomes.lines)
		assert.Len(t, w.dead(topology.RoleSMS), 1)
	})
}

// A customer gets four texts within a day, and more about failed payments.
func TestSMSCapped(t *testing.T) {
	w := newWorld(t, storeConfig{SMS: true, Flows: []string{"subscription_started", "charge_failed"}, PerDay: 4})
	text := func(n int, key flow.Key) {
		record := w.triggerRecord(n)
		var trigger subscriber.Trigger
		require.NoError(t, json.Unmarshal(record.Value, &trigger))
		trigger.RechargeCustomerID, trigger.Flow, trigger.Cause = "1", key, fmt.Sprint("acme/1/", key, "/", n)
		record.Value, _ = json.Marshal(trigger)
		record.Key = []byte("acme/1")
		w.send(record)
	}
	for n := range 6 {
		text(n, flow.SubscriptionStarted)
	}
	assert.Len(t, w.texts.Texts(), 4)
	assert.Equal(t, 2, w.outcomes.count("text subscription_started suppressed capped"))
	text(6, flow.ChargeFailed)
	assert.Len(t, w.texts.Texts(), 5)
	w.later(24 * time.Hour)
	text(7, flow.SubscriptionStarted)
	assert.Len(t, w.texts.Texts(), 6)
}

// The texts of a paused flow are held, those of another one are sent. Resumed, each is sent once.
func TestSMSPaused(t *testing.T) {
	w := textWorld(t)
	w.sending.Pause(flow.SubscriptionStarted)
	w.produce(w.triggerRecord(0), w.triggerRecord(1))
	w.handleAll()
	w.release()
	assert.Empty(t, w.texts.Texts())
	assert.Equal(t, map[message.Status]int{message.Planned: 2}, w.statuses())
	held := w.messages()
	w.later(time.Hour)
	w.handleAll()
	assert.Equal(t, held, w.messages(), "a held text does not change")
	for _, m := range held {
		assert.Equal(t, reason.Paused, m.Reason)
	}

	require.NoError(t, w.sending.Resume(flow.SubscriptionStarted))
	w.release()
	assert.Len(t, w.texts.Texts(), 2)
	w.sending.Pause()
	w.produce(w.triggerRecord(2))
	w.handleAll()
	w.release()
	assert.Len(t, w.texts.Texts(), 2)
	require.NoError(t, w.sending.Resume())
	w.release()
	assert.Len(t, w.texts.Texts(), 3)
	assert.Equal(t, map[message.Status]int{message.Accepted: 3}, w.statuses())
}

// Nobody is texted after STOP, also if the text was planned before.
func TestSMSOptedOut(t *testing.T) {
	w := textWorld(t)
	w.produce(w.triggerRecord(0), w.triggerRecord(1))
	w.handleAll()
	w.optedOut = map[string]bool{"+14157120000": true}
	w.release()
	assert.Equal(t, map[message.Status]int{message.Suppressed: 1, message.Accepted: 1}, w.statuses())
	assert.Equal(t, 1, w.outcomes.count("text subscription_started suppressed opted_out"))
}

// While the decisions of numbers can't be read nothing is claimed, and no text changes.
func TestSMSConsentIsNotCurrent(t *testing.T) {
	w := textWorld(t)
	current := false
	w.built.Stores[0].Texts.MayClaim = func() bool { return current }
	w.produce(w.triggerRecord(0))
	w.handleAll()
	w.release()
	planned := w.messages()
	assert.Equal(t, map[message.Status]int{message.Planned: 1}, w.statuses())
	w.later(time.Minute)
	w.handleAll()
	assert.Equal(t, planned, w.messages())
	current = true
	w.handleAll()
	assert.Equal(t, map[message.Status]int{message.Accepted: 1}, w.statuses())
	assert.Len(t, w.texts.Texts(), 1)
}

// Quiet hours hold a text back until the morning where its recipient is. The customer is in California, where it is two in the
// morning; a flow without quiet hours does not wait.
func TestSMSQuietHours(t *testing.T) {
	w := newWorld(t, storeConfig{SMS: true, Flows: []string{"subscription_started", "order_skipped"}})
	skipped := w.triggerRecord(1)
	var trigger subscriber.Trigger
	require.NoError(t, json.Unmarshal(skipped.Value, &trigger))
	trigger.Flow, trigger.Cause = flow.OrderSkipped, "acme/2/order_skipped/178918/"
	skipped.Value, _ = json.Marshal(trigger)
	w.send(w.triggerRecord(0), skipped)
	require.Len(t, w.texts.Texts(), 1)
	assert.Equal(t, "subscription_started", w.texts.Texts()[0].Flow)
	w.set(time.Date(2026, 3, 1, 16, 59, 59, 0, time.UTC))
	w.handleAll()
	require.Len(t, w.texts.Texts(), 1)
	w.set(time.Date(2026, 3, 1, 17, 0, 0, 0, time.UTC))
	w.handleAll()
	require.Len(t, w.texts.Texts(), 2, "at nine")
	assert.Equal(t, "order_skipped", w.texts.Texts()[1].Flow)
}

// A text that is due just before quiet hours begin is held back: its call could be made after they have begun. It is eight in the evening in
// California at four in the morning UTC.
func TestSMSQuietHoursBegin(t *testing.T) {
	for before, texts := range map[time.Duration]int{16 * time.Second: 1, 15 * time.Second: 0, time.Second: 0, 0: 0} {
		w := newWorld(t, storeConfig{SMS: true, Flows: []string{"order_skipped"}})
		w.set(time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC).Add(-61*time.Second - before))
		record := w.triggerRecord(0)
		var trigger subscriber.Trigger
		require.NoError(t, json.Unmarshal(record.Value, &trigger))
		trigger.Flow, trigger.Cause = flow.OrderSkipped, "acme/1/order_skipped/178918/"
		record.Value, _ = json.Marshal(trigger)
		w.send(record)
		assert.Len(t, w.texts.Texts(), texts, "%v before", before)
		w.set(time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC))
		w.handleAll()
		assert.Len(t, w.texts.Texts(), 1)
	}
}

// recharge.message-texts has the text as it was sent, without number and secrets.
func TestSMSTextIsKept(t *testing.T) {
	w := newWorld(t, storeConfig{SMS: true, Flows: []string{"subscription_started"}, Text: "Hi {{ first_name }}: {{ portal_url }}"})
	record := w.triggerRecord(0)
	var trigger subscriber.Trigger
	require.NoError(t, json.Unmarshal(record.Value, &trigger))
	trigger.Recipient.PortalHash = "f99bd4a6"
	record.Value, _ = json.Marshal(trigger)
	w.send(record)
	require.Len(t, w.texts.Texts(), 1)
	assert.Contains(t, w.texts.Texts()[0].Body, "f99bd4a6")
	rows := w.topics.since("recharge.message-texts", 0)
	require.Len(t, rows, 1)
	assert.NotContains(t, string(rows[0].Value), "f99bd4a6")
	assert.Contains(t, string(rows[0].Value), `"to":"+14*******00"`)
	assert.Equal(t, "acme/1/"+w.message().ID, string(rows[0].Key))
	for _, topic := range []string{"recharge.messages", "recharge.message-texts", "recharge.sms-receipts"} {
		for _, r := range w.topics.since(topic, 0) {
			assert.NotContains(t, string(r.Value), "4157120000", topic)
		}
	}

	w.later(36 * 24 * time.Hour)
	w.handleAll()
	rows = w.topics.since("recharge.message-texts", 0)
	require.Len(t, rows, 2)
	assert.Nil(t, rows[1].Value, "a tombstone")
	assert.Equal(t, rows[0].Key, rows[1].Key)
}
