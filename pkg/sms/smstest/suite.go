package smstest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// Simulator is a running simulator of a provider. A Server is one.
type Simulator interface {
	Next(n int, b Behaviour)
	Accepted() int
	Requests() int
	Refused() []string
	Close()
}

// Subject is a driver that Suite tests, with the simulator of its provider.
type Subject struct {
	Abilities sms.Abilities
	// Start starts a simulator and returns its address; nil for a driver that calls nobody.
	Start func(now func() time.Time) (Simulator, string)
	// New returns a driver that calls an address, with credentials that the simulator accepts.
	New func(address string, timeout time.Duration, now func() time.Time) (sms.Driver, error)
	// Secrets are those of the account.
	Secrets []string
	// Answers are the provider's own.
	Answers []Case
}

// Case is an answer of a provider, and what a driver must make of it.
type Case struct {
	Name   string
	Source string // where the provider documents it
	On     Behaviour
	Class  sms.Class // "" for accepted
	Code   string    // of the error; "" for any
}

// Moment is the time of the suite's clock.
func Moment() time.Time { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) }

// SampleText returns a text with everything that a driver may use.
func SampleText() sms.Message {
	return sms.Message{
		SendKey: strings.Repeat("ab", 32), To: "+14155552671", From: "+15005550006", Body: "Acme: 34.50 €, \"hi\" & <bye> https://acme.example/portal/f99bd4a6",
		Store: "acme", Flow: "charge_paid", CustomerID: "90001", Partition: 7, Email: "jo@example.com", Cause: "acme/90001/charge_paid/12/501",
		Items: []string{"charge/501", "subscription/71"}, Secrets: []string{"f99bd4a6"},
	}
}

// SampleTrigger returns a trigger with everything that a driver may use.
func SampleTrigger() sms.Message {
	m := SampleText()
	m.From, m.Body = "", ""
	m.Values = &sms.Values{Consent: "opted_in", OccurredAt: Moment(), Variables: map[string]string{
		"first_name": "Joanna", "charge.total": "34.50", "portal_url": "https://acme.example/portal/f99bd4a6",
	}}
	return m
}

// suite is a run of Suite with one message.
type suite struct {
	*testing.T
	subject Subject
	message sms.Message
}

// Suite tests that a driver sends a text with one request, classifies each answer, never repeats a call, and has nothing private in an error.
func Suite(t *testing.T, subject Subject) {
	t.Helper()
	for mode, m := range map[string]sms.Message{"text": SampleText(), "trigger": SampleTrigger()} {
		if subject.Abilities.Takes(m.Values != nil) {
			t.Run(mode, func(t *testing.T) { suite{T: t, subject: subject, message: m}.run() })
		}
	}
	assert.True(t, subject.Abilities.Texts || subject.Abilities.Triggers, "the driver takes nothing")
}

func (s suite) run() {
	s.Run("abilities", s.abilities)
	if s.subject.Start == nil {
		s.Run("accepted", s.accepted)
		return
	}
	for _, c := range append(common(), s.subject.Answers...) {
		s.Run(c.Name, func(t *testing.T) { s.answered(t, c) })
	}
	for _, c := range unanswered() {
		s.Run(c.Name, func(t *testing.T) { s.answered(t, c) })
	}
	s.Run("retry after", s.retryAfter)
	s.Run("not connected", s.notConnected)
	s.Run("redirected", s.redirected)
	s.Run("private", s.private)
	s.Run("repeated", s.repeated)
}

func (s suite) driver(t *testing.T, address string, timeout time.Duration) sms.Driver {
	t.Helper()
	d, err := s.subject.New(address, timeout, Moment)
	require.NoError(t, err)
	return d
}

func (s suite) start(t *testing.T) (Simulator, string) {
	t.Helper()
	simulator, address := s.subject.Start(Moment)
	t.Cleanup(simulator.Close)
	return simulator, address
}

// abilities: a driver is what it declares to be.
func (s suite) abilities(t *testing.T) {
	_, finds := s.driver(t, "http://127.0.0.1:1", time.Second).(sms.Finder)
	assert.Equal(t, s.subject.Abilities.LooksUp, finds)
}

func (s suite) accepted(t *testing.T) {
	_, err := s.driver(t, "", time.Second).Send(t.Context(), s.message)
	require.NoError(t, err)
}

// answered: the simulator accepts the request as a valid one, and the driver makes of its answer what it must.
func (s suite) answered(t *testing.T, c Case) {
	require.NotEmpty(t, c.Source)
	simulator, address := s.start(t)
	timeout := 10 * time.Second
	if c.On.Hang {
		timeout = time.Second
	}
	simulator.Next(1, c.On)
	receipt, err := s.driver(t, address, timeout).Send(t.Context(), s.message)
	assert.Empty(t, simulator.Refused())
	assert.Equal(t, 1, simulator.Requests(), "one text, one request")
	if c.On.Accept {
		assert.Equal(t, 1, simulator.Accepted())
	}
	if c.Class == "" {
		require.NoError(t, err)
		assert.LessOrEqual(t, len(receipt.ProviderID), 200)
		return
	}
	e := s.failure(t, err)
	assert.Equal(t, c.Class, e.Class, err)
	if c.Code != "" {
		assert.Equal(t, c.Code, e.Code)
	}
}

// failure returns the error of a call, which has nothing private.
func (s suite) failure(t *testing.T, err error) *sms.SendError {
	t.Helper()
	var e *sms.SendError
	require.ErrorAs(t, err, &e)
	assert.Regexp(t, `^[a-z0-9_]{1,40}$`, e.Code)
	assert.LessOrEqual(t, len(err.Error()), 600)
	for _, private := range s.privateTexts() {
		assert.NotContains(t, err.Error(), private)
	}
	return e
}

func (s suite) privateTexts() []string {
	private := append([]string{s.message.To, strings.TrimPrefix(s.message.To, "+"), s.message.Email}, s.message.Secrets...)
	private = append(private, s.subject.Secrets...)
	if s.message.Values == nil {
		return append(private, s.message.Body[:20])
	}
	return append(private, "Joanna")
}

func (s suite) retryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "-5": 0, "30": 30 * time.Second, "soon": 0, "999999999999": time.Hour, "Mon, 04 May 2026 12:01:00 GMT": time.Minute,
	} {
		simulator, address := s.start(t)
		simulator.Next(1, Behaviour{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {header}}})
		_, err := s.driver(t, address, 10*time.Second).Send(t.Context(), s.message)
		e := s.failure(t, err)
		assert.Equal(t, sms.NotSent, e.Class)
		assert.Equal(t, want, e.RetryAfter, header)
	}
}

// notConnected: without a connection the provider has no text.
func (s suite) notConnected(t *testing.T) {
	simulator, address := s.start(t)
	simulator.Close()
	_, err := s.driver(t, address, time.Second).Send(t.Context(), s.message)
	e := s.failure(t, err)
	assert.Equal(t, sms.NotSent, e.Class)
	assert.Equal(t, "no_connection", e.Code)
	assert.NotContains(t, err.Error(), "/", "a URL may hold a secret")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.driver(t, address, time.Second).Send(ctx, s.message)
	assert.Equal(t, sms.NotSent, s.failure(t, err).Class)
	assert.ErrorIs(t, err, context.Canceled)
}

// redirected: another host gets neither the text nor the credentials.
func (s suite) redirected(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		called := false
		other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
		simulator, address := s.start(t)
		simulator.Next(1, Behaviour{Status: status, Body: Empty, Header: http.Header{"Location": {other.URL}}})
		_, err := s.driver(t, address, 10*time.Second).Send(t.Context(), s.message)
		other.Close()
		assert.Equal(t, sms.Config, s.failure(t, err).Class, status)
		assert.False(t, called, status)
	}
}

// private: an answer that quotes the request is quoted without what is private.
func (s suite) private(t *testing.T) {
	quoted := strings.Join(append(s.privateTexts(), s.message.Body), " ")
	if s.message.Values != nil {
		for _, value := range s.message.Values.Variables {
			quoted += " " + value
		}
	}
	for _, body := range []string{quoted, "<html>" + quoted + "</html>", quoted + strings.Repeat(" x", 1<<17)} {
		simulator, address := s.start(t)
		simulator.Next(1, Behaviour{Status: http.StatusBadRequest, Body: body})
		_, err := s.driver(t, address, 10*time.Second).Send(t.Context(), s.message)
		e := s.failure(t, err)
		assert.NotEqual(t, sms.Unknown, e.Class, "a 4xx is no acceptance")
		assert.ErrorContains(t, err, "***")
	}
}

// repeated: the same text is the same request, so that a provider that deduplicates can.
func (s suite) repeated(t *testing.T) {
	simulator, address := s.start(t)
	d := s.driver(t, address, 10*time.Second)
	for range 2 {
		_, err := d.Send(t.Context(), s.message)
		require.NoError(t, err)
	}
	assert.Equal(t, 2, simulator.Requests())
	assert.Empty(t, simulator.Refused())
	if s.subject.Abilities.Deduplicates {
		assert.Equal(t, 1, simulator.Accepted())
	} else {
		assert.Equal(t, 2, simulator.Accepted())
	}
}
