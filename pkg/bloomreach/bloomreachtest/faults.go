package bloomreachtest

import (
	"net/http"
	"slices"
	"time"
)

// rateLimit counts the requests, or the events of a type, of a period.
type rateLimit struct {
	limit      int
	per        time.Duration
	retryAfter string
	start      time.Time
	count      int
}

// turnedAway returns the answer to a request that exceeds the rate or that the firewall blocks.
func (s *settings) turnedAway(body []byte) (Failure, bool) {
	if refused, over := s.overRate(); over {
		return refused, true
	}
	return s.blockWith, s.blocks != nil && s.blocks(string(body))
}

// tooManyRequests is the text of a 429.
const tooManyRequests = "Too Many Requests"

// overRate counts a request and reports whether it exceeds the limit of LimitRate.
func (s *settings) overRate() (Failure, bool) {
	body := ShapeMessage.Body(tooManyRequests)
	return Failure{Status: http.StatusTooManyRequests, Body: body, RetryAfter: s.rate.retryAfter}, s.rate.exceeded(s.now())
}

// exceeded counts one and reports whether it exceeds the limit.
func (r *rateLimit) exceeded(now time.Time) bool {
	if r.limit == 0 {
		return false
	}
	if r.start.IsZero() || now.Sub(r.start) >= r.per {
		r.start, r.count = now, 0
	}
	r.count++
	return r.count > r.limit
}

// nextFailure removes and returns the next failure of FailNext.
func (s *settings) nextFailure() (Failure, bool) {
	if len(s.failures) == 0 {
		return Failure{}, false
	}
	next := s.failures[0]
	s.failures = s.failures[1:]
	return next, true
}

// failureFor returns the failure of FailWhen, if it matches one of the commands.
func (s *settings) failureFor(commands []Command) (Failure, bool) {
	return s.failWith, s.failWhen != nil && slices.ContainsFunc(commands, s.failWhen)
}

// rejection returns the errors of RejectWhen for a command.
func (s *settings) rejection(command Command) []string {
	if s.rejectWhen == nil {
		return nil
	}
	return s.rejectWhen(command)
}

// permission returns the error of ForbidEvents or ForbidUpdates for a command, "" for none.
func (s *settings) permission(name string, a action) string {
	switch {
	case name == nameEvent && s.forbidEvents[a.eventType]:
		return "Not authorized to add event of specified type"
	case name == nameUpdate && s.forbidUpdates:
		return "not authorized to update specified customer properties"
	}
	return ""
}

// dropsConnection counts down the requests of DropAfterApplying.
func (s *settings) dropsConnection() bool {
	if s.drops == 0 {
		return false
	}
	s.drops--
	return true
}
