package bloomreach

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/jsonread"
)

// commandResult is one entry of a response's "results":
//
//	{"success":false,"errors":["At least one id should be specified."],"command_id":"6f1c"}
type commandResult struct {
	commandID string // empty when the answer does not repeat it
	success   string // "true", "false", or anything else in an unusable entry
	errors    []string
}

// acceptsAll reports whether a response accepts every command of a batch, in their order. Nearly every response does, so it is read
// once, without what errors need. It returns false for anything unusual.
func acceptsAll(a answer, batch []pendingCommand) bool {
	s := jsonread.Scan(a.body)
	if !a.ok() || s.Kind() != '{' {
		return false
	}
	found := false
	for name := range s.Members() {
		switch string(name) {
		case "success":
			requireTrue(&s)
		case "results":
			if found || !scanResults(&s, batch) {
				s.Fail()
			}
			found = true
		}
	}
	return s.Complete() && found
}

func requireTrue(s *jsonread.Scanner) {
	if string(s.Raw()) != "true" {
		s.Fail()
	}
}

// scanResults reports whether there is a successful result for each command: all with their ids, or all without.
func scanResults(s *jsonread.Scanner, batch []pendingCommand) bool {
	if s.Kind() != '[' {
		return false
	}
	results, ids := 0, 0
	for i := range s.Elements() {
		if i == len(batch) {
			return false
		}
		success, id := scanResult(s)
		if !success || id != nil && !isText(id, batch[i].ID) {
			return false
		}
		if results++; id != nil {
			ids++
		}
	}
	return results == len(batch) && (ids == 0 || ids == results)
}

// scanResult reports whether a result is a success, and returns its raw command_id, nil if it has none.
func scanResult(s *jsonread.Scanner) (success bool, id []byte) {
	if s.Kind() != '{' {
		return false, nil
	}
	for name := range s.Members() {
		switch string(name) {
		case "success":
			success = true
			requireTrue(s)
		case "command_id":
			id = s.Raw()
		}
	}
	return success, id
}

// isText reports whether a raw JSON value is a text, spelled without escapes.
func isText(raw []byte, text string) bool {
	return len(raw) == len(text)+2 && raw[0] == '"' && string(raw[1:len(raw)-1]) == text && !strings.Contains(text, `\`)
}

// applyResults sets the outcome of each command from the results in a 2xx response. It returns an error if a command has no
// usable result, and an *unidentified if it is not known which result is whose.
func (c *Client) applyResults(a answer, batch []pendingCommand) error {
	matched, err := matchResults(batch, parseResults(a.body), a.requestID)
	if err != nil {
		return err
	}
	failures, missing := map[Class]string{}, 0
	for i, s := range batch {
		class, message := classOf(matched[i].errors)
		switch {
		case matched[i].success == "true":
			s.result.accept(a.requestID)
			c.passing.accept(1)
		case matched[i].success == "false" && class != "":
			failures[class] = message
		case matched[i].success == "false":
			s.result.reject(a.requestID, c.redactor.texts(matched[i].errors))
		default:
			missing++
			failures[ClassUnknown] = fmt.Sprintf("response has no valid result for %d of %d commands", missing, len(batch))
		}
	}
	for _, class := range []Class{ClassConfig, ClassRetry, ClassUnknown} {
		if message, found := failures[class]; found {
			return c.newError(class, a, message)
		}
	}
	return nil
}

func parseResults(body []byte) []commandResult {
	entries := parseList(parseObject(body)["results"])
	results := make([]commandResult, len(entries))
	for i, entry := range entries {
		parts := parseObject(entry)
		results[i] = commandResult{success: string(parts["success"]), errors: errorTexts(parts)}
		_ = json.Unmarshal(parts["command_id"], &results[i].commandID) // not a string: no id
	}
	return results
}

// matchResults returns the result of each command, empty for a command without one. Bloomreach documents that results
// carry command_id, but not that they are in the order of the commands. So results match by id. If none has an id, they
// match by position, but only when there are as many results as commands, and only if it makes no difference whose a result is: see
// unidentified.go.
func matchResults(batch []pendingCommand, results []commandResult, requestID string) ([]commandResult, error) {
	byID := make(map[string]commandResult, len(results))
	for _, r := range results {
		if r.commandID == "" {
			continue
		}
		if earlier, twice := byID[r.commandID]; twice && earlier.success != r.success {
			r.success = "" // contradictory results are unusable
		}
		byID[r.commandID] = r
	}
	if len(byID) == 0 && len(results) > 0 {
		return byPosition(batch, results, requestID)
	}
	matched := make([]commandResult, len(batch))
	for i, s := range batch {
		matched[i] = byID[s.result.ID]
	}
	return matched, nil
}
