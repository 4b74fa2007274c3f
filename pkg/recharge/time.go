package recharge

import (
	"fmt"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the zone below must be there in a container without zone files
)

// zones knows how to read a timestamp of either API version.
type zones struct {
	eastern *time.Location
}

func newZones() (zones, error) {
	eastern, err := easternTime()
	if err != nil {
		return zones{}, fmt.Errorf("load time zone: %w", err)
	}
	return zones{eastern: eastern}, nil
}

// easternTime is the zone of Recharge's calendar: a constant, which Go reads from
// a file at each call if it isn't kept.
var easternTime = sync.OnceValues(func() (*time.Location, error) { //nolint:gochecknoglobals // see above; it never changes
	return time.LoadLocation("America/New_York")
})

// clock reads the times of one body: without an offset they are US Eastern in
// 2021-01 ("Our DB uses Eastern Time", https://docs.rechargepayments.com/docs/using-the-api)
// and UTC in 2021-11. The first fault is kept, so that a caller checks once.
type clock struct {
	zones   zones
	version Version
	err     error
}

// at parses a timestamp to UTC; "" is the zero time. An hour that the clocks
// repeat in autumn is read as its first.
func (c *clock) at(field string, v text) time.Time {
	if v == "" {
		return time.Time{}
	}
	if t, err := time.Parse(time.RFC3339, string(v)); err == nil {
		return c.sane(field, t)
	}
	zone := time.UTC
	if c.version == Version202101 {
		zone = c.zones.eastern
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, string(v), zone); err == nil {
			return c.sane(field, t)
		}
	}
	c.fail(field)
	return time.Time{}
}

// Years outside of these are no shop's, and some can't be written as JSON.
const firstYear, lastYear = 1970, 2999

// sane is the time in UTC, unless its year is nonsense.
func (c *clock) sane(field string, t time.Time) time.Time {
	t = t.UTC()
	if t.Year() < firstYear || t.Year() > lastYear {
		c.fail(field)
		return time.Time{}
	}
	return t
}

// date parses a day as Recharge's calendar has it. 2021-11 gives the bare day,
// 2021-01 its midnight, orders an instant that is US Eastern's midnight.
func (c *clock) date(field string, v text) Date {
	if v == "" {
		return ""
	}
	day, rest, _ := strings.Cut(string(v), "T")
	if t, err := time.Parse(time.DateOnly, day); err != nil || t.Year() < firstYear || t.Year() > lastYear {
		c.fail(field)
		return ""
	}
	instant, err := time.Parse(time.RFC3339, string(v))
	if err != nil || strings.HasPrefix(rest, "00:00:00") { // a day, whatever the offset that was put behind it
		return Date(day)
	}
	return Date(instant.In(c.zones.eastern).Format(time.DateOnly))
}

// retry parses a retry date. It is a day: "at 4 PM ET on each scheduled retry
// date", https://support.getrecharge.com/hc/en-us/articles/31960016578199.
func (c *clock) retry(field string, v text) time.Time {
	at := c.at(field, v)
	local := at.In(c.zones.eastern)
	if at.IsZero() || local.Hour() != 0 || local.Minute() != 0 {
		return at
	}
	return time.Date(local.Year(), local.Month(), local.Day(), 16, 0, 0, 0, c.zones.eastern).UTC()
}

func (c *clock) fail(field string) {
	if c.err == nil {
		c.err = fmt.Errorf("read %s: not a timestamp that Recharge is known to send", field)
	}
}

// Date is a day of Recharge's calendar, YYYY-MM-DD; "" when there is none.
type Date string

// Start is the instant at which the day begins for Recharge: midnight in US
// Eastern, as its own order timestamps show. The zero time for "".
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
