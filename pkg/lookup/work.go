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

// work asks what is due, one after the other, until ctx ends.
func (s *store) work(ctx context.Context) {
	for begun := s.next(ctx); begun != nil; begun = s.next(ctx) {
		err := s.answer(begun)
		s.ended(begun, err)
		begun.end()
	}
}

// answer is nil once the answer is kept.
func (s *store) answer(c *call) error {
	lookup, err := s.reader.Ask(c.ctx, c.ask.Question)
	if c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	status := answerOf(err).Status
	s.cfg.Metrics.Paused(s.cfg.Role, s.name, status == http.StatusUnauthorized || status == http.StatusForbidden)
	if err != nil {
		s.tried(c, failure(status))
		return fmt.Errorf("look up customer: %w", err)
	}
	if err := s.cfg.Keep(c.ctx, Answer{Ask: c.ask.Ask, Lookup: lookup, At: s.cfg.Now()}); err != nil {
		s.tried(c, "not_kept")
		return fmt.Errorf("keep lookup: %w", err)
	}
	s.tried(c, success(lookup))
	return nil
}

// tried counts a try.
func (s *store) tried(c *call, outcome string) {
	s.cfg.Metrics.Lookup(s.name, string(c.ask.For), outcome)
}

// ended settles a call: its ask is done, or comes again.
func (s *store) ended(c *call, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.underWay--
	c.customer.asking, c.customer.giveUp = nil, nil
	switch {
	case err == nil:
		s.failures, s.failed, s.until, s.why = 0, nil, time.Time{}, nil
		s.cfg.Log.Info("customer looked up", c.fields()...)
		if c.customer.answered(c.ask, s.cfg.Now()) {
			s.count(-1)
		}
	case c.ctx.Err() == nil:
		s.again(c, err)
	}
	s.putIn(c.customer)
	s.signal()
}

// again has an ask that failed come again. All others wait for a while, too, the
// longer the more of them fail: most failures are not the one customer's.
func (s *store) again(c *call, err error) {
	now, least := s.cfg.Now(), answerOf(err).RetryAfter
	if s.failed != c.ask {
		s.failures++
	}
	s.failed, s.why = c.ask, err
	s.until = now.Add(max(least, pause(s.failures)))
	c.ask.comesAt(now.Add(max(least, pause(c.ask.tries))))
	if !slices.Contains(c.customer.asks, c.ask) {
		return
	}
	s.cfg.Log.Warn("customer not looked up yet", append(c.fields(), zap.Error(err), zap.Time("next_try", c.ask.at))...)
}

// fields name an ask.
func (c *call) fields() []zap.Field {
	return []zap.Field{
		zap.String("store", c.ask.Store), zap.String("key", c.ask.Store+"/"+c.ask.CustomerID), zap.String("asked_for", string(c.ask.For)),
		zap.String("charge_id", c.ask.ChargeID), zap.Int("attempt", c.ask.Attempt), zap.Int("tries", c.ask.tries), zap.String("traceparent", c.ask.Traceparent),
	}
}

const firstPause, longestPause = time.Second, time.Minute

// pause after so many failures in a row. A part of it is by chance, so that
// processes that failed together don't come again together.
func pause(failures int) time.Duration {
	p := firstPause
	for i := 1; i < failures && p < longestPause; i++ {
		p *= 2
	}
	p = min(p, longestPause)
	return p/2 + rand.N(p/2)
}

// answerOf is what the API said of a failure; the zero APIError where it said nothing.
func answerOf(err error) *recharge.APIError {
	var said *recharge.APIError
	if errors.As(err, &said) {
		return said
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
