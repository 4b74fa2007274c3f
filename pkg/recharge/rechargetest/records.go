package rechargetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// record is a resource as it was put, and its fields.
type record struct {
	raw    []byte
	fields map[string]any // numbers are json.Number
}

// Put makes the customer, subscription, charge and event of a document the answers for their ids, alone and in lists. A
// webhook's body is such a document: "Callback payloads are identical to Recharge's REST API payloads"
// (https://docs.getrecharge.com/docs/webhooks-overview). An error says what is not one.
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
		return fmt.Errorf("put document: it holds no customer, subscription, charge or event")
	}
	return nil
}

// PutCustomer makes body, a whole {"customer":{...}} document, the answer for id, byte for byte. One that is not such a
// document is in no list.
func (s *Server) PutCustomer(id string, body []byte) {
	_ = s.Put(body) // it need not be one
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw["customers/"+id] = body
}

// Remove forgets a record of a resource as it stands in paths, "subscriptions": it is not found any more.
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
		return fmt.Errorf("put %s: its id is not a number", singular(resource))
	}
	if s.records[resource] == nil {
		s.records[resource] = map[int64]record{}
	}
	s.records[resource][id] = record{raw: raw, fields: kept}
	delete(s.raw, resource+"/"+strconv.FormatInt(id, 10))
	return nil
}

// textAt is the value at a path like customer.id, "" where there is none.
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

// chargesKept is how long processed charges can be read, since 2025-03-19 (changelog of Recharge, by a transcription).
const chargesKept = 90 * 24 * time.Hour

// vanished says whether a record is too old to be read: a processed charge, an event.
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

// timeOf reads the forms in which filters and 2021-11 bodies give a time.
func timeOf(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}
