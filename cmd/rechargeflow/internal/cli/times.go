package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// TimeForms are the forms that ParseTime reads, for the help of flags.
const TimeForms = "2026-03-01, 2026-03-01T10:00:00Z, or an age: 90m, 36h, 7d"

// ParseTime reads a time or an age; the zero time for "".
func ParseTime(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if age, err := time.ParseDuration(text); err == nil && age >= 0 {
		return now.Add(-age), nil
	}
	return time.Time{}, fmt.Errorf("--%s %q is not a time: expected %s", flag, text, TimeForms)
}
