package bloomreach_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
)

func TestPropertiesLeaveOutAbsentValues(t *testing.T) {
	p := bloomreach.Properties{}
	p.Text("text", "")
	p.Amount("amount", "")
	p.Number("number", 0)
	p.Count("count", nil)
	p.Time("time", time.Time{})
	p.List("list", nil)
	assert.Empty(t, p)
}

func TestPropertiesKeepDigits(t *testing.T) {
	for digits, want := range map[string]string{
		"18.50": `18.50`, "0": `0`, "000": `0`, "007.10": `7.10`, "0.5": `0.5`, "-0.50": `-0.50`, "-003": `-3`,
		"12345678901234567890.123": `12345678901234567890.123`,
	} {
		p := bloomreach.Properties{}
		p.Amount("amount", digits)
		raw, err := json.Marshal(p)
		require.NoError(t, err, digits)
		assert.Equal(t, `{"amount":`+want+`}`, string(raw))
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
		{"", 2, ""},
		{"18.50", 0, ""},
	} {
		assert.Equal(t, c.want, bloomreach.Multiply(c.digits, c.n))
	}
}
