package quiethours

import (
	"fmt"
	"time"
)

// Clock is a time of the day in minutes after midnight, 0 to 1440.
type Clock int

const (
	noon     Clock = 12 * 60
	five     Clock = 17 * 60
	midnight Clock = 24 * 60
)

// ParseClock parses "20:00", from "00:00" to "23:59".
func ParseClock(text string) (Clock, error) {
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, fmt.Errorf("%q is not a time of the day like 20:00", text)
	}
	return Clock(t.Hour()*60 + t.Minute()), nil
}

func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// MarshalText writes the clock as ParseClock reads it.
func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText is ParseClock.
func (c *Clock) UnmarshalText(text []byte) (err error) {
	*c, err = ParseClock(string(text))
	return err
}
