package pipeline_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// blocked makes the provider refuse the numbers of the given triggers.
func (w *world) blocked(b smstest.Behaviour, triggers ...int) {
	for _, n := range triggers {
		w.texts.ForNumber(fmt.Sprintf("+1415712%04d", n), b)
	}
}

func (w *world) triggers(n int) []kafka.Record {
	records := make([]kafka.Record, n)
	for i := range records {
		records[i] = w.triggerRecord(i)
	}
	return records
}

// A number that the provider refuses with 403, twice within half a minute and more: that text is a dead letter with the provider's
// words, the others are sent, wherever it is in the batch.
func TestSMSOneNumberRefused(t *testing.T) {
	for _, at := range []int{0, 17, 39} {
		t.Run(fmt.Sprint("at ", at), func(t *testing.T) {
			w := textWorld(t)
			w.blocked(smstest.Blocked(), at)
			done, err := w.send(w.triggers(40)...)
			require.Error(t, err)
			assert.Equal(t, 39, done)
			w.later(31 * time.Second)
			_, err = w.send(w.triggerRecord(at), w.triggerRecord(40))
			require.NoError(t, err)
			letters := w.dead(pipeline.RoleSMS)
			require.Len(t, letters, 1)
			assert.Equal(t, fmt.Sprint(at), letters[0].Header(deadletter.HeaderOffset))
			assert.Equal(t, "refused", letters[0].Header(deadletter.HeaderReason))
			assert.Contains(t, letters[0].Header(deadletter.HeaderError), "The recipient blocked this sender")
			assert.NotContains(t, letters[0].Header(deadletter.HeaderError), "1415712")
			assert.Empty(t, w.texts.Duplicates())
			assert.False(t, w.outcomes.pauses[len(w.outcomes.pauses)-1], "others are accepted")
			assert.Equal(t, map[ledger.State]int{ledger.StateRejected: 1, ledger.StateAccepted: 40}, w.states())
			assert.Len(t, w.texts.Texts(), 40)
		})
	}
}

// Credentials that one of the provider's servers refuses reject no text: it waits, and the others are sent.
func TestSMSCredentialsRefusedNowAndThen(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusNotFound, http.StatusPaymentRequired} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			w := textWorld(t)
			w.blocked(smstest.Behaviour{Status: status}, 0)
			for n := range 3 {
				_, err := w.send(w.triggerRecord(0), w.triggerRecord(n+1))
				require.Error(t, err)
				w.later(time.Minute)
			}
			assert.Empty(t, w.dead(pipeline.RoleSMS))
			assert.Len(t, w.texts.Texts(), 3)
			w.texts.ForNumber("+14157120000", smstest.Behaviour{Status: http.StatusOK, Accept: true})
			_, err := w.send(w.triggerRecord(0))
			require.NoError(t, err)
			assert.Len(t, w.texts.Texts(), 4)
		})
	}
}

// One number alone, without other texts: its record waits, later ones go on when they come, and it is not called a fault of the
// credentials.
func TestSMSOneNumberRefusedAlone(t *testing.T) {
	w := textWorld(t)
	w.blocked(smstest.Blocked(), 0)
	for range 5 {
		done, err := w.send(w.triggerRecord(0))
		require.ErrorContains(t, err, "The recipient blocked this sender")
		assert.Zero(t, done)
	}
	assert.NotContains(t, w.outcomes.pauses, true)
	assert.Equal(t, map[ledger.State]int{ledger.StatePlanned: 1}, w.states())
	assert.Equal(t, 1, strings.Count(w.log.String(), "sms gateway failed"))

	w.later(time.Minute)
	done, err := w.send(w.triggerRecord(0), w.triggerRecord(1))
	require.NoError(t, err)
	assert.Equal(t, 2, done)
	assert.ElementsMatch(t, []string{"sms done", "sms rejected refused"}, w.outcomes.lines)
}

// A text of another partition proves it, too.
func TestSMSOneNumberRefusedWhileAnotherPartitionGoesOn(t *testing.T) {
	w := textWorld(t)
	w.blocked(smstest.Blocked(), 0)
	_, err := w.send(w.triggerRecord(0))
	require.Error(t, err)
	other := w.triggerRecord(1)
	other.Partition, other.Offset = 3, 0
	_, err = w.send(other)
	require.NoError(t, err)
	w.later(time.Minute)
	_, err = w.send(w.triggerRecord(0))
	require.NoError(t, err)
	assert.Equal(t, []string{"sms done", "sms rejected refused"}, w.outcomes.lines)
	assert.Equal(t, 3, w.texts.Requests())
}

// Different numbers that are refused, and none that is accepted, are a fault of the account.
func TestSMSSeveralNumbersRefused(t *testing.T) {
	w := textWorld(t)
	w.blocked(smstest.Blocked(), 0, 1)
	_, err := w.send(w.triggers(2)...)
	require.Error(t, err)
	assert.Equal(t, []bool{false, true}, w.outcomes.pauses)
	assert.Empty(t, w.dead(pipeline.RoleSMS))
}

// A text that was refused while the credentials were wrong is sent when they are right, although others were accepted before.
func TestSMSCredentialsFixed(t *testing.T) {
	w := textWorld(t)
	w.texts.Next(2, smstest.Behaviour{Status: http.StatusForbidden})
	_, err := w.send(w.triggers(2)...)
	require.Error(t, err)
	_, err = w.send(w.triggerRecord(2))
	require.NoError(t, err)
	_, err = w.send(w.triggers(2)...)
	require.NoError(t, err)
	assert.Equal(t, []string{"sms paused", "sms done", "sms done", "sms done"}, w.outcomes.lines)
	assert.Len(t, w.texts.Texts(), 3)
}

// The later texts of a customer wait behind one that waits.
func TestSMSRefusedKeepsTheCustomersOrder(t *testing.T) {
	w := textWorld(t)
	w.texts.Next(1, smstest.Blocked())
	first, later := w.triggerRecord(0), w.triggerRecord(0)
	later.Offset = 1
	later.Value = []byte(strings.Replace(string(first.Value), strings.Repeat("0", 32), strings.Repeat("0", 31)+"f", 1))
	_, err := w.send(first, later)
	require.Error(t, err)
	assert.Equal(t, 1, w.texts.Requests(), "the later one is not tried")
	_, err = w.send(first, later, w.triggerRecord(2))
	require.NoError(t, err)
	assert.Len(t, w.texts.Texts(), 3)
	assert.Equal(t, []string{"sms done", "sms done", "sms done"}, w.outcomes.lines)
}

// A waiting text that becomes stale is skipped.
func TestSMSRefusedUntilStale(t *testing.T) {
	w := textWorld(t)
	w.blocked(smstest.Blocked(), 0)
	record := w.triggerRecord(0)
	_, err := w.send(record)
	require.Error(t, err)
	w.later(25 * time.Hour)
	done, err := w.send(record)
	require.NoError(t, err)
	assert.Equal(t, 1, done)
	assert.Equal(t, []string{"sms skipped stale"}, w.outcomes.lines)
}

// A gateway that fails is a warning with the consequence, repeated at most every minute, and a line when it works again.
func TestSMSTroubleIsLogged(t *testing.T) {
	for name, test := range map[string]struct {
		does        smstest.Behaviour
		consequence string
	}{
		"unavailable": {smstest.Behaviour{Status: http.StatusServiceUnavailable, Body: "<h1>Maintenance</h1>"}, "the text may have been sent"},
		"busy":        {smstest.Behaviour{Status: http.StatusTooManyRequests, Body: "slow down"}, "the text waits"},
		"forbidden":   {smstest.Behaviour{Status: http.StatusForbidden, Body: "no credit"}, "the text waits"},
	} {
		t.Run(name, func(t *testing.T) {
			w := textWorld(t)
			w.texts.Next(8, test.does)
			n := 0
			send := func() {
				if done, _ := w.send(w.triggerRecord(n)); done == 1 {
					n++
				}
			}
			warnings := func() int { return strings.Count(w.log.String(), `"msg":"sms gateway failed"`) }
			for range 4 {
				send()
			}
			require.Equal(t, 1, warnings())
			w.later(time.Minute)
			for range 4 {
				send()
			}
			require.Equal(t, 2, warnings())
			assert.NotContains(t, w.log.String(), "works again")
			send()
			assert.Equal(t, 2, warnings())
			log := w.log.String()
			assert.Contains(t, log, `"level":"warn"`)
			assert.Contains(t, log, test.consequence)
			assert.Contains(t, log, `"next_try"`)
			assert.Contains(t, log, strings.Trim(strings.NewReplacer("<h1>", "", "</h1>", "").Replace(test.does.Body), " "))
			assert.Equal(t, 1, strings.Count(log, `"msg":"sms gateway works again"`))
			assert.Contains(t, log, `"failures":8,"failed_for":60`)
			send()
			assert.Equal(t, 1, strings.Count(w.log.String(), `"msg":"sms gateway works again"`))
		})
	}
}

// The key in the links of a text is in no log and no dead letter, whatever the gateway quotes.
func TestSMSKeyOfThePortalIsSecret(t *testing.T) {
	w := textWorld(t)
	record := w.triggerRecord(0)
	var trigger subscriber.Trigger
	require.NoError(t, json.Unmarshal(record.Value, &trigger))
	trigger.Recipient.PortalHash = "f99/bd4a6"
	var err error
	record.Value, err = json.Marshal(trigger)
	require.NoError(t, err)
	w.texts.Next(1, smstest.Behaviour{Status: http.StatusUnprocessableEntity, Body: "bad link: portal/f99/bd4a6 or portal/f99%2Fbd4a6"})
	_, err = w.send(record)
	require.NoError(t, err)
	assert.Equal(t, []string{"sms rejected refused"}, w.outcomes.lines)
	assert.Contains(t, w.log.String(), "bad link: portal/*** or portal/***")
}
