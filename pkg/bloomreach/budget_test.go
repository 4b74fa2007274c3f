package bloomreach_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
)

// answers is a transport that answers with these statuses in turn, the last one for ever, and counts.
type answers struct {
	statuses []int
	requests int
}

func (a *answers) RoundTrip(*http.Request) (*http.Response, error) {
	status := a.statuses[min(a.requests, len(a.statuses)-1)]
	a.requests++
	recorder := httptest.NewRecorder()
	recorder.WriteHeader(status)
	if status == http.StatusOK {
		_, _ = recorder.WriteString(`{"success":true,"results":[{"success":true}]}`)
	}
	return recorder.Result(), nil
}

func clientOf(t *testing.T, transport http.RoundTripper, budget *bloomreach.Budget) *bloomreach.Client {
	t.Helper()
	client, err := bloomreach.New(bloomreach.Config{
		BaseURL: "https://api.example.com", ProjectToken: "project", Auth: bloomreach.PublicToken("token"), Budget: budget,
		HTTPClient: &http.Client{Transport: transport},
	})
	require.NoError(t, err)
	return client
}

func oneCommand(t *testing.T) []bloomreach.Command {
	t.Helper()
	command, err := bloomreach.NewEvent("1", bloomreach.Event{CustomerIDs: ann, Type: "x", Timestamp: "1"})
	require.NoError(t, err)
	return []bloomreach.Command{command}
}

// A process keeps within its part of the budget, which the clients of an address share.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := &answers{statuses: []int{http.StatusOK}}
		budget := bloomreach.NewBudget(600, 2) // five a second
		clients := []*bloomreach.Client{clientOf(t, transport, budget), clientOf(t, transport, budget)}
		began := time.Now()
		for i := range 55 {
			_, err := clients[i%2].Batch(t.Context(), oneCommand(t))
			require.NoError(t, err)
		}
		assert.InDelta(t, 10, time.Since(began).Seconds(), 0.3)
	})
}

// After answers 429 a process sends less, and returns to its rate when requests pass.
func TestBudgetAdapts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := &answers{statuses: append(slices.Repeat([]int{200}, 100), 429, 429, 429, 200)}
		client := clientOf(t, transport, bloomreach.NewBudget(6000, 1))
		took := func(requests int) time.Duration {
			began := time.Now()
			for range requests {
				_, _ = client.Batch(t.Context(), oneCommand(t))
			}
			return time.Since(began)
		}
		took(100) // the burst
		slow := took(100)
		assert.Greater(t, slow, 2*time.Second, "100 a second before")
		took(500)
		assert.Less(t, took(100), 1100*time.Millisecond)
	})
}

// After five failures in a row no request is sent for a while, then one alone, until one succeeds.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := &answers{statuses: []int{500, 503, 500, 429, 502, 500, 200}}
		client := clientOf(t, transport, nil)
		batch := func() error {
			_, err := client.Batch(t.Context(), oneCommand(t))
			return err
		}
		for range 5 {
			require.Error(t, batch())
		}
		assert.Equal(t, 5, transport.requests)
		var failure *bloomreach.Error
		require.ErrorAs(t, batch(), &failure)
		assert.Equal(t, bloomreach.ClassRetry, failure.Class)
		assert.Equal(t, "bloomreach did not answer: not sent: the last 5 requests failed, waiting", failure.Error())
		assert.Equal(t, 5, transport.requests, "not sent")
		time.Sleep(failure.RetryAfter)
		require.Error(t, batch())
		assert.Equal(t, 6, transport.requests, "one is tried")
		require.ErrorAs(t, batch(), &failure)
		time.Sleep(max(failure.RetryAfter, 2*time.Second))
		require.NoError(t, batch())
		require.NoError(t, batch())
		assert.Equal(t, 8, transport.requests)
	})
}

// Answers that say nothing about commands count as failures, because each repetition may trigger scenarios. A refusal of the whole request does
// not: it is halved.
func TestBreakerWithoutResults(t *testing.T) {
	for body, paused := range map[string]bool{`{"success":true}`: true, ``: true, `OK`: true, `{"success":false}`: false, `<html>`: false} {
		requests := 0
		client := clientOf(t, transport(func(*http.Request) (*http.Response, error) {
			requests++
			recorder := httptest.NewRecorder()
			_, _ = recorder.WriteString(body)
			return recorder.Result(), nil
		}), nil)
		for range 20 {
			_, _ = client.Batch(t.Context(), oneCommand(t))
		}
		assert.Equal(t, paused, requests == 5, "%s: %d requests", body, requests)
	}
}
