package bloomreachtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// ErrorShape is one of the forms in which an error body comes. All have been seen at Bloomreach: the first two at
// https://documentation.bloomreach.com/engagement/reference/tracking-api-request-body-errors and
// https://documentation.bloomreach.com/engagement/reference/tracking-api-authorization-errors, the others in the tests
// of https://github.com/exponea/exponea-python-sdk.
type ErrorShape string

// The forms of an error body.
const (
	ShapeMessage ErrorShape = "message" // {"success":false,"message":"..."}
	ShapeError   ErrorShape = "error"   // {"success":false,"error":"..."}
	ShapeList    ErrorShape = "list"    // {"success":false,"errors":["..."]}
	ShapeObject  ErrorShape = "object"  // {"success":false,"errors":{"_global":["..."]}}
)

// Body is an error body of this form.
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

// writeRefusal uses the form documented for the status, unless a switch fixes another.
func (s *switches) writeRefusal(w http.ResponseWriter, refused refusal) ending {
	return Failure{Status: refused.status, Body: s.refusalBody(refused)}.write(w)
}

func (s *switches) refusalBody(refused refusal) string {
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

// result is one entry of the answer to a batch.
type result struct {
	Success   bool     `json:"success"`
	Errors    []string `json:"errors,omitempty"`
	CommandID string   `json:"command_id,omitempty"`
}

// writeResults answers 200 with success true even when commands failed
// (https://documentation.bloomreach.com/engagement/reference/tracking-api-error-messages).
func (s *switches) writeResults(w http.ResponseWriter, commands []Command, reasons [][]string, started time.Time) ending {
	body := map[string]any{
		"success": true, "start_time": unixFloat(started), "end_time": unixFloat(s.now()),
	}
	if !s.noResults {
		body["results"] = s.results(commands, reasons)
	}
	return Failure{Status: http.StatusOK, Body: encode(body)}.write(w)
}

func (s *switches) results(commands []Command, reasons [][]string) []result {
	results := make([]result, 0, len(commands))
	for i, command := range commands {
		if s.leaveOut != nil && s.leaveOut(command) {
			continue
		}
		entry := result{Success: len(reasons[i]) == 0, Errors: reasons[i]}
		if s.echo {
			entry.CommandID = command.ID
		}
		results = append(results, entry)
	}
	if s.shuffle {
		slices.Reverse(results)
	}
	return results
}

func (f Failure) write(w http.ResponseWriter) ending {
	switch {
	case f.Hang:
		return hanging
	case f.Reset:
		return reset
	}
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body)) // a caller that is gone reads nothing
	return answered
}

// unixFloat is how Bloomreach writes the times in an answer: 1722458972.7475243.
func unixFloat(t time.Time) json.Number {
	return json.Number(fmt.Sprintf("%d.%07d", t.Unix(), t.Nanosecond()/100))
}

func encode(body map[string]any) string {
	text, err := json.Marshal(body)
	if err != nil {
		return err.Error() // not JSON, so a test sees it at once
	}
	return string(text)
}
