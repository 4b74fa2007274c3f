package lookup

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// work makes the due calls, one after the other, until ctx ends.
func (s *store) work(ctx context.Context) {
	for begun := s.next(ctx); begun != nil; begun = s.next(ctx) {
		err := s.call(begun)
		s.ended(begun, err)
		begun.end()
	}
}

// call makes an API call and returns nil once the response is published.
func (s *store) call(c *call) error {
	lookup, err := s.client.Lookup(c.ctx, c.request.LookupRequest)
	if c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	status := apiError(err).Status
	s.cfg.Metrics.Paused(s.cfg.Role, s.name, status == http.StatusUnauthorized || status == http.StatusForbidden)
	if err != nil {
		s.counted(c, failure(status))
		return fmt.Errorf("look up customer: %w", err)
	}
	lookup.AnsweredAt = s.cfg.Now()
	if err := s.cfg.Publish(c.ctx, lookup); err != nil {
		s.counted(c, "not_published")
		return fmt.Errorf("publish lookup: %w", err)
	}
	s.counted(c, success(lookup))
	return nil
}

// counted counts a call by its outcome.
func (s *store) counted(c *call, outcome string) {
	s.cfg.Metrics.Lookup(s.name, string(c.request.Kind), outcome)
}

// ended removes an answered request, and reschedules a failed one.
func (s *store) ended(c *call, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	c.customer.running, c.customer.cancel = nil, nil
	switch {
	case err == nil:
		s.failures, s.failed, s.until, s.why = 0, nil, time.Time{}, nil
		s.cfg.Log.Info("customer looked up", c.fields()...)
		if c.customer.answered(c.request, s.cfg.Now()) {
			s.count(-1)
		}
	case c.ctx.Err() == nil:
		s.retry(c, err)
	}
	s.enqueue(c.customer)
	s.signal()
}

// retry reschedules a failed request. It also delays all other requests, for longer the more calls fail: most failures are not
// caused by one customer.
func (s *store) retry(c *call, err error) {
	now, least := s.cfg.Now(), apiError(err).RetryAfter
	if s.failed != c.request {
		s.failures++
	}
	s.failed, s.why = c.request, err
	s.until = now.Add(max(least, pause(s.failures)))
	c.request.schedule(now.Add(max(least, pause(c.request.calls))))
	if !slices.Contains(c.customer.pending, c.request) {
		return
	}
	s.cfg.Log.Warn("look up customer failed, will retry", append(c.fields(), zap.Error(err), zap.Time("next_call", c.request.at))...)
}

// fields returns the log fields of a request.
func (c *call) fields() []zap.Field {
	r := c.request
	return []zap.Field{
		zap.String("store", r.Store), zap.String("key", r.Store+"/"+r.CustomerID), zap.String("kind", string(r.Kind)),
		zap.String("charge_id", r.ChargeID), zap.Int("attempt", r.Attempt), zap.Int("calls", r.calls), zap.String("traceparent", r.Traceparent),
	}
}

const firstPause, longestPause = time.Second, time.Minute

// pause returns the backoff after a number of consecutive failures. Half of it is random, so that processes do not retry at the
// same time.
func pause(failures int) time.Duration {
	p := firstPause
	for i := 1; i < failures && p < longestPause; i++ {
		p *= 2
	}
	p = min(p, longestPause)
	return p/2 + rand.N(p/2)
}

// apiError returns the APIError in an error; the zero APIError if there is none.
func apiError(err error) *recharge.APIError {
	var failed *recharge.APIError
	if errors.As(err, &failed) {
		return failed
	}
	return &recharge.APIError{}
}

func failure(status int) string {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "refused"
	case http.StatusTooManyRequests:
		return "limited"
	}
	return "failed"
}

func success(l recharge.Lookup) string {
	switch {
	case l.NotFound:
		return "not_found"
	case l.Unreadable != "":
		return "unreadable"
	}
	return "found"
}
