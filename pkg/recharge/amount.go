package recharge

import (
	"math/big"
	"strings"
)

// sumOf adds the prices of shipping lines; "" if no line has one.
func sumOf(lines []wirePrice) string {
	switch {
	case len(lines) == 0:
		return ""
	case len(lines) == 1:
		return string(lines[0].Price)
	}
	sum, scale, some := new(big.Rat), 0, false
	for _, line := range lines {
		if price, ok := new(big.Rat).SetString(string(line.Price)); ok {
			sum.Add(sum, price)
			scale, some = max(scale, digitsOf(line.Price)), true
		}
	}
	if !some {
		return ""
	}
	return sum.FloatString(scale)
}

// discountOf returns by how much the units of a line are cheaper than before discounts; "" if they are not, or if that is unknown.
func discountOf(original, price decimal, quantity int) string {
	before, ok := new(big.Rat).SetString(string(original))
	if !ok || original == price {
		return ""
	}
	now, ok := new(big.Rat).SetString(string(price))
	if !ok || now.Cmp(before) >= 0 {
		return ""
	}
	before.Sub(before, now).Mul(before, new(big.Rat).SetInt64(int64(quantity)))
	return before.FloatString(max(digitsOf(original), digitsOf(price)))
}

// digitsOf returns the number of digits after the decimal point.
func digitsOf(amount decimal) int {
	_, fraction, _ := strings.Cut(string(amount), ".")
	return len(fraction)
}
