package bloomreachtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// deduplicationWindow: "kept for 90 days from the date an event is processed", and it "resets on receipt"
// (https://documentation.bloomreach.com/engagement/docs/imports-technical-reference).
const deduplicationWindow = 90 * 24 * time.Hour

// profiles holds the stored customers and events, without duplicates.
type profiles struct {
	byID         map[[2]string]*profile // id name and value
	count        int
	events       []storedEvent
	lastSeen     map[string]time.Time // last receipt by deduplication key
	deduplicated int
}

type storedEvent struct {
	Event

	customer *profile
}

type profile struct {
	number     int
	properties map[string]property
}

type property struct {
	value   any
	updated string // canonical UNIX seconds
}

func newProfiles() *profiles {
	return &profiles{byID: map[[2]string]*profile{}, lastSeen: map[string]time.Time{}}
}

// TwoProfiles is what happens to a command whose ids belong to two profiles. Bloomreach documents only that profiles with different hard
// ids of one type can't be merged (https://documentation.bloomreach.com/engagement/docs/merging).
type TwoProfiles int

// What may happen. Ids that are new are added to the profile in any case; known ones stay with theirs.
const (
	ToFirst TwoProfiles = iota // the command is for the profile of the first id, in the order of the names
	ToLast                     // for that of the last id
	Refused                    // it is rejected
)

// customer returns the profile of the ids and adds the new ids to it, or reports that the command is rejected.
func (p *profiles) customer(ids map[string]string, two TwoProfiles) (found *profile, rejected bool) {
	names := slices.Sorted(maps.Keys(ids))
	for _, name := range names {
		known := p.byID[[2]string{name, ids[name]}]
		switch {
		case known == nil || known == found:
		case found == nil || two == ToLast:
			found = known
		case two == Refused:
			return nil, true
		}
	}
	if found == nil {
		p.count++
		found = &profile{number: p.count, properties: map[string]property{}}
	}
	for _, name := range names {
		if key := [2]string{name, ids[name]}; p.byID[key] == nil {
			p.byID[key] = found
		}
	}
	return found, false
}

// addEvent stores the event unless it is a duplicate: same customer, type, timestamp to the last decimal, attribute values
// and types. "Consent events can't be deduplicated"
// (https://documentation.bloomreach.com/engagement/docs/imports-technical-reference).
func (p *profiles) addEvent(customer *profile, a action, now time.Time) {
	if a.timestamp == "" {
		a.timestamp = seconds(now)
	}
	key := fmt.Sprintf("%d %q %s %s", customer.number, a.eventType, a.timestamp, fingerprint(a.properties))
	last, seen := p.lastSeen[key]
	p.lastSeen[key] = now
	if seen && now.Sub(last) < deduplicationWindow && a.eventType != "consent" {
		p.deduplicated++
		return
	}
	p.events = append(p.events, storedEvent{customer: customer, Event: Event{
		CommandID: a.commandID, CustomerIDs: a.ids, Type: a.eventType, Timestamp: a.timestamp, Properties: a.properties,
	}})
}

// update changes the properties whose last update is older
// (https://documentation.bloomreach.com/engagement/reference/update-customer-properties-2).
func (p *profiles) update(customer *profile, a action, now time.Time, s *settings) {
	if a.timestamp == "" {
		a.timestamp = seconds(now)
	}
	for name, value := range a.properties {
		if current, known := customer.properties[name]; known {
			order := compareTimes(a.timestamp, current.updated)
			if order < 0 || (order == 0 && !s.equalWins) {
				continue
			}
		}
		if value == nil && s.null == NullDeletes {
			delete(customer.properties, name)
			continue
		}
		customer.properties[name] = property{value: value, updated: a.timestamp}
	}
}

// Null is the effect of null as the value of a property, which Bloomreach does not document.
type Null int

// The effects.
const (
	NullStored  Null = iota
	NullIgnored      // as if the property were absent
	NullDeletes      // of a profile; in an event it is ignored
)

// withoutIgnored returns the properties without those that are null, if these are ignored. Only a profile's can be deleted.
func (s *settings) withoutIgnored(name string, properties map[string]any) map[string]any {
	if s.null == NullStored || s.null == NullDeletes && name == nameUpdate {
		return properties
	}
	kept := maps.Clone(properties)
	maps.DeleteFunc(kept, func(_ string, value any) bool { return value == nil })
	return kept
}

// timeline returns the events of a profile in the order in which a scenario sees them.
func (p *profiles) timeline(customer *profile, latestFirst bool) []Event {
	var events []Event
	for _, e := range p.events {
		if e.customer == customer {
			events = append(events, e.Event)
		}
	}
	if latestFirst {
		slices.Reverse(events)
	}
	slices.SortStableFunc(events, func(a, b Event) int { return compareTimes(a.Timestamp, b.Timestamp) })
	return events
}

// fingerprint is equal for equal values of equal types. The order of keys and the notation of numbers don't matter.
func fingerprint(properties map[string]any) string {
	text, err := json.Marshal(withCanonicalNumbers(properties))
	if err != nil {
		return fmt.Sprintf("%v", properties)
	}
	return string(text)
}

func withCanonicalNumbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if number, ok := canonical(v.String()); ok {
			return json.Number(number)
		}
	case []any:
		changed := make([]any, len(v))
		for i, element := range v {
			changed[i] = withCanonicalNumbers(element)
		}
		return changed
	case map[string]any:
		changed := make(map[string]any, len(v))
		for name, element := range v {
			changed[name] = withCanonicalNumbers(element)
		}
		return changed
	}
	return value
}
