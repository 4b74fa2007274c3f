package wording

import (
	"math/big"
	"strings"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// usualDigits is the number of decimals of most currencies.
const usualDigits = 2

// Amount formats a decimal amount with the decimals of its currency: 1200 JPY, 1.500 BHD, 41.90 USD. Recharge sends 41.9 and
// 62.989999999999995 too. A currency with fewer decimals in everyday use than in a price keeps those of the price: 1499.50 RSD.
// What is no decimal number stays as it is.
func Amount(digits, code string) string {
	value, ok := number(digits)
	if !ok {
		return digits
	}
	text := value.FloatString(decimals(code))
	if rounded, _ := new(big.Rat).SetString(text); isOff(value, rounded) {
		return value.FloatString(usualDigits)
	}
	return text
}

// Money formats a decimal amount as people write it in English: $1,249.90, €41.90, CA$41.90, ¥1,200, SEK 41.90. A currency without a
// symbol, or with one that GSM-7 lacks, has its code: one such character, as in ₩1,200, would double the price of a text. What is no
// decimal number stays as it is.
func Money(digits, code string) string {
	if _, ok := number(digits); !ok {
		return digits
	}
	amount, negative := strings.CutPrefix(Amount(digits, code), "-")
	sign := ""
	if negative && strings.Trim(amount, "0.") != "" {
		sign = "-"
	}
	unit := symbol(strings.TrimSpace(code))
	if unit != "" && isLetter(unit[len(unit)-1]) {
		unit += " "
	}
	return sign + unit + grouped(amount)
}

// longestNumber is the longest amount in bytes that is read as a number.
const longestNumber = 60

// number reads a decimal number, which has neither an exponent nor a fraction bar.
func number(digits string) (*big.Rat, bool) {
	if len(digits) > longestNumber || strings.Trim(digits, "-.0123456789") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(digits)
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

// symbol returns the English symbol of a currency, or its code. The library's own format of an amount has a space after each symbol
// ("$ 41.90"), so only the symbol is from it.
func symbol(code string) string {
	unit, err := currency.ParseISO(code)
	if err != nil {
		return code
	}
	text := message.NewPrinter(language.English).Sprint(currency.Symbol(unit))
	if strings.ContainsFunc(text, func(r rune) bool { return !isCheap(r) }) {
		return unit.String()
	}
	return text
}

// isCheap reports whether GSM-7 has a character of a symbol.
func isCheap(r rune) bool {
	return r < 0x80 && isLetter(byte(r)) || strings.ContainsRune("$£¥€", r)
}

func isLetter(b byte) bool { return b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' }

// grouped puts commas between the thousands of a number.
func grouped(number string) string {
	whole, fraction, found := strings.Cut(number, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if found {
		return whole + "." + fraction
	}
	return whole
}
