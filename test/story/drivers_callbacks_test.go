package story_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/telnyx/telnyxtest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/twilio/twiliotest"
)

// callbacks are what a provider reports to the gateway.
type callbacks struct {
	help  bool // replies that ask for help are answered
	timed bool // a signature is valid for some minutes only
	// report reports that a text is sent, delivered or undelivered.
	report func(s sent, status string, at time.Time, by signing) call
	// optOut reports that the number of a text has opted out at the provider. code is that of the report of the text, "" if it is none.
	optOut func(s sent, at time.Time) (report call, code string)
	reply  func(id, number, text string, at time.Time, by signing) call
}

// signing is how a callback is signed: rightly, with another secret, or some time ago.
type signing struct {
	forged bool
	ago    time.Duration
}

// undelivered is the code of texts that are not delivered.
const undelivered = "30003"

func gatewayCallbacks(store, secret string, help bool) *callbacks {
	request := func(c smstest.Callback, by signing) call {
		c.Store = store
		key := secret
		if by.forged {
			key = "another secret"
		}
		return callOf(c.Request(key, time.Now().Add(-by.ago)))
	}
	return &callbacks{
		help: help, timed: true,
		report: func(s sent, status string, at time.Time, by signing) call {
			c := smstest.Callback{Kind: "delivery", At: at, MessageID: s.id, Status: status}
			if status == "undelivered" {
				c.Code = undelivered
			}
			return request(c, by)
		},
		optOut: func(s sent, at time.Time) (call, string) {
			return request(smstest.Callback{Kind: "opt_out", ID: "out-" + s.to, At: at, Number: s.to}, signing{}), ""
		},
		reply: func(id, number, text string, at time.Time, by signing) call {
			return request(smstest.Callback{Kind: "reply", ID: id, At: at, Number: number, Text: text}, by)
		},
	}
}

func twilioCallbacks(account twiliotest.Account) *callbacks {
	sid := func(of string) string { return fmt.Sprintf("SM%x", sha256.Sum256([]byte(of)))[:34] }
	request := func(address string, form url.Values, by signing) call {
		signer := account
		if by.forged {
			signer.AuthToken = "another token"
		}
		return callOf(signer.Request(address, form))
	}
	return &callbacks{
		help: true,
		report: func(s sent, status string, _ time.Time, by signing) call {
			code := ""
			if status == "undelivered" {
				code = undelivered
			}
			return request(s.callback, account.Status(sid(s.callback), s.to, status, code), by)
		},
		optOut: func(s sent, _ time.Time) (call, string) {
			return request(s.callback, account.Status(sid(s.callback), s.to, "undelivered", "21610"), signing{}), "21610"
		},
		reply: func(id, number, text string, _ time.Time, by signing) call {
			return request(callbackURL+"/callbacks/twilio/twilio", account.Reply(sid(id), number, text), by)
		},
	}
}

func telnyxCallbacks(account telnyxtest.Account) *callbacks {
	request := func(body string, by signing) call {
		signer := account
		if by.forged {
			signer.Key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
		}
		return callOf(signer.Request("/callbacks/telnyx/telnyx", body, time.Now().Add(-by.ago)))
	}
	message := func(s sent) telnyxtest.Message {
		return telnyxtest.Message{To: s.to, Text: s.body, WebhookURL: s.callback}
	}
	return &callbacks{
		help: true, timed: true,
		report: func(s sent, status string, at time.Time, by signing) call {
			code := ""
			if status == "undelivered" {
				status, code = "delivery_failed", undelivered
			}
			return request(account.Report("event-"+status+s.to, message(s), status, code, at), by)
		},
		optOut: func(s sent, at time.Time) (call, string) {
			return request(account.Report("event-out"+s.to, message(s), "delivery_failed", "40300", at), signing{}), "40300"
		},
		reply: func(id, number, text string, at time.Time, by signing) call {
			return request(account.Reply(id, number, text, at), by)
		},
	}
}

// call is a callback, which can be made again.
type call struct {
	uri    string
	header http.Header
	body   []byte
}

func callOf(r *http.Request) call {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err) // it is in memory
	}
	return call{uri: r.URL.RequestURI(), header: r.Header, body: body}
}

// post makes the call at the gateway, as a proxy passes it on, and returns the status of the answer.
func (c call) post(t *testing.T, r *row) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.l.Gateway+c.uri, bytes.NewReader(c.body))
	require.NoError(t, err)
	request.Header = c.header
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}

func (c call) accepted(t *testing.T, r *row) {
	t.Helper()
	require.Equal(t, http.StatusOK, c.post(t, r))
}

// altered returns the call with another status, and the signature of this one.
func (c call) altered() call {
	c.body = bytes.Replace(c.body, []byte("undelivered"), []byte("delivered"), 1)
	c.body = bytes.Replace(c.body, []byte("delivery_failed"), []byte("delivered"), 1)
	return c
}

// unsigned returns the call without a signature.
func (c call) unsigned() call {
	c.header = http.Header{"Content-Type": c.header["Content-Type"]}
	return c
}

// reports reports texts: in order, twice, out of order, and with signatures that are not the provider's.
func (r *row) reports(t *testing.T) {
	now := time.Now()
	report := func(c *customer, status string, ago time.Duration) call {
		return r.callbacks.report(r.sentTo(c)[0], status, now.Add(-ago), signing{})
	}
	inOrder := r.texted(t)
	report(inOrder, "sent", 2*time.Second).accepted(t, r)
	r.moves(t, inOrder, message.Sent, "")
	report(inOrder, "delivered", time.Second).accepted(t, r)
	r.moves(t, inOrder, message.Delivered, "")

	mixed := r.texted(t)
	for _, status := range []string{"delivered", "sent", "delivered", "undelivered"} {
		report(mixed, status, time.Second).accepted(t, r)
	}
	r.moves(t, mixed, message.Delivered, "")

	failed := r.texted(t)
	for _, status := range []string{"undelivered", "undelivered", "sent"} {
		report(failed, status, time.Second).accepted(t, r)
	}
	r.moves(t, failed, message.Undelivered, undelivered)

	forged := r.texted(t)
	for _, c := range []call{
		r.callbacks.report(r.sentTo(forged)[0], "delivered", now, signing{forged: true}), report(forged, "undelivered", 0).altered(),
		report(forged, "delivered", 0).unsigned(), r.callbacks.reply("forged", forged.phone, "STOP", now, signing{forged: true}),
	} {
		assert.Equal(t, http.StatusUnauthorized, c.post(t, r))
	}
	if r.callbacks.timed {
		old := r.callbacks.reply("old", forged.phone, "STOP", now.Add(-10*time.Minute), signing{ago: 10 * time.Minute})
		assert.Equal(t, http.StatusUnauthorized, old.post(t, r))
	}
	r.order(t, forged)
	r.ends(t, forged, message.Accepted, "")
}

// replies passes on replies: STOP twice, START, the STOP again, and HELP twice.
func (r *row) replies(t *testing.T) {
	now := time.Now()
	stopped, out, lost := r.texted(t), r.texted(t), r.texted(t)
	stop := r.callbacks.reply("stop-"+stopped.id, stopped.phone, "Stop!", now.Add(-3*time.Second), signing{})
	stop.accepted(t, r)
	stop.accepted(t, r)
	report, code := r.callbacks.optOut(r.sentTo(out)[0], now)
	report.accepted(t, r)
	if code != "" {
		r.moves(t, out, message.Undelivered, code)
	}
	help := r.callbacks.reply("help-"+lost.id, lost.phone, "help", now, signing{})
	help.accepted(t, r)
	help.accepted(t, r)
	if r.callbacks.help {
		eventually(t, func() bool { return len(r.sentTo(lost)) == 2 })
		assert.Equal(t, "Acme Coffee: Help at https://acme.example. Reply STOP to opt out.", r.sentTo(lost)[1].body)
		r.helps, lost.answered = r.helps+1, 1
	}
	consents(t)
	r.suppressed(t, stopped)
	r.suppressed(t, out)
	r.callbacks.reply("start-"+stopped.id, stopped.phone, "START", now.Add(-time.Second), signing{}).accepted(t, r)
	stop.accepted(t, r) // captured and replayed: the newer decision holds
	consents(t)
	r.order(t, stopped)
	r.ends(t, stopped, message.Accepted, "")
}

// noCallbacks: the gateway knows no callbacks of a driver without any.
func (r *row) noCallbacks(t *testing.T) {
	c := call{uri: "/callbacks/" + r.name + "/" + r.name, header: http.Header{}, body: []byte("{}")}
	assert.Equal(t, http.StatusNotFound, c.post(t, r))
}
