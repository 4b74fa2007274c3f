package callback_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

func reply(text string, at time.Time) smstest.Callback {
	return smstest.Callback{Kind: "reply", Store: "acme", ID: "in-1", At: at, Number: number, Text: text}
}

func TestNumbers(t *testing.T) {
	for name, tt := range map[string]struct {
		callback smstest.Callback
		want     consent.Change
	}{
		"STOP":    {reply("Stop!", noon), consent.Change{Status: consent.OptedOut, By: consent.ByKeyword, Detail: "stop"}},
		"START":   {reply("START", noon), consent.Change{Status: consent.OptedIn, By: consent.ByKeyword, Detail: "start"}},
		"opt-out": {smstest.Callback{Kind: "opt_out", Store: "acme", ID: "e-1", At: noon, Number: "+1 415 555 2671"}, consent.Change{Status: consent.OptedOut, By: consent.ByDestination, Detail: "e-1"}},
		"opt-in":  {smstest.Callback{Kind: "opt_in", Store: "acme", At: noon, Number: number}, consent.Change{Status: consent.OptedIn, By: consent.ByDestination}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.accept(tt.callback)
			var got consent.Change
			r := b.only(&got)
			tt.want.Store, tt.want.Number, tt.want.At = "acme", number, noon
			assert.Equal(t, tt.want, got)
			assert.Equal(t, "consent", r.Topic)
			assert.Equal(t, kafka.ByKey, r.Partition)
			assert.NotContains(t, string(r.Key), "4155552671")
			assert.Equal(t, "acme", r.Header(envelope.HeaderStore))
			assert.Equal(t, "rechargeflow.consent", r.Header(envelope.HeaderCEType))
			assert.Equal(t, []string{"acme " + tt.callback.Kind + " accepted"}, b.counted)
		})
	}
}

// A reply without STOP or START is accepted, and nothing comes of it where HELP is not answered. Its text is nowhere.
func TestOtherReplies(t *testing.T) {
	b := newBench(t)
	for _, text := range []string{"", "thanks a lot", "HELP", "please stop"} {
		b.accept(reply(text, noon))
	}
	assert.Empty(t, b.records)
	assert.NotContains(t, b.log.String(), "thanks")
}

// A reply that asks for help is a trigger of flow.Help for its number. The same reply has the same id.
func TestHelp(t *testing.T) {
	b := newBench(t)
	ask := func(id, number string, at time.Time) subscriber.Trigger {
		b.records = nil
		b.accept(smstest.Callback{Kind: "reply", Store: "delta", ID: id, At: at, Number: number, Text: " help? "})
		var got subscriber.Trigger
		r := b.only(&got)
		assert.Equal(t, "receipts", r.Topic)
		assert.Equal(t, kafka.ByKey, r.Partition)
		assert.Equal(t, "delta/"+got.RechargeCustomerID, string(r.Key))
		assert.NotContains(t, string(r.Key), "4155552671")
		assert.Equal(t, envelope.TypeTrigger, r.Header(envelope.HeaderCEType))
		assert.Equal(t, got.ID, r.Header(envelope.HeaderCEID))
		return got
	}
	first := ask("in-1", number, noon)
	assert.Equal(t, flow.Help, first.Flow)
	assert.Equal(t, subscriber.Recipient{Phone: number}, first.Recipient)
	assert.Equal(t, noon.Add(time.Hour), first.StaleAt)
	assert.Regexp(t, `^9\d{17}$`, first.RechargeCustomerID)
	why, err := message.Open(rows{}, noon, everything{}).Add(first, message.Origin{})
	require.NoError(t, err)
	assert.Empty(t, why)

	b.now = noon.Add(time.Minute)
	b.restart()
	assert.Equal(t, first.ID, ask("in-1", "+1 (415) 555-2671", noon).ID, "the same reply again")
	second := ask("in-2", number, noon.Add(time.Minute))
	assert.NotEqual(t, first.ID, second.ID)
	assert.Equal(t, first.Cause, second.Cause)
	unnamed := ask("", number, noon)
	assert.NotEqual(t, second.ID, unnamed.ID)
	b.restart()
	assert.Equal(t, unnamed.ID, ask("", number, noon).ID, "the time stands for a missing id")
	assert.NotEqual(t, first.RechargeCustomerID, ask("in-1", "+14155552672", noon).RechargeCustomerID)

	b.records = nil
	b.accept(smstest.Callback{Kind: "reply", Store: "delta", At: noon, Number: number, Text: "please help me"})
	assert.Empty(t, b.records)
	status, answer := b.send(smstest.Callback{Kind: "reply", Store: "delta", At: noon, Number: "12", Text: "HELP"}.Request(secret, b.now))
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, answer, "must have its country code")
}

// rows are rows in memory that nobody scans.
type rows map[string][]byte

func (r rows) Get(key []byte) []byte               { return r[string(key)] }
func (r rows) Set(key, value []byte)               { r[string(key)] = value }
func (r rows) Delete(key []byte)                   { delete(r, string(key)) }
func (rows) Scan([]byte) iter.Seq2[[]byte, []byte] { return func(func([]byte, []byte) bool) {} }

// everything is message.Settings with every flow active.
type everything struct{}

func (everything) Flow(_ string, key flow.Key) flow.Flow { return flow.Flow{Key: key, Active: true} }
func (everything) Paused(string, flow.Key) bool          { return false }

// A delivery report goes to the partition of its text, and is a receipt that pkg/message accepts.
func TestDelivery(t *testing.T) {
	b := newBench(t)
	delivery := smstest.Callback{
		Kind: "delivery", Store: "acme", At: noon.Add(-time.Second), MessageID: textID + "-11-246936001", Status: "undelivered",
		ProviderID: "SM1", Code: "30003", Detail: strings.Repeat("é", 300),
	}
	b.accept(delivery)
	var got message.Receipt
	r := b.only(&got)
	assert.Equal(t, message.Receipt{
		Store: "acme", CustomerID: "246936001", MessageID: textID, Outcome: message.Undelivered, At: noon.Add(-time.Second),
		ProviderID: "SM1", Code: "30003", Error: strings.Repeat("é", 250),
	}, got)
	assert.Equal(t, "receipts", r.Topic)
	assert.Equal(t, 11, r.Partition)
	assert.Equal(t, "acme/246936001", string(r.Key))
	assert.Equal(t, "rechargeflow.sms_receipt", r.Header(envelope.HeaderCEType))
	for _, status := range []string{"accepted", "sent", "delivered", "undelivered"} {
		got.Outcome = message.Status(status)
		why, err := message.Open(noRows{}, noon, nil).Receive(got)
		require.NoError(t, err)
		assert.Equal(t, reason.MessageUnknown, why)
	}

	b.restart()
	b.accept(delivery)
	assert.Equal(t, b.records[0], b.records[1], "a report that comes twice has the same id")
	delivery.MessageID = textID + "-12-246936001"
	status, answer := b.send(delivery.Request(secret, noon))
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, answer, "its partition does not exist")
}

// The code of a text that an operator has resolved is none that a provider can send.
func TestDeliveryResolvesNothing(t *testing.T) {
	b := newBench(t)
	b.accept(smstest.Callback{
		Kind: "delivery", Store: "acme", At: noon, MessageID: textID + "-11-246936001", Status: "delivered", Code: message.CodeResolved, Detail: "found out by ann: " + number,
	})
	var got message.Receipt
	b.only(&got)
	assert.Empty(t, got.Code)
	assert.Equal(t, "found out by ann: "+number, got.Error)
}

// noRows is an empty state.
type noRows struct{}

func (noRows) Get([]byte) []byte                     { return nil }
func (noRows) Set([]byte, []byte)                    {}
func (noRows) Delete([]byte)                         {}
func (noRows) Scan([]byte) iter.Seq2[[]byte, []byte] { return func(func([]byte, []byte) bool) {} }

func TestRefusals(t *testing.T) {
	const beyond = 64<<10 + 1
	for name, tt := range map[string]struct {
		request func() *http.Request
		status  int
		counted string
	}{
		"forged":           {func() *http.Request { return reply("STOP", noon).Request("guess", noon) }, 401, "acme refused bad_signature"},
		"altered":          {func() *http.Request { return altered(reply("thanks", noon).Request(secret, noon)) }, 401, "acme refused bad_signature"},
		"unsigned":         {func() *http.Request { return httptest.NewRequest(http.MethodPost, "/callbacks/acme/webhook", unread{}) }, 401, "acme refused no_signature"},
		"replayed later":   {func() *http.Request { return reply("STOP", noon).Request(secret, noon.Add(-6*time.Minute)) }, 401, "acme refused signature_expired"},
		"to another store": {func() *http.Request { return moved(reply("STOP", noon), "/callbacks/beta/webhook") }, 503, "beta refused no_callback_secret"},
		"unknown store":    {func() *http.Request { return moved(reply("STOP", noon), "/callbacks/gamma/webhook") }, 404, "unknown refused unknown_store"},
		"another driver":   {func() *http.Request { return moved(reply("STOP", noon), "/callbacks/acme/twilio") }, 404, "acme refused unknown_path"},
		"deeper path":      {func() *http.Request { return moved(reply("STOP", noon), "/callbacks/acme/webhook/x") }, 404, "acme refused unknown_path"},
		"not JSON":         {func() *http.Request { return smstest.SignedRequest("/callbacks/acme/webhook", "STOP", secret, noon) }, 400, "acme refused malformed"},
		"from the future":  {func() *http.Request { return reply("START", noon.Add(time.Hour)).Request(secret, noon) }, 400, "acme refused malformed"},
		"of another time":  {func() *http.Request { return reply("START", noon.AddDate(-50, 0, 0)).Request(secret, noon) }, 400, "acme refused malformed"},
		"too large":        {func() *http.Request { return reply(strings.Repeat("x", beyond), noon).Request(secret, noon) }, 413, "acme refused body_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			answer := httptest.NewRecorder()
			b.handler.ServeHTTP(answer, tt.request())
			assert.Equal(t, tt.status, answer.Code, answer.Body)
			assert.Equal(t, []string{tt.counted}, b.counted)
			assert.Empty(t, b.records)
			assert.Equal(t, tt.status == http.StatusServiceUnavailable, answer.Header().Get("Retry-After") == "5")
			words := strings.Fields(tt.counted)
			assert.Contains(t, answer.Body.String(), `{"error":"`+words[len(words)-1]+`","message":"`)
			assert.Contains(t, b.log.String(), "callback refused")
		})
	}
}

// unread is a body that must not be read.
type unread struct{}

func (unread) Read([]byte) (int, error) { panic("the body of an unsigned request was read") }

func moved(c smstest.Callback, path string) *http.Request {
	r := c.Request(secret, noon)
	r.URL.Path = path
	return r
}

func altered(r *http.Request) *http.Request {
	other := reply("STOP", noon).Request(secret, noon)
	other.Header = r.Header
	return other
}

// Kafka has a callback before it is answered with 200. If it can't be stored, the caller must send it again.
func TestAnswersAfterKafka(t *testing.T) {
	b := newBench(t)
	b.fail = context.DeadlineExceeded
	status, answer := b.send(reply("STOP", noon).Request(secret, noon))
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.JSONEq(t, `{"error":"kafka_unavailable","message":"not stored; send it again"}`, answer)
	b.fail = nil
	b.accept(reply("STOP", noon))
	assert.Equal(t, []string{"acme refused kafka_unavailable", "acme reply accepted"}, b.counted)
	assert.Equal(t, map[string]consent.Status{number: consent.OptedOut}, b.statuses())
}

// A callback that is captured and sent again while its signature is valid changes nothing, also after newer ones.
func TestReplayChangesNothing(t *testing.T) {
	b := newBench(t)
	captured := reply("START", noon).Request(secret, noon)
	again := reply("START", noon).Request(secret, noon)
	status, _ := b.send(captured)
	require.Equal(t, http.StatusOK, status)
	b.now = noon.Add(time.Minute)
	b.accept(reply("STOP", b.now))
	status, _ = b.send(again)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, map[string]consent.Status{number: consent.OptedOut}, b.statuses())
}

// Whatever the order in which callbacks arrive, and however often, the newest by source time holds.
func TestOrderAndRepetition(t *testing.T) {
	for seed := range uint64(50) {
		b, random := newBench(t), rand.New(rand.NewPCG(seed, 0))
		var all []smstest.Callback
		want := map[string]consent.Status{}
		for n := range 8 {
			c := reply([]string{"STOP", "START"}[random.IntN(2)], noon.Add(time.Duration(n)*time.Second))
			c.Number = []string{number, "+447911123456"}[random.IntN(2)]
			want[c.Number] = map[string]consent.Status{"STOP": consent.OptedOut, "START": consent.OptedIn}[c.Text]
			all = append(all, c)
		}
		all = append(all, all[random.IntN(len(all))], all[random.IntN(len(all))])
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, c := range all {
			b.accept(c)
		}
		assert.Equal(t, want, b.statuses(), "seed %d", seed)
	}
}

// A callback that is sent again and again is stored once by a gateway.
func TestRepetitions(t *testing.T) {
	each(t, func(t *testing.T, b *bench, p provider) {
		send := []func() *http.Request{
			func() *http.Request { return p.reply(1, number, "STOP", noon) },
			func() *http.Request { return p.delivery(2, textID+"-11-246936001", "sent", noon) },
			func() *http.Request { return p.delivery(2, textID+"-11-246936001", "delivered", noon) },
		}
		for range 2 {
			b.fail = errBroken
			for _, again := range send {
				status, _ := b.send(again())
				require.Equal(t, http.StatusServiceUnavailable, status)
			}
			b.fail = nil
			for range 5 {
				for _, again := range send {
					b.take(again())
				}
			}
			require.Len(t, b.records, 3)
			b.restart()
			b.records = nil
		}
	})
}

// Only the last callbacks are remembered. Reports do not push replies out.
func TestRepetitionsAreForgotten(t *testing.T) {
	const remembered = 1 << 12
	b, p := newBench(t), providers()["webhook"]
	stop := func() { b.take(p.reply(0, number, "STOP", noon)) }
	stop()
	for n := range remembered {
		b.take(p.delivery(n, textID+"-11-246936001", "sent", noon))
	}
	stop()
	assert.Len(t, b.records, remembered+1)
	for n := range remembered {
		b.take(p.reply(1+n, number, "START", noon))
	}
	stop()
	assert.Len(t, b.records, 2*remembered+2)
}

// The caller may be gone when the record is stored.
func TestPublishesAfterDisconnect(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := reply("STOP", noon).Request(secret, noon).WithContext(ctx)
	cancel()
	status, _ := b.send(r)
	assert.Equal(t, http.StatusOK, status)
	assert.Len(t, b.records, 1)
}

// No answer and no log line has a number, whatever is sent; each signed request is answered with 200 or 400.
func FuzzCallback(f *testing.F) {
	f.Add(`{"kind":"reply","store":"acme","at":"2026-05-04T11:59:58.5Z","number":"+14155552671","text":"Stop"}`)
	f.Add(`{"kind":"delivery","store":"acme","at":"2026-05-04T12:00:00Z","message_id":"` + textID + `-11-246936001","status":"sent","detail":"\xff"}`)
	f.Fuzz(func(t *testing.T, body string) {
		b := newBench(t)
		status, answer := b.send(smstest.SignedRequest("/callbacks/acme/webhook", body, secret, noon))
		if len(body) > 64<<10 {
			return
		}
		require.Contains(t, []int{http.StatusOK, http.StatusBadRequest}, status, answer)
		require.LessOrEqual(t, len(b.records), 1)
		require.Equal(t, status == http.StatusOK, !bytes.Contains(b.log.Bytes(), []byte("callback refused")))
		b.validate()
		for _, r := range b.records {
			if _, err := consent.Decode(r.Value); r.Topic == "consent" {
				require.NoError(t, err)
			}
		}
	})
}

var errBroken = errors.New("broken")

// A body that ends early is refused.
func TestBodyEndsEarly(t *testing.T) {
	b := newBench(t)
	r := reply("STOP", noon).Request(secret, noon)
	r.Body = brokenBody{}
	status, answer := b.send(r)
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, answer, "body_unreadable")
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errBroken }
func (brokenBody) Close() error             { return nil }
