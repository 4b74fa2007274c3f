package rechargetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// record is a stored resource and its decoded fields.
type record struct {
	raw    []byte
	fields map[string]any // numbers are json.Number
}

// Put stores the customer, subscription, charge and event of a document, so that they are returned by id and in lists. A
// webhook's body is such a document: "Callback payloads are identical to Recharge's REST API payloads"
// (https://docs.getrecharge.com/docs/webhooks-overview). The error says what is wrong with the document.
func (s *Server) Put(body []byte) error {
	var document map[string]json.RawMessage
	if err := json.Unmarshal(body, &document); err != nil {
		return fmt.Errorf("decode document: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := 0
	for resource := range resources() {
		raw, ok := document[singular(resource)]
		if !ok {
			continue
		}
		if err := s.put(resource, raw); err != nil {
			return err
		}
		kept++
	}
	if kept == 0 {
		return fmt.Errorf("put document: no customer, subscription, charge or event")
	}
	return nil
}

// PutCustomer sets the exact response body for a customer id, usually a {"customer":{...}} document. Any other body is not
// included in lists.
func (s *Server) PutCustomer(id string, body []byte) {
	_ = s.Put(body) // it need not be one
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw["customers/"+id] = body
}

// Remove removes a record. resource is its name in paths, such as "subscriptions". After that it is not found.
func (s *Server) Remove(resource, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.raw, resource+"/"+id)
	if number, err := strconv.ParseInt(id, 10, 64); err == nil {
		delete(s.records[resource], number)
	}
}

func (s *Server) put(resource string, raw []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var kept map[string]any
	if err := decoder.Decode(&kept); err != nil {
		return fmt.Errorf("decode %s: %w", singular(resource), err)
	}
	id, err := strconv.ParseInt(textAt(kept, "id"), 10, 64)
	if err != nil {
		return fmt.Errorf("put %s: id is not a number", singular(resource))
	}
	if s.records[resource] == nil {
		s.records[resource] = map[int64]record{}
	}
	s.records[resource][id] = record{raw: raw, fields: kept}
	delete(s.raw, resource+"/"+strconv.FormatInt(id, 10))
	return nil
}

// textAt returns the value at a path such as customer.id, "" if there is none.
func textAt(object map[string]any, path string) string {
	name, rest, deeper := strings.Cut(path, ".")
	switch value := object[name].(type) {
	case map[string]any:
		if deeper {
			return textAt(value, rest)
		}
	case string:
		return value
	case json.Number:
		return value.String()
	}
	return ""
}

// chargesKept is how long processed charges can be read, since 2025-03-19 (Recharge's changelog, by a transcription).
const chargesKept = 90 * 24 * time.Hour

// vanished reports whether a processed charge or an event is too old to be returned.
func (s *Server) vanished(resource string, r record) bool {
	field, kept := "processed_at", chargesKept
	switch resource {
	case "charges":
	case "events":
		field, kept = "created_at", eventsKept
	default:
		return false
	}
	at, ok := timeOf(textAt(r.fields, field))
	return ok && s.now().Sub(at) > kept
}

// timeOf parses the time formats of filters and 2021-11 bodies.
func timeOf(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}
