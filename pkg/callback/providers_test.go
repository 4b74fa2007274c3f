package callback_test

import (
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/telnyx/telnyxtest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/twilio/twiliotest"
)

// provider makes the callbacks of a provider about one of the stores.
type provider struct {
	store string
	// reply and delivery return signed requests: the nth event, at a time.
	reply    func(n int, number, text string, at time.Time) *http.Request
	delivery func(n int, text, status string, at time.Time) *http.Request
	// forge signs a reply with another secret.
	forge func() *http.Request
	// timed means that a callback says when it happened. Without it the order of arrival counts.
	timed bool
}

// twilioAddress is the public address of the callbacks of the store omega.
const twilioAddress = "https://hooks.acme.test/callbacks/omega/twilio"

// telnyxAddress is that of the store tau.
const telnyxAddress = "https://hooks.acme.test/callbacks/tau/telnyx"

func telnyxProvider() provider {
	account, path := telnyxtest.SampleAccount(), "/callbacks/tau/telnyx"
	event := func(n int) string { return fmt.Sprintf("86f58db9-0fe3-4adc-9d1f-%012x", n) }
	statuses := map[string]string{"accepted": "queued", "sent": "sent", "delivered": "delivered", "undelivered": "delivery_failed"}
	return provider{
		store: "tau", timed: true,
		reply: func(n int, number, text string, at time.Time) *http.Request {
			return account.Request(path, account.Reply(event(n), number, text, at), at)
		},
		delivery: func(n int, text, status string, at time.Time) *http.Request {
			m := telnyxtest.Message{To: number, WebhookURL: telnyxAddress + "?text=" + text}
			return account.Request(path, account.Report(event(n), m, statuses[status], "", at), at)
		},
		forge: func() *http.Request {
			other := account
			other.Key = ed25519.NewKeyFromSeed([]byte(strings.Repeat("x", ed25519.SeedSize)))
			return other.Request(path, account.Reply(event(1), number, "START", noon), noon)
		},
	}
}

func providers() map[string]provider {
	account := twiliotest.SampleAccount()
	sid := func(n int) string { return fmt.Sprintf("SM%032x", n) }
	twilioReply := func(a twiliotest.Account, n int, number, text string) *http.Request {
		return a.Request(twilioAddress, a.Reply(sid(n), number, text))
	}
	return map[string]provider{
		"telnyx": telnyxProvider(),
		"webhook": {
			store: "acme", timed: true,
			reply: func(n int, number, text string, at time.Time) *http.Request {
				return smstest.Callback{Kind: "reply", Store: "acme", ID: sid(n), At: at, Number: number, Text: text}.Request(secret, at)
			},
			delivery: func(n int, text, status string, at time.Time) *http.Request {
				return smstest.Callback{Kind: "delivery", Store: "acme", ID: sid(n), At: at, MessageID: text, Status: status}.Request(secret, at)
			},
			forge: func() *http.Request { return reply("START", noon).Request("guess", noon) },
		},
		"twilio": {
			store: "omega",
			reply: func(n int, number, text string, _ time.Time) *http.Request {
				return twilioReply(account, n, number, text)
			},
			delivery: func(n int, text, status string, _ time.Time) *http.Request {
				return account.Request(twilioAddress+"?text="+text, account.Status(sid(n), number, status, ""))
			},
			forge: func() *http.Request {
				a := account
				a.AuthToken = "guess"
				return twilioReply(a, 1, number, "START")
			},
		},
	}
}

// each runs a test for each provider.
func each(t *testing.T, test func(t *testing.T, b *bench, p provider)) {
	for name, p := range providers() {
		t.Run(name, func(t *testing.T) { test(t, newBench(t), p) })
	}
}

// take sends a callback that must be accepted, now.
func (b *bench) take(r *http.Request) {
	b.t.Helper()
	status, answer := b.send(r)
	require.Equal(b.t, http.StatusOK, status, answer)
	require.Empty(b.t, answer)
}

func TestKeywordsOfProviders(t *testing.T) {
	each(t, func(t *testing.T, b *bench, p provider) {
		b.take(p.reply(1, number, "Stop", noon))
		assert.Equal(t, map[string]consent.Status{number: consent.OptedOut}, b.statuses())
		b.now = noon.Add(time.Second)
		b.take(p.reply(2, number, "START", b.now))
		b.take(p.reply(3, number, "thanks a lot", b.now))
		assert.Equal(t, map[string]consent.Status{number: consent.OptedIn}, b.statuses())
		assert.Equal(t, p.store+" reply accepted", b.counted[2])
		b.validate()
	})
}

// HELP is answered once, however often it is reported.
func TestHelpOfProviders(t *testing.T) {
	account := twiliotest.SampleAccount()
	b := newBench(t)
	ask := func() {
		b.take(account.Request(strings.Replace(twilioAddress, "omega", "sigma", 1), account.Reply("SM"+strings.Repeat("0", 32), number, "help")))
	}
	ask()
	b.now = noon.Add(time.Minute)
	b.restart()
	ask()
	b.validate()
	require.Len(t, b.records, 2)
	assert.Equal(t, b.records[0].Header("ce_id"), b.records[1].Header("ce_id"))
}

// A report goes to the partition of its text. It says that the provider has the text, so it resolves an unknown one.
func TestDeliveriesOfProviders(t *testing.T) {
	each(t, func(t *testing.T, b *bench, p provider) {
		for n, status := range []string{"accepted", "sent", "delivered", "undelivered"} {
			b.records = nil
			b.take(p.delivery(n, textID+"-11-246936001", status, noon))
			var got message.Receipt
			r := b.only(&got)
			assert.Equal(t, 11, r.Partition)
			assert.Equal(t, p.store+"/246936001", string(r.Key))
			assert.Equal(t, message.Status(status), got.Outcome)
			assert.Equal(t, textID, got.MessageID)
			assert.Zero(t, got.Attempt)
		}
		status, answer := b.send(p.delivery(9, textID+"-12-246936001", "sent", noon))
		assert.Equal(t, http.StatusBadRequest, status, answer)
	})
}

// A text that was accepted and then not delivered because its number has opted out opts it out here, too.
func TestUndeliveredBecauseOfAnOptOut(t *testing.T) {
	account, b := twiliotest.SampleAccount(), newBench(t)
	b.take(account.Request(twilioAddress+"?text="+textID+"-11-246936001", account.Status("SM"+strings.Repeat("0", 32), number, "failed", "21610")))
	b.validate()
	require.Len(t, b.records, 2)
	assert.Equal(t, []string{"receipts", "consent"}, []string{b.records[0].Topic, b.records[1].Topic})
	assert.Equal(t, map[string]consent.Status{number: consent.OptedOut}, b.statuses())
}

// A forged callback, or one that is signed for another store or altered, changes nothing.
func TestForgedCallbacks(t *testing.T) {
	each(t, func(t *testing.T, b *bench, p provider) {
		captured := p.reply(1, number, "hello", noon)
		for name, r := range map[string]*http.Request{
			"forged":   p.forge(),
			"redirect": redirected(p.reply(1, number, "START", noon), "/callbacks/gamma/webhook"),
			"altered":  withBody(captured, p.reply(1, number, "START", noon)),
			"unsigned": unsigned(p.reply(1, number, "START", noon)),
		} {
			status, _ := b.send(r)
			assert.GreaterOrEqual(t, status, 400, name)
		}
		for other, q := range providers() {
			if q.store != p.store {
				status, _ := b.send(redirected(p.reply(1, number, "START", noon), "/callbacks/"+q.store+"/"+other))
				assert.Equal(t, http.StatusUnauthorized, status, other)
			}
		}
		assert.Empty(t, b.records)
	})
}

func redirected(r *http.Request, path string) *http.Request {
	r.URL.Path = path
	return r
}

func unsigned(r *http.Request) *http.Request {
	r.Header = http.Header{"Content-Type": r.Header["Content-Type"]}
	return r
}

// withBody returns a request with the body of another one.
func withBody(r, other *http.Request) *http.Request {
	other.Header = r.Header
	return other
}

// A START that is captured and sent again after a STOP changes nothing, as long as its signature is valid, and neither does any other.
func TestReplayedCallbacks(t *testing.T) {
	each(t, func(t *testing.T, b *bench, p provider) {
		start := func() *http.Request { return p.reply(1, number, "START", noon) }
		b.take(start())
		b.now = noon.Add(time.Minute)
		b.take(p.reply(2, number, "STOP", b.now))
		for range 3 {
			b.now = b.now.Add(time.Minute)
			b.restart()
			b.take(start())
		}
		assert.Equal(t, map[string]consent.Status{number: consent.OptedOut}, b.statuses())
		if p.timed {
			b.now = noon.Add(6 * time.Minute)
			status, _ := b.send(start())
			assert.Equal(t, http.StatusUnauthorized, status)
		} else {
			b.now = noon.AddDate(1, 0, 0)
			b.take(start())
		}
		assert.Equal(t, map[string]consent.Status{number: consent.OptedOut}, b.statuses())
	})
}

// Whatever is reported again later, the newest event holds. Where callbacks have a time, their order makes no difference, either.
func TestRepeatedAndReorderedCallbacks(t *testing.T) {
	for seed := range uint64(30) {
		each(t, func(t *testing.T, b *bench, p provider) {
			random := rand.New(rand.NewPCG(seed, 0))
			var sent []func() *http.Request
			want := map[string]consent.Status{}
			for n := range 8 {
				text, to := []string{"STOP", "START"}[random.IntN(2)], []string{number, "+447911123456"}[random.IntN(2)]
				at := noon.Add(time.Duration(n) * time.Second)
				want[to] = map[string]consent.Status{"STOP": consent.OptedOut, "START": consent.OptedIn}[text]
				sent = append(sent, func() *http.Request { return p.reply(n, to, text, at) })
			}
			if p.timed {
				random.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
			}
			for n := range sent {
				b.now = noon.Add(time.Duration(10+n) * time.Second)
				b.take(sent[n]())
				b.now = b.now.Add(100 * time.Millisecond)
				if random.IntN(2) == 0 {
					b.restart()
				}
				b.take(sent[random.IntN(n+1)]())
			}
			assert.Equal(t, want, b.statuses(), "seed %d", seed)
		})
	}
}
