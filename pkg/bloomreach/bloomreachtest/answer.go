package bloomreachtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// ErrorShape is the JSON form of an error body. Bloomreach uses all of them: the first two are from
// https://documentation.bloomreach.com/engagement/reference/tracking-api-request-body-errors and
// https://documentation.bloomreach.com/engagement/reference/tracking-api-authorization-errors, the others from the tests
// of https://github.com/exponea/exponea-python-sdk.
type ErrorShape string

// The shapes.
const (
	ShapeMessage ErrorShape = "message" // {"success":false,"message":"..."}
	ShapeError   ErrorShape = "error"   // {"success":false,"error":"..."}
	ShapeList    ErrorShape = "list"    // {"success":false,"errors":["..."]}
	ShapeObject  ErrorShape = "object"  // {"success":false,"errors":{"_global":["..."]}}
)

// Body returns an error body of this shape.
func (e ErrorShape) Body(text string) string {
	body := map[string]any{"success": false}
	switch e {
	case ShapeError:
		body["error"] = text
	case ShapeList:
		body["errors"] = []string{text}
	case ShapeObject:
		body["errors"] = map[string][]string{"_global": {text}}
	default:
		body["message"] = text
	}
	return encode(body)
}

// writeRefusal answers in the shape documented for the status, or in that of [Server.SetErrorShape].
func (s *settings) writeRefusal(w http.ResponseWriter, refused refusal) response {
	return Failure{Status: refused.status, Body: s.refusalBody(refused)}.write(w)
}

func (s *settings) refusalBody(refused refusal) string {
	if s.shape != "" {
		return s.shape.Body(refused.text)
	}
	switch refused.status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return ShapeError.Body(refused.text)
	case http.StatusNotFound:
		return encode(map[string]any{"errors": map[string]any{"code": refused.status, "description": refused.text}})
	case http.StatusBadRequest:
		if refused.text == "Could not authenticate" {
			return ShapeError.Body(refused.text)
		}
	}
	return ShapeMessage.Body(refused.text)
}

// result is one entry of the response to a batch.
type result struct {
	Success   bool     `json:"success"`
	Errors    []string `json:"errors,omitempty"`
	CommandID string   `json:"command_id,omitempty"`
}

// writeResults writes a 200 with success true, even if commands failed
// (https://documentation.bloomreach.com/engagement/reference/tracking-api-error-messages).
func (s *settings) writeResults(w http.ResponseWriter, commands []Command, reasons [][]string, started time.Time) response {
	body := map[string]any{
		"success": true, "start_time": unixFloat(started), "end_time": unixFloat(s.now()),
	}
	if !s.omitResults {
		body["results"] = s.results(commands, reasons)
	}
	return Failure{Status: http.StatusOK, Body: encode(body)}.write(w)
}

func (s *settings) results(commands []Command, reasons [][]string) []result {
	results := make([]result, 0, len(commands))
	for i, command := range commands {
		if s.omitResultOf != nil && s.omitResultOf(command) {
			continue
		}
		entry := result{Success: len(reasons[i]) == 0, Errors: reasons[i]}
		if s.echo {
			entry.CommandID = command.ID
		}
		results = append(results, entry)
	}
	if s.addResult {
		extra := result{Success: true}
		if s.echo {
			extra.CommandID = "of no command"
		}
		results = append(results, extra)
	}
	if s.shuffle {
		slices.Reverse(results)
	}
	return results
}

// unixFloat formats a time as in Bloomreach's answers: 1722458972.7475243.
func unixFloat(t time.Time) json.Number {
	return json.Number(fmt.Sprintf("%d.%07d", t.Unix(), t.Nanosecond()/100))
}

func encode(body map[string]any) string {
	text, err := json.Marshal(body)
	if err != nil {
		return err.Error() // not JSON, so that a test fails
	}
	return string(text)
}
