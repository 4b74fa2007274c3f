package wording

import "strconv"

// Interval formats the time between two orders: 30 days, 1 month. The unit is Recharge's: day, week or month.
func Interval(n int, unit string) string {
	text := strconv.Itoa(n) + " " + unit
	if n > 1 {
		return text + "s"
	}
	return text
}
