package quiethours

import (
	"fmt"
	"sync"
	"time"
)

// Finder finds the first moment at which a text may be sent. It is safe for concurrent use.
type Finder struct {
	store []place

	mutex     sync.Mutex
	locations map[string]*time.Location
}

// NewFinder returns the finder of a store. For recipients without a known place its clock is that of an IANA zone, or if zone is "" of all
// zones of a country, an ISO 3166 code.
func NewFinder(zone, country string) (*Finder, error) {
	f := &Finder{locations: make(map[string]*time.Location)}
	if zone == "" {
		f.store = Recipient{Country: country}.byAddress()
		if _, found := f.first(Default(), f.store, time.Unix(0, 0)); !found {
			return nil, fmt.Errorf("the time zones of country %q are too many or unknown: name one of them", country)
		}
		return f, nil
	}
	if f.store = []place{{zone: zone}}; f.location(zone) == nil {
		return nil, fmt.Errorf("%q is not a time zone of the IANA database, such as Europe/Berlin", zone)
	}
	return f, nil
}

// Release is when a text may be sent, and by which zones.
type Release struct {
	At     time.Time
	Source Source
	Zones  []string // IANA
}

// longest is the longest that a text waits. A night with a change of clocks may make it an hour more.
const longest = 24 * time.Hour

// Find returns the first moment from now on at which it is quiet in none of the zones where the recipient may be. The zones are those of
// the first source that has any, and that are not all quiet by turns. Hours must pass Check: then At is at most a day away.
func (f *Finder) Find(h Hours, r Recipient, now time.Time) Release {
	for _, candidates := range []struct {
		source Source
		places []place
	}{{Address, r.byAddress()}, {Phone, r.byPhone()}, {Store, f.store}} {
		if at, found := f.first(h, candidates.places, now); found {
			return Release{At: at, Source: candidates.source, Zones: zonesOf(candidates.places)}
		}
	}
	return Release{At: now.Add(longest), Source: Store, Zones: zonesOf(f.store)} // Hours that fail Check
}

func zonesOf(places []place) []string {
	zones := make([]string, len(places))
	for i, p := range places {
		zones[i] = p.zone
	}
	return zones
}

// first returns the first moment that is not quiet at all places, within a day.
func (f *Finder) first(h Hours, places []place, now time.Time) (at time.Time, found bool) {
	if len(places) == 0 {
		return now, false
	}
	for at = now; at.Sub(now) <= longest; {
		later := at
		for _, p := range places {
			location := f.location(p.zone)
			if location == nil {
				return now, false
			}
			if next := h.next(at.In(location), p); next.After(later) {
				later = next
			}
		}
		if later.Equal(at) {
			return at, true
		}
		at = later
	}
	return now, false
}

// next returns the first moment from t on that is not quiet at a place. t has the place's location. Within the bounds of ZoneBounds
// the clock runs evenly.
func (h Hours) next(t time.Time, p place) time.Time {
	for {
		_, offset := t.Zone()
		at := h.nextEven(t.UTC().Add(time.Duration(offset)*time.Second), p).Add(-time.Duration(offset) * time.Second)
		_, end := t.ZoneBounds()
		if end.IsZero() || at.Before(end) {
			return at
		}
		t = end
	}
}

// week is how many days are searched: the windows of days differ by the day of the week only.
const week = 8

// nextEven is next on a clock that is never changed, shown as UTC.
func (h Hours) nextEven(local time.Time, p place) time.Time {
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	for range week {
		for _, w := range h.windowsOn(day.Weekday(), p) {
			if closes := day.Add(time.Duration(w.closes) * time.Minute); !local.Before(closes) {
				continue
			}
			if opens := day.Add(time.Duration(w.opens) * time.Minute); local.Before(opens) {
				return opens
			}
			return local
		}
		day = day.AddDate(0, 0, 1)
	}
	return day // never: Hours that fail Check
}

func (f *Finder) location(zone string) *time.Location {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	known, found := f.locations[zone]
	if !found {
		known, _ = time.LoadLocation(zone) // nil for an unknown zone
		f.locations[zone] = known
	}
	return known
}
