package bloomreachtest

import (
	"encoding/json"
	"fmt"
	"time"
)

// limits are those whose size or effect Bloomreach does not document.
type limits struct {
	commands       int // of a batch
	value          int // bytes of a property's value
	id, name       int // bytes
	oldest, newest time.Time
	byType         map[string]*rateLimit
}

func newLimits() limits {
	return limits{commands: maxCommands, value: maxValue, byType: map[string]*rateLimit{}}
}

// LimitCommands changes how many commands a batch may have, default 50
// (https://documentation.bloomreach.com/engagement/docs/batch-commands-2). [Server.TruncateBatches] selects what happens to a longer one.
func (s *Server) LimitCommands(commands int) {
	s.set(func(current *settings) { current.limits.commands = commands })
}

// LimitValues rejects commands with a property value of that many bytes or more, default 16,000; 0 is no limit. The documentation has
// "16 KBytes" for events and profiles, and 2 KiB for profiles in projects with 1,024 attributes
// (https://documentation.bloomreach.com/engagement/docs/tracking); it does not say what happens to a longer value.
func (s *Server) LimitValues(bytes int) {
	s.set(func(current *settings) { current.limits.value = bytes })
}

// LimitNames rejects commands whose event type or whose name of a property or of an id is longer; 0 is no limit. Bloomreach documents none.
func (s *Server) LimitNames(bytes int) {
	s.set(func(current *settings) { current.limits.name = bytes })
}

// LimitIDs rejects commands with a longer id of a customer; 0 is no limit. Bloomreach documents none.
func (s *Server) LimitIDs(bytes int) {
	s.set(func(current *settings) { current.limits.id = bytes })
}

// LimitTimestamps rejects commands from before oldest or after newest; a zero time is no limit. Bloomreach documents none.
func (s *Server) LimitTimestamps(oldest, newest time.Time) {
	s.set(func(current *settings) { current.limits.oldest, current.limits.newest = oldest, newest })
}

// LimitEvents rejects events of a type, inside a 200, when more than this many came per period, with the text of a 429. Bloomreach
// documents no such limit. 0 is no limit.
func (s *Server) LimitEvents(eventType string, events int, per time.Duration) {
	s.set(func(current *settings) { current.limits.byType[eventType] = &rateLimit{limit: events, per: per} })
}

// exceeded returns why a command is rejected, "" if it is within the limits.
func (l *limits) exceeded(a action, now time.Time) string {
	for _, check := range []func(action) string{l.checkIDs, l.checkNames, l.checkValues, l.checkTime} {
		if reason := check(a); reason != "" {
			return reason
		}
	}
	if r := l.byType[a.eventType]; r != nil && r.exceeded(now) {
		return tooManyRequests
	}
	return ""
}

func (l *limits) checkIDs(a action) string {
	for name, id := range a.ids {
		if l.id > 0 && len(id) > l.id {
			return fmt.Sprintf("Id %s is too long (simulator)", name)
		}
		if l.name > 0 && len(name) > l.name {
			return "Id name is too long (simulator)"
		}
	}
	return ""
}

func (l *limits) checkNames(a action) string {
	if l.name > 0 && len(a.eventType) > l.name {
		return "Event type is too long (simulator)"
	}
	for name := range a.properties {
		if l.name > 0 && len(name) > l.name {
			return "Property name is too long (simulator)"
		}
	}
	return ""
}

func (l *limits) checkValues(a action) string {
	if l.value > 0 && a.longest >= l.value {
		return "Property value is too long (simulator)"
	}
	return ""
}

func (l *limits) checkTime(a action) string {
	switch {
	case a.timestamp == "": // the time of arrival
	case !l.oldest.IsZero() && compareTimes(a.timestamp, seconds(l.oldest)) < 0:
		return "Timestamp is too old (simulator)"
	case !l.newest.IsZero() && compareTimes(a.timestamp, seconds(l.newest)) > 0:
		return "Timestamp is too new (simulator)"
	}
	return ""
}

// maxValue is the "16 KBytes" that a property value must be under
// (https://documentation.bloomreach.com/engagement/reference/add-event). Whether a KByte has 1,000 or 1,024 bytes is not documented.
const maxValue = 16_000

// longestValue returns the length of the longest value of an object.
func longestValue(object json.RawMessage) (longest int) {
	var values map[string]json.RawMessage
	_ = json.Unmarshal(object, &values) // absent: no values
	for _, value := range values {
		longest = max(longest, len(value))
	}
	return longest
}
