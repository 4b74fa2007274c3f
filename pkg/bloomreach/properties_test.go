package bloomreach_test

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
)

func TestPropertiesLeaveOutAbsentValues(t *testing.T) {
	var p bloomreach.Properties
	p.Text("text", "")
	p.Amount("amount", "")
	p.Number("number", 0)
	p.Count("count", nil)
	p.Time("time", time.Time{})
	p.List("list", nil)
	p.Objects("objects", 0, nil)
	assert.Equal(t, bloomreach.Properties{}, p)
}

func TestPropertiesKeepDigits(t *testing.T) {
	for digits, want := range map[string]string{
		"18.50": `18.50`, "0": `0`, "000": `0`, "007.10": `7.10`, "0.5": `0.5`, "-0.50": `-0.50`, "-003": `-3`,
		"12345678901234567890.123": `12345678901234567890.123`,
	} {
		var p bloomreach.Properties
		p.Amount("amount", digits)
		assert.Equal(t, want, string(fitted(t, p)["amount"]))
	}
}

func TestMultiply(t *testing.T) {
	for _, c := range []struct {
		digits string
		n      int
		want   string
	}{
		{"18.50", 2, "37.00"},
		{"0.1", 3, "0.3"},
		{"9", 3, "27"},
		{"-1.25", 4, "-5.00"},
		{"19.99", 1000000, "19990000.00"},
		{"0.05", 1, "0.05"},
		{"007.10", 2, "14.20"},
		{".5", 3, "1.5"},
		{"5.", 3, "15"},
		{"-0.0", 3, "0.0"},
		{"1234567890123.45", 2, "2469135780246.90"},
		{"19.99", 1000001, "19990019.99"},
		{"18.50", -1, "-18.50"},
		{"much", 2, ""},
		{"", 2, ""},
		{"18.50", 0, ""},
	} {
		assert.Equal(t, c.want, bloomreach.Multiply(c.digits, c.n))
	}
}

// The product of a short price is that of the exact computation.
func TestMultiplyIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`-?[0-9]{0,14}(\.[0-9]{0,7})?`).Draw(t, "digits")
		n := rapid.IntRange(-2, 2_000_000).Draw(t, "n")
		want := ""
		if exact, ok := new(big.Rat).SetString(digits); ok && n != 0 {
			_, fraction, _ := strings.Cut(digits, ".")
			want = exact.Mul(exact, big.NewRat(int64(n), 1)).FloatString(len(fraction))
		}
		assert.Equal(t, want, bloomreach.Multiply(digits, n), "%s * %d", digits, n)
	})
}
