package recharge

import (
	"fmt"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // a container may have no zone files
)

// easternTime loads the time zone of Recharge's calendar once, because time.LoadLocation reads a file at each call.
var easternTime = sync.OnceValues(func() (*time.Location, error) { //nolint:gochecknoglobals // a constant
	eastern, err := time.LoadLocation("America/New_York")
	if err != nil {
		return nil, fmt.Errorf("load time zone: %w", err)
	}
	return eastern, nil
})

// timeParser parses the times of one body and stores the first error and the fields left out, so that the caller checks only once. A time without an
// offset is US Eastern in 2021-01 ("Our DB uses Eastern Time", https://docs.rechargepayments.com/docs/using-the-api) and UTC in
// 2021-11.
type timeParser struct {
	eastern    *time.Location
	version    Version
	receivedAt time.Time
	unreadable []string
	err        error
}

// timestamp parses a timestamp and returns it in UTC; "" is the zero time. A day alone is its midnight in US Eastern, in both
// versions: Recharge's days are those of its calendar.
func (p *timeParser) timestamp(field string, v text) time.Time {
	if v == "" {
		return time.Time{}
	}
	v = canonical(v)
	if t, err := time.Parse(time.RFC3339, string(v)); err == nil {
		return p.checked(field, t)
	}
	if t, err := time.ParseInLocation(time.DateOnly, string(v), p.eastern); err == nil {
		return p.checked(field, t)
	}
	if t, err := time.Parse("2006-01-02T15:04:05", string(v)); err == nil {
		return p.checked(field, p.zoned(t))
	}
	p.fail(field)
	return time.Time{}
}

// canonical returns a timestamp as RFC 3339 spells it: with a T between day and time, and an offset without a space before it, with
// a colon, or Z. One that has this form already is returned unchanged.
func canonical(v text) text {
	const day = len(time.DateOnly)
	if len(v) <= day || v[day] != ' ' && v[day] != 'T' {
		return v
	}
	end := strings.IndexFunc(string(v[day+1:]), func(r rune) bool { return !strings.ContainsRune("0123456789:.,", r) })
	if end < 0 {
		end = len(v) - day - 1
	}
	end += day + 1
	given := string(v[end:])
	offset := canonicalOffset(strings.TrimLeft(given, " "))
	if v[day] == 'T' && offset == given {
		return v
	}
	return v[:day] + "T" + v[day+1:end] + text(offset)
}

// canonicalOffset returns an offset as RFC 3339 spells it.
func canonicalOffset(v string) string {
	switch {
	case strings.EqualFold(v, "Z"), strings.EqualFold(v, "UTC"), strings.EqualFold(v, "GMT"):
		return "Z"
	case len(v) == len("+0000") && isDigits(v[1:]):
		return v[:3] + ":" + v[3:]
	case len(v) == len("+00") && isDigits(v[1:]):
		return v + ":00"
	}
	return v
}

// clockSlack is how far Recharge's clock may be ahead of ours.
const clockSlack = time.Minute

// zoned returns the time with the given wall clock in the version's zone. When clocks go back, an hour of US Eastern occurs
// twice. Then it is the latest of the two that is not after the receipt: a body has no times of the future but those of plans.
func (p *timeParser) zoned(wall time.Time) time.Time {
	if p.version != Version202101 {
		return wall
	}
	year, month, day := wall.Date()
	t := time.Date(year, month, day, wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), p.eastern)
	first, second := t, t
	if earlier := t.Add(-time.Hour); sameWall(earlier, t) {
		first = earlier
	}
	if later := t.Add(time.Hour); sameWall(later, t) {
		second = later
	}
	if second.After(p.receivedAt.Add(clockSlack)) {
		return first
	}
	return second
}

// Earliest returns the earlier of two times with the wall clock of t in US Eastern, or t if there is no other. A webhook of
// version 2021-01 that is delivered again later may be read as the other of the two.
func Earliest(t time.Time) time.Time {
	eastern, err := easternTime()
	if err != nil || t.IsZero() {
		return t
	}
	if earlier := t.Add(-time.Hour); sameWall(earlier.In(eastern), t.In(eastern)) {
		return earlier
	}
	return t
}

// sameWall reports whether two times an hour apart have the same wall clock.
func sameWall(a, b time.Time) bool { return a.Hour() == b.Hour() && a.Day() == b.Day() }

// Years outside this range are errors of the sender. Some of them can't be encoded as JSON.
const firstYear, lastYear = 1970, 2999

// checked returns t in UTC. If its year is out of range it sets the error.
func (p *timeParser) checked(field string, t time.Time) time.Time {
	t = t.UTC()
	if t.Year() < firstYear || t.Year() > lastYear {
		p.fail(field)
		return time.Time{}
	}
	return t
}

// date parses a day of Recharge's calendar. 2021-11 sends the day alone, 2021-01 its midnight, orders an instant that is
// midnight in US Eastern.
func (p *timeParser) date(field string, v text) Date {
	if v == "" {
		return ""
	}
	v = canonical(v)
	day := v[:min(len(v), len(time.DateOnly))]
	if t, err := time.Parse(time.DateOnly, string(day)); err != nil || t.Year() < firstYear || t.Year() > lastYear {
		p.fail(field)
		return ""
	}
	instant, err := time.Parse(time.RFC3339, string(v))
	if err != nil || isMidnight(v) {
		return Date(day)
	}
	return Date(instant.In(p.eastern).Format(time.DateOnly))
}

// isMidnight reports whether a timestamp, with a T, is the midnight of a day, whatever its offset. Then it means the day.
func isMidnight(v text) bool {
	return strings.HasPrefix(string(v[min(len(v), len(time.DateOnly)):]), "T00:00:00")
}

// retryDate parses the time of the next attempt. Recharge sends a day and charges "at 4 PM ET on each scheduled retry
// date" (https://support.getrecharge.com/hc/en-us/articles/31960016578199).
func (p *timeParser) retryDate(field string, v text) time.Time {
	at := p.timestamp(field, v)
	if at.IsZero() {
		return at
	}
	local := at.In(p.eastern)
	year, month, day := local.Date()
	switch v = canonical(v); {
	case isMidnight(v):
		wall, _ := time.Parse(time.DateOnly, string(v[:len(time.DateOnly)])) // timestamp has parsed it
		year, month, day = wall.Date()
	case local.Hour() != 0 || local.Minute() != 0:
		return at
	}
	return time.Date(year, month, day, 16, 0, 0, 0, p.eastern).UTC()
}

// fail leaves a field out that can't be read, or sets the error if a decision needs it.
func (p *timeParser) fail(field string) {
	resource, name, _ := strings.Cut(field, ".")
	if !needed(resource, name) {
		p.unreadable = append(p.unreadable, field)
		return
	}
	if p.err == nil {
		p.err = fmt.Errorf("read %s: unknown timestamp format or year out of range", field)
	}
}

// Date is a day of Recharge's calendar, YYYY-MM-DD; "" is no day.
type Date string

// DayOf returns the day of Recharge's calendar on which a time lies; "" for the zero time.
func DayOf(t time.Time) Date {
	eastern, err := easternTime()
	if err != nil || t.IsZero() {
		return ""
	}
	return Date(t.In(eastern).Format(time.DateOnly))
}

// Start returns the beginning of the day, midnight in US Eastern, as Recharge's order timestamps show. It is the zero
// time for "".
func (d Date) Start() time.Time {
	eastern, err := easternTime()
	if err != nil {
		return time.Time{}
	}
	t, err := time.ParseInLocation(time.DateOnly, string(d), eastern)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
