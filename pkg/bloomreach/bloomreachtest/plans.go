package bloomreachtest

import (
	"net/http"
	"slices"
	"time"
)

// rate counts the requests of a period.
type rate struct {
	limit      int
	per        time.Duration
	retryAfter string
	began      time.Time
	count      int
}

// overRate is what LimitRate planned for a request that is too many.
func (s *switches) overRate() (Failure, bool) {
	r, now := &s.rate, s.now()
	if r.limit == 0 {
		return Failure{}, false
	}
	if r.began.IsZero() || now.Sub(r.began) >= r.per {
		r.began, r.count = now, 0
	}
	r.count++
	body := ShapeMessage.Body("Too Many Requests")
	return Failure{Status: http.StatusTooManyRequests, Body: body, RetryAfter: r.retryAfter}, r.count > r.limit
}

// nextFailure takes the next answer planned by FailNext.
func (s *switches) nextFailure() (Failure, bool) {
	if len(s.failures) == 0 {
		return Failure{}, false
	}
	next := s.failures[0]
	s.failures = s.failures[1:]
	return next, true
}

// failureFor is what FailWhen planned for these commands.
func (s *switches) failureFor(commands []Command) (Failure, bool) {
	return s.failWith, s.failWhen != nil && slices.ContainsFunc(commands, s.failWhen)
}

// rejection is what RejectWhen says of the command.
func (s *switches) rejection(command Command) []string {
	if s.rejectWhen == nil {
		return nil
	}
	return s.rejectWhen(command)
}

// permission is why ForbidEvents or ForbidUpdates rejects the command, empty when they do not.
func (s *switches) permission(name string, a action) string {
	switch {
	case name == nameEvent && s.forbidden[a.eventType]:
		return "Not authorized to add event of specified type"
	case name == nameUpdate && s.noUpdates:
		return "not authorized to update specified customer properties"
	}
	return ""
}

// dropsConnection counts down what DropAfterApplying planned.
func (s *switches) dropsConnection() bool {
	if s.drops == 0 {
		return false
	}
	s.drops--
	return true
}
