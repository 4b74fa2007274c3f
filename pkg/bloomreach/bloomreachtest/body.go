package bloomreachtest

import (
	"encoding/json"
	"net/http"
)

// parseBody returns the commands of a batch without checking them. The texts are from
// https://documentation.bloomreach.com/engagement/reference/tracking-api-request-body-errors.
func (s *settings) parseBody(body []byte) ([]Command, *refusal) {
	invalid := &refusal{http.StatusBadRequest, "Invalid JSON"}
	var batch struct {
		Commands []json.RawMessage `json:"commands"`
	}
	if json.Unmarshal(body, &batch) != nil {
		return nil, invalid
	}
	entries := batch.Commands
	if len(entries) == 0 {
		return nil, &refusal{http.StatusBadRequest, "No commands"}
	}
	if len(entries) > s.limits.commands && !s.truncate {
		return nil, &refusal{http.StatusBadRequest, "Too many commands (simulator)"}
	}
	commands := make([]Command, 0, s.limits.commands)
	for _, entry := range entries[:min(len(entries), s.limits.commands)] {
		command, ok := parseEntry(entry)
		if !ok {
			return nil, invalid // "The entire request fails" when one command is not an object
		}
		commands = append(commands, command)
	}
	return commands, nil
}

// parseEntry returns false for anything but an object. A name or id that is not a string is treated as absent.
func parseEntry(entry json.RawMessage) (Command, bool) {
	var parts map[string]json.RawMessage
	if json.Unmarshal(entry, &parts) != nil || parts == nil {
		return Command{}, false
	}
	command := Command{Data: parts["data"]}
	_ = json.Unmarshal(parts["name"], &command.Name)
	_ = json.Unmarshal(parts["command_id"], &command.ID)
	return command, true
}
