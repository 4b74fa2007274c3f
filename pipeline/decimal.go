package pipeline

import "strings"

// decimals is how many digits follow the point.
func decimals(digits string) int {
	_, fraction, _ := strings.Cut(digits, ".")
	return len(fraction)
}

// canonical drops leading zeros, which a JSON number may not have.
func canonical(digits string) string {
	sign := ""
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		sign, digits = "-", rest
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" || digits[0] == '.' {
		digits = "0" + digits
	}
	return sign + digits
}
