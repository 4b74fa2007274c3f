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
	events       []Event
	lastSeen     map[string]time.Time // last receipt by deduplication key
	deduplicated int
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

// customer returns the profile of the first known id, in the order of the id names, and adds the new ids to it. What
// happens when two ids belong to two profiles is not documented; here the second id stays with its profile.
func (p *profiles) customer(ids map[string]string) *profile {
	names := slices.Sorted(maps.Keys(ids))
	var found *profile
	for _, name := range names {
		if known := p.byID[[2]string{name, ids[name]}]; known != nil && found == nil {
			found = known
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
	return found
}

// addEvent stores the event unless it is a duplicate: same customer, type, timestamp to the last decimal, attribute values
// and types. "Consent events can't be deduplicated"
// (https://documentation.bloomreach.com/engagement/docs/imports-technical-reference).
func (p *profiles) addEvent(a action, now time.Time) {
	if a.timestamp == "" {
		a.timestamp = seconds(now)
	}
	key := fmt.Sprintf("%d %q %s %s", p.customer(a.ids).number, a.eventType, a.timestamp, fingerprint(a.properties))
	last, seen := p.lastSeen[key]
	p.lastSeen[key] = now
	if seen && now.Sub(last) < deduplicationWindow && a.eventType != "consent" {
		p.deduplicated++
		return
	}
	p.events = append(p.events, Event{
		CommandID: a.commandID, CustomerIDs: a.ids, Type: a.eventType, Timestamp: a.timestamp, Properties: a.properties,
	})
}

// update changes the properties whose last update is older
// (https://documentation.bloomreach.com/engagement/reference/update-customer-properties-2).
func (p *profiles) update(a action, now time.Time, equalWins bool) {
	if a.timestamp == "" {
		a.timestamp = seconds(now)
	}
	customer := p.customer(a.ids)
	for name, value := range a.properties {
		if current, known := customer.properties[name]; known {
			order := compareTimes(a.timestamp, current.updated)
			if order < 0 || (order == 0 && !equalWins) {
				continue
			}
		}
		customer.properties[name] = property{value: value, updated: a.timestamp}
	}
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
