package wording

import (
	"math/big"

	"golang.org/x/text/currency"
)

// usualDigits is the number of decimals of most currencies.
const usualDigits = 2

// Amount formats a decimal amount with the decimals of its currency: 1200 JPY, 1.500 BHD, 41.90 USD. Recharge sends 41.9 and
// 62.989999999999995 too. A currency with fewer decimals in everyday use than in a price keeps those of the price: 1499.50 RSD.
func Amount(digits, code string) string {
	value, ok := new(big.Rat).SetString(digits)
	if !ok {
		return digits
	}
	text := value.FloatString(decimals(code))
	if rounded, _ := new(big.Rat).SetString(text); isOff(value, rounded) {
		return value.FloatString(usualDigits)
	}
	return text
}

// isOff reports whether an amount was rounded by half a cent or more.
func isOff(value, rounded *big.Rat) bool {
	off := new(big.Rat).Sub(value, rounded)
	return off.Abs(off).Cmp(big.NewRat(5, 1000)) >= 0
}

func decimals(code string) int {
	unit, err := currency.ParseISO(code)
	if err != nil {
		return usualDigits
	}
	digits, _ := currency.Standard.Rounding(unit)
	return digits
}
