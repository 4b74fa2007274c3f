package faults_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/twilio/twiliotest"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// textProvider simulates a provider that takes texts and makes callbacks.
type textProvider struct {
	driver string // sms.driver and its settings, which call the address in place of %s
	url    string
	// texts returns the texts that it took, in their order.
	texts func() []takenText
	// delivery and reply return a callback: a text has a status, and somebody has answered. The same event has the same id and time.
	delivery func(text takenText, status, id string, at time.Time) *http.Request
	reply    func(id, number, text string, at time.Time) *http.Request
	// forged returns callbacks that somebody else has made up: a report of a text, and a reply.
	forged func(text takenText, number, reply string) []*http.Request
}

// takenText is a text that a provider took.
type takenText struct{ id, number, providerID string }

// forgedCode is the error code of forged reports.
const forgedCode = "30666"

// viaWebhook is the simulator of the driver webhook.
func viaWebhook(_ *testing.T, l *lab.Lab) textProvider {
	delivery := func(text takenText, status, id, code string, at time.Time) smstest.Callback {
		return smstest.Callback{Kind: "delivery", Store: lab.Store, ID: id, At: at, MessageID: text.id, Status: status, ProviderID: text.providerID, Code: code}
	}
	reply := func(id, number, text string, at time.Time) smstest.Callback {
		return smstest.Callback{Kind: "reply", Store: lab.Store, ID: id, At: at, Number: number, Text: text}
	}
	return textProvider{
		driver: fmt.Sprintf("driver: webhook\n      webhook: {url: %%q, secret: %q}", lab.SMSSecret), url: l.Texts.URL,
		texts: func() (taken []takenText) {
			for n, text := range l.Texts.Texts() {
				taken = append(taken, takenText{text.ID, text.To, fmt.Sprintf("gw-%d", n+1)})
			}
			return taken
		},
		delivery: func(text takenText, status, id string, at time.Time) *http.Request {
			return delivery(text, status, id, "", at).Request(lab.SMSSecret, time.Now())
		},
		reply: func(id, number, text string, at time.Time) *http.Request {
			return reply(id, number, text, at).Request(lab.SMSSecret, time.Now())
		},
		forged: func(text takenText, number, answer string) []*http.Request {
			old := time.Now().Add(-time.Hour)
			return []*http.Request{
				delivery(text, "delivered", "f", forgedCode, time.Now()).Request("guess", time.Now()),
				reply("f", number, answer, time.Now()).Request("guess", time.Now()),
				reply("f", number, answer, old).Request(lab.SMSSecret, old), // captured long ago
			}
		},
	}
}

// viaTwilio is the simulator of Twilio.
func viaTwilio(t *testing.T, l *lab.Lab) textProvider {
	t.Helper()
	account := twiliotest.SampleAccount()
	simulator := twiliotest.New(account, time.Now)
	t.Cleanup(simulator.Close)
	root := "http://" + l.Gateway
	address := root + "/callbacks/" + lab.Store + "/twilio"
	guess := account
	guess.AuthToken = "guess"
	textOf := func(m twiliotest.Message) string {
		u, err := url.Parse(m.Params.Get("StatusCallback"))
		if err != nil {
			return err.Error()
		}
		return u.Query().Get("text")
	}
	return textProvider{
		driver: fmt.Sprintf("driver: twilio\n      from: %q\n      callback_url: %q\n      twilio: {account_sid: %s, auth_token: %q, api_url: %%q}",
			account.From[0], root, account.SID, account.AuthToken), url: simulator.URL,
		texts: func() (taken []takenText) {
			for n, m := range simulator.Texts() {
				taken = append(taken, takenText{textOf(m), m.Params.Get("To"), fmt.Sprintf("SM%032x", n+1)})
			}
			return taken
		},
		delivery: func(text takenText, status, _ string, _ time.Time) *http.Request {
			return account.Request(address+"?text="+text.id, account.Status(text.providerID, text.number, status, ""))
		},
		reply: func(id, number, text string, _ time.Time) *http.Request {
			return account.Request(address, account.Reply(id, number, text))
		},
		forged: func(text takenText, number, answer string) []*http.Request {
			id := "SM" + fmt.Sprintf("%032x", 666)
			captured := account.Request(address, account.Reply(id, number, "hello"))
			captured.Body = io.NopCloser(bytes.NewReader([]byte(account.Reply(id, number, answer).Encode())))
			captured.ContentLength = -1
			return []*http.Request{
				guess.Request(address+"?text="+text.id, account.Status(text.providerID, text.number, "delivered", forgedCode)),
				guess.Request(address, account.Reply(id, number, answer)),
				captured, // with another text
			}
		},
	}
}

// unreliable stands before a provider. Now and then a call is lost before the provider has it, or its answer is lost, or takes so long that reports
// are there before it.
type unreliable struct {
	provider http.Handler
	mutex    sync.Mutex
	random   *rand.Rand
	// lost, unanswered and slow count such calls.
	lost, unanswered, slow atomic.Int64
}

func newUnreliable(t *testing.T, provider string, random *rand.Rand) (u *unreliable, address string) {
	t.Helper()
	to, err := url.Parse(provider)
	require.NoError(t, err)
	u = &unreliable{provider: httputil.NewSingleHostReverseProxy(to), random: random}
	server := httptest.NewServer(u)
	t.Cleanup(server.Close)
	return u, server.URL
}

// ServeHTTP is part of http.Handler.
func (u *unreliable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mutex.Lock()
	chance := u.random.IntN(200)
	u.mutex.Unlock()
	if r.Method != http.MethodPost {
		chance = 200
	}
	if chance == 0 {
		u.lost.Add(1)
		panic(http.ErrAbortHandler)
	}
	answer := httptest.NewRecorder()
	u.provider.ServeHTTP(answer, r.WithContext(context.WithoutCancel(r.Context())))
	switch {
	case chance == 1:
		u.unanswered.Add(1)
		panic(http.ErrAbortHandler)
	case chance < 20:
		u.slow.Add(1)
		<-time.After(200 * time.Millisecond)
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the caller may be gone
}

// callbacks makes the callbacks of a provider, each until it is accepted.
type callbacks struct {
	provider textProvider
	gateway  string
	client   *http.Client
	slots    chan struct{} // of calls at the same time
	work     sync.WaitGroup
	replying context.Context
	aborted  context.Context
	// stopReplies ends the replies, and abort all calls.
	stopReplies, abort func()

	mutex     sync.Mutex
	random    *rand.Rand
	open      int                       // callbacks that are not accepted yet
	answers   map[string]int            // of the gateway
	failures  []string                  // answers that must not be
	taken     []takenText               // texts that are reported
	accepted  map[reported]bool         // reports
	ends      map[string]message.Status // by text: what is reported in the end
	decisions map[string][]*decision    // by number
	helped    map[string]bool           // accepted replies that ask for help, by id
}

// reported is a status of a text.
type reported struct {
	text   string
	status message.Status
}

// decision is a STOP or START.
type decision struct {
	id             string
	status         consent.Status
	at             time.Time
	sent, accepted time.Time // accepted is zero before the gateway has accepted it
}

func newCallbacks(provider textProvider, gateway string, random *rand.Rand) *callbacks {
	c := &callbacks{
		provider: provider, gateway: gateway, random: random, slots: make(chan struct{}, 24),
		client:  &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 24}, Timeout: 5 * time.Second},
		answers: map[string]int{}, accepted: map[reported]bool{}, ends: map[string]message.Status{}, decisions: map[string][]*decision{}, helped: map[string]bool{},
	}
	c.aborted, c.abort = context.WithCancel(context.Background())
	c.replying, c.stopReplies = context.WithCancel(c.aborted)
	return c
}

// start reports texts until abort is called, and sends replies until stopReplies is.
func (c *callbacks) start() {
	c.work.Go(func() {
		for c.pause(c.aborted, 20*time.Millisecond) {
			c.reportNew()
		}
	})
	for customer := range deciding {
		c.work.Go(func() { c.decide(customer) })
	}
	for customer := range asking {
		c.work.Go(func() { c.ask(deciding + customer) })
	}
	c.work.Go(func() { c.forge(deciding + asking) })
}

// Customers that answer STOP and START, and others that answer HELP.
const (
	deciding = 30
	asking   = 30
)

// phoneOf is the number of a customer of the load, counted from 0.
func phoneOf(customer int) string { return fmt.Sprintf("+1503555%04d", customer+1) }

// reportNew reports the texts that were taken since the last call.
func (c *callbacks) reportNew() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	all := c.provider.texts()
	for _, text := range all[len(c.taken):] {
		c.taken = append(c.taken, text)
		statuses := []message.Status{message.Delivered, message.Sent}
		switch c.random.IntN(10) {
		case 0:
			statuses = []message.Status{message.Sent}
		case 1:
			statuses = []message.Status{message.Undelivered, message.Sent}
		case 2: // a failure comes before the delivery, or is late
			statuses = append(statuses, message.Undelivered)
		}
		c.ends[text.id] = statuses[0]
		for n, status := range statuses {
			at := time.Now()
			for range 1 + c.random.IntN(2) {
				late := c.late()
				c.work.Go(func() {
					c.until(late, func() *http.Request { return c.provider.delivery(text, string(status), fmt.Sprint(text.id, n), at) })
					c.note(func() { c.accepted[reported{text.id, status}] = true })
				})
				c.open++
			}
		}
	}
}

// late is how late a callback is. The mutex is locked.
func (c *callbacks) late() time.Duration {
	longest := []time.Duration{time.Millisecond, 2 * time.Second, 2 * time.Second, 6 * time.Second}[c.random.IntN(4)]
	if whole() {
		longest *= 3
	}
	return between(c.random, 0, longest)
}

// until makes a callback after a time, until it is accepted.
func (c *callbacks) until(late time.Duration, build func() *http.Request) {
	for c.pause(c.aborted, late) {
		status, answer := c.once(build())
		switch {
		case status == http.StatusOK:
			c.note(func() { c.open-- })
			return
		case status != 0 && status != http.StatusServiceUnavailable:
			c.note(func() { c.failures = append(c.failures, fmt.Sprint(status, " ", answer)) })
			return
		}
		c.note(func() { late = between(c.random, 50*time.Millisecond, time.Second) })
	}
}

// once makes a callback. The status is 0 if there is no answer.
func (c *callbacks) once(r *http.Request) (status int, answer string) {
	c.slots <- struct{}{}
	defer func() { <-c.slots }()
	out, err := http.NewRequestWithContext(c.aborted, r.Method, c.gateway+r.URL.RequestURI(), r.Body)
	if err != nil {
		return http.StatusTeapot, err.Error()
	}
	out.Header = r.Header
	response, err := c.client.Do(out)
	if err != nil {
		c.note(func() { c.answers["no answer"]++ })
		return 0, ""
	}
	defer func() { _ = response.Body.Close() }() // read to its end
	body, _ := io.ReadAll(response.Body)         // of a refusal
	c.note(func() { c.answers[strconv.Itoa(response.StatusCode)]++ })
	return response.StatusCode, string(body)
}

// decide sends STOP and START in turns from a customer's number. A repetition of an earlier one may come after the next.
func (c *callbacks) decide(customer int) {
	number := phoneOf(customer)
	for n := 0; c.pause(c.replying, c.draw(time.Second, 10*time.Second)); n++ {
		d := &decision{id: c.replyID(), status: consent.OptedOut, sent: time.Now(), at: time.Now().Truncate(time.Millisecond)}
		text := []string{"STOP", "Stop texting me!", "unsubscribe"}[n%3]
		if n%2 == 1 {
			d.status, text = consent.OptedIn, "Start"
		}
		build := func() *http.Request { return c.provider.reply(d.id, number, text, d.at) }
		c.note(func() {
			c.decisions[number] = append(c.decisions[number], d)
			c.open += 2
			late := c.late()
			c.work.Go(func() { c.until(late, build) })
		})
		c.until(0, build)
		c.note(func() { d.accepted = time.Now() })
	}
}

// ask sends HELP from a customer's number a few times, each twice.
func (c *callbacks) ask(customer int) {
	for n := 0; n < 3 && c.pause(c.replying, c.draw(time.Second, 30*time.Second)); n++ {
		id, at := c.replyID(), time.Now()
		for range 2 {
			c.note(func() {
				late := c.late()
				c.open++
				c.work.Go(func() {
					c.until(late, func() *http.Request { return c.provider.reply(id, phoneOf(customer), "help?", at) })
					c.note(func() { c.helped[id] = true })
				})
			})
		}
	}
}

// forge sends callbacks that nobody has signed: of a customer who never answers, and of those who do.
func (c *callbacks) forge(silent int) {
	for n := 0; c.pause(c.replying, c.draw(50*time.Millisecond, time.Second)); n++ {
		var text takenText
		c.note(func() {
			if len(c.taken) > 0 {
				text = c.taken[len(c.taken)-1]
			}
		})
		if text.id == "" {
			continue
		}
		number, reply := phoneOf(silent), "STOP"
		if n%2 == 1 {
			number, reply = phoneOf(n%deciding), "START"
		}
		for _, r := range c.provider.forged(text, number, reply) {
			if status, answer := c.once(r); status != 0 && status != http.StatusUnauthorized {
				c.note(func() { c.failures = append(c.failures, fmt.Sprint("forged: ", status, " ", answer)) })
			}
		}
	}
}

// replyID returns a new id in the form of Twilio's.
func (c *callbacks) replyID() (id string) {
	c.note(func() { id = fmt.Sprintf("SM%016x%016x", c.random.Uint64(), c.random.Uint64()) })
	return id
}

func (c *callbacks) draw(least, most time.Duration) (d time.Duration) {
	c.note(func() { d = between(c.random, least, most) })
	return d
}

func (c *callbacks) note(what func()) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	what()
}

// count returns how often the gateway gave an answer.
func (c *callbacks) count(answer string) (n int) {
	c.note(func() { n = c.answers[answer] })
	return n
}

// pause returns false if ctx ends before a time has passed.
func (*callbacks) pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
