package bloomreachtest

import (
	"encoding/json"
	"slices"
	"strings"
)

// Command is one entry of a batch as it arrived.
type Command struct {
	ID   string // command_id
	Name string
	Data json.RawMessage
}

// Event is a stored event.
type Event struct {
	CommandID   string            // of the first command with this event
	CustomerIDs map[string]string // trimmed
	Type        string
	Timestamp   string         // UNIX seconds, decimal, no trailing zeros
	Properties  map[string]any // numbers are json.Number
}

// Events returns the stored events, without duplicates, in the order of arrival.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := make([]Event, len(s.profiles.events))
	for i, e := range s.profiles.events {
		events[i] = e.Event
	}
	return events
}

// Timeline returns the stored events of the customer with this id by their timestamps. Those of equal timestamps are in the order of arrival,
// or of [Server.ReverseEqualTimestamps].
func (s *Server) Timeline(idName, id string) []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.profiles.timeline(s.profiles.byID[[2]string{idName, strings.TrimSpace(id)}], s.settings.reverseEqual)
}

// Received returns all commands of accepted requests in the order of arrival, including duplicates and rejected commands.
// Each of their events can start a scenario and counts as usage, because deduplication comes later
// (https://documentation.bloomreach.com/engagement/docs/imports-technical-reference).
func (s *Server) Received() []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.received)
}

// Deduplicated returns how many events were discarded as duplicates.
func (s *Server) Deduplicated() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.profiles.deduplicated
}

// Requests returns how many requests arrived, whatever the answer.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Customer returns the properties of the customer with this id, and whether it exists. Numbers are json.Number.
func (s *Server) Customer(idName, id string) (map[string]any, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	customer := s.profiles.byID[[2]string{idName, strings.TrimSpace(id)}]
	if customer == nil {
		return nil, false
	}
	values := make(map[string]any, len(customer.properties))
	for name, property := range customer.properties {
		values[name] = property.value
	}
	return values, true
}
