package bloomreachtest

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
)

// The names of commands (https://documentation.bloomreach.com/engagement/reference/tracking-api-request-body-errors).
const (
	nameEvent  = "customers/events"
	nameUpdate = "customers"
)

// action is a valid command.
type action struct {
	commandID  string
	ids        map[string]string
	eventType  string
	properties map[string]any
	longest    int    // bytes of the longest value
	timestamp  string // decimal UNIX seconds, empty for the time of arrival
}

// parseCommand returns the action, or the reason for rejecting the command. The texts without "(simulator)" are from
// https://documentation.bloomreach.com/engagement/reference/tracking-api-error-messages and
// https://support.bloomreach.com/hc/en-us/articles/19231102135453-Most-common-API-requests-errors.
func parseCommand(command Command) (action, string) {
	if command.Name != nameEvent && command.Name != nameUpdate {
		return action{}, "Unknown command name (simulator)"
	}
	var parts map[string]json.RawMessage
	if json.Unmarshal(command.Data, &parts) != nil || parts == nil {
		return action{}, "Command data is not an object (simulator)"
	}
	ids, reason := parseIDs(parts["customer_ids"])
	if reason != "" {
		return action{}, reason
	}
	parsed := action{commandID: command.ID, ids: ids}
	if !absent(parts["properties"]) && decode(parts["properties"], &parsed.properties) != nil {
		return action{}, "Properties are not an object (simulator)"
	}
	parsed.longest = longestValue(parts["properties"])
	if command.Name == nameEvent {
		return parsed.asEvent(parts)
	}
	return parsed.asUpdate(parts)
}

// asEvent requires event_type, but no properties
// (https://documentation.bloomreach.com/engagement/reference/add-event).
func (a action) asEvent(parts map[string]json.RawMessage) (action, string) {
	if json.Unmarshal(parts["event_type"], &a.eventType) != nil || a.eventType == "" {
		return action{}, "Event type is missing (simulator)"
	}
	return a.withTime(parts["timestamp"])
}

// asUpdate requires at least one property
// (https://documentation.bloomreach.com/engagement/reference/update-customer-properties-2).
func (a action) asUpdate(parts map[string]json.RawMessage) (action, string) {
	if len(a.properties) == 0 {
		return action{}, "Properties are missing (simulator)"
	}
	return a.withTime(parts["update_timestamp"])
}

func (a action) withTime(timestamp json.RawMessage) (action, string) {
	if absent(timestamp) {
		return a, ""
	}
	seconds, ok := parseTimestamp(timestamp)
	if !ok {
		return action{}, "Invalid timestamp (simulator)"
	}
	a.timestamp = seconds
	return a, ""
}

// parseIDs returns the valid ids, trimmed
// (https://documentation.bloomreach.com/engagement/docs/tracking-id-transformations).
// A number becomes a string (https://documentation.bloomreach.com/engagement/docs/external-id).
func parseIDs(value json.RawMessage) (map[string]string, string) {
	var given map[string]any
	if decode(value, &given) != nil || len(given) == 0 {
		return nil, "At least one id should be specified."
	}
	ids := make(map[string]string, len(given))
	for name, id := range given {
		if text, ok := parseID(id); ok {
			ids[name] = text
		}
	}
	if len(ids) == 0 {
		return nil, "At least one valid id should be specified"
	}
	return ids, ""
}

// parseID returns an id as a string. It needs a letter or a digit and must not be null or undefined.
func parseID(id any) (string, bool) {
	var text string
	switch v := id.(type) {
	case string:
		text = strings.TrimSpace(v)
	case json.Number:
		text = v.String()
	}
	alphanumeric := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	return text, strings.IndexFunc(text, alphanumeric) >= 0 && text != "null" && text != "undefined"
}

func absent(value json.RawMessage) bool {
	return len(value) == 0 || string(value) == "null"
}

// decode decodes JSON without changing the digits of numbers.
func decode(value json.RawMessage, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	return decoder.Decode(into)
}
