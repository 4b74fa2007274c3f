package bloomreach

import (
	"math/big"
	"strconv"
	"strings"
)

// Multiply multiplies a decimal string by n, with the same number of decimals. It returns "" when digits is not a number
// or n is 0.
func Multiply(digits string, n int) string {
	if product, ok := multiplyShort(digits, n); ok {
		return product
	}
	price, ok := new(big.Rat).SetString(digits)
	if !ok || n == 0 {
		return ""
	}
	_, fraction, _ := strings.Cut(digits, ".")
	return price.Mul(price, big.NewRat(int64(n), 1)).FloatString(len(fraction))
}

// multiplyShort multiplies what needs no large numbers, which is nearly every price.
func multiplyShort(digits string, n int) (product string, ok bool) {
	const maxDigits, maxN = 12, 1_000_000
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole == "" || len(digits) > maxDigits || n <= 0 || n > maxN || !isDigits(whole+fraction) {
		return "", false
	}
	value, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil {
		return "", false
	}
	text := strconv.FormatInt(value*int64(n), 10)
	decimals := len(fraction)
	if decimals == 0 {
		return text, true
	}
	if missing := decimals + 1 - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	return text[:len(text)-decimals] + "." + text[len(text)-decimals:], true
}
