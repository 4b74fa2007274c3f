package webhook_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
)

// provider answers the calls of a receiver.
type provider struct {
	mu     sync.Mutex
	calls  []*http.Request // with parsed forms
	bodies []map[string]any
	status int
	body   string
}

// ServeHTTP records a call.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	body := map[string]any{}
	if r.Header.Get("Content-Type") == "application/json" {
		_ = json.NewDecoder(r.Body).Decode(&body) // the test looks at it
	} else {
		_ = r.ParseForm()
	}
	p.calls, p.bodies = append(p.calls, r), append(p.bodies, body)
	w.WriteHeader(p.status)
	_, _ = w.Write([]byte(p.body))
}

// answers sets the answer to the next calls.
func (p *provider) answers(status int, body string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.body = status, body
}

// receivers returns the scripts of docs/sms-gateway.md: for mode text and for mode trigger.
func receivers(t *testing.T) (text, trigger string) {
	t.Helper()
	page, err := os.ReadFile("../../../docs/sms-gateway.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(page), "\n## Receivers\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	parts := regexp.MustCompile("(?s)```python\n(.*?)```").FindAllStringSubmatch(section, -1)
	require.Len(t, parts, 3)
	return parts[0][1] + parts[2][1], parts[1][1] + parts[2][1]
}

// run runs a receiver in front of a provider, and returns the driver that posts to it.
func run(t *testing.T, script string, p *provider, environ ...string) *webhook.Driver {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	file := filepath.Join(dir, "receiver.py")
	require.NoError(t, os.WriteFile(file, []byte(script), 0o600))
	command := exec.CommandContext(t.Context(), python, file)
	command.Dir = dir
	command.Env = append(os.Environ(), "SECRET="+secret, "PORT=0", "TWILIO_URL="+server.URL, "KLAVIYO_URL="+server.URL)
	command.Env = append(command.Env, environ...)
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() { _ = command.Wait() }) // killed with the context
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	port, found := strings.CutPrefix(strings.TrimSpace(line), "listening on port ")
	require.True(t, found, line)
	return driver(t, webhook.Options{URL: "http://127.0.0.1:" + port, Now: time.Now})
}

// class returns the class of the error, "" for an accepted text.
func class(t *testing.T, d *webhook.Driver, m sms.Message) sms.Class {
	t.Helper()
	if _, err := d.Send(t.Context(), m); err != nil {
		return failure(t, err).Class
	}
	return ""
}

func TestReceiverOfTexts(t *testing.T) {
	script, _ := receivers(t)
	p := &provider{}
	d := run(t, script, p, "TWILIO_ACCOUNT_SID=AC1", "TWILIO_AUTH_TOKEN=token")

	p.answers(http.StatusBadRequest, `{"code":21611,"message":"queue full"}`)
	assert.Equal(t, sms.NotSent, class(t, d, text))
	p.answers(http.StatusCreated, `{"sid":"SM1","status":"queued"}`)
	receipt, err := d.Send(t.Context(), text)
	require.NoError(t, err, "it is tried again")
	assert.Equal(t, "SM1", receipt.ProviderID)
	assert.Empty(t, class(t, d, text))
	require.Len(t, p.calls, 2, "a repeated text is not sent")
	call := p.calls[1]
	assert.Equal(t, "/2010-04-01/Accounts/AC1/Messages.json", call.URL.Path)
	user, password, _ := call.BasicAuth()
	assert.Equal(t, "AC1:token", user+":"+password)
	assert.Equal(t, map[string][]string{"To": {text.To}, "From": {text.From}, "Body": {text.Body}}, map[string][]string(call.PostForm))

	for status, want := range map[int]sms.Class{
		http.StatusBadRequest: sms.Rejected, http.StatusUnauthorized: sms.Config, http.StatusTooManyRequests: sms.NotSent,
		http.StatusInternalServerError: sms.Unknown,
	} {
		other := text
		other.SendKey = strings.Repeat("c", 61) + http.StatusText(status)[:3]
		p.answers(status, `{"code":21610,"message":"Attempt to send to unsubscribed recipient"}`)
		assert.Equal(t, want, class(t, d, other), status)
	}
}

func TestReceiverOfTriggers(t *testing.T) {
	_, script := receivers(t)
	p := &provider{}
	d := run(t, script, p, "KLAVIYO_KEY=pk_1")
	trigger := text
	trigger.To, trigger.Body, trigger.Values = "", "", &sms.Values{
		Consent: "opted_in", OccurredAt: noon, Variables: map[string]string{"first_name": "Jo", "charge.total": "34.50"},
	}
	p.answers(http.StatusTooManyRequests, ``)
	assert.Equal(t, sms.NotSent, class(t, d, trigger))
	p.answers(http.StatusAccepted, ``)
	assert.Empty(t, class(t, d, trigger))
	require.Len(t, p.calls, 2)
	call := p.calls[1]
	assert.Equal(t, "/api/events", call.URL.Path)
	assert.Equal(t, "Klaviyo-API-Key pk_1", call.Header.Get("Authorization"))
	assert.Equal(t, "2026-07-15", call.Header.Get("Revision"))
	event, err := json.Marshal(p.bodies[1])
	require.NoError(t, err)
	assert.JSONEq(t, `{"data": {"type": "event", "attributes": {
		"unique_id": "`+text.SendKey+`-7-90001", "time": "2026-05-04T12:00:00Z",
		"properties": {"first_name": "Jo", "charge.total": "34.50", "resources": ["charge/501", "subscription/71"], "consent": "opted_in"},
		"metric": {"data": {"type": "metric", "attributes": {"name": "Recharge charge_paid"}}},
		"profile": {"data": {"type": "profile", "attributes": {"email": "jo@example.com"}}}}}}`, string(event))
	assert.Equal(t, p.bodies[0], p.bodies[1], "a repetition is the same event")
}

// A request that is signed with another secret calls no provider.
func TestReceiversVerify(t *testing.T) {
	script, _ := receivers(t)
	p := &provider{}
	d := run(t, script, p, "TWILIO_ACCOUNT_SID=AC1", "TWILIO_AUTH_TOKEN=token", "SECRET=another")
	assert.Equal(t, sms.Config, class(t, d, text))
	assert.Empty(t, p.calls)
}
