package sms_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

func TestNormalize(t *testing.T) {
	tests := []struct {
		name, raw, region, want string
		err                     error
	}{
		{"national", "(415) 555-2671", "US", "+14155552671", nil},
		{"lower-case region", "415.555.2671", "us", "+14155552671", nil},
		{"with country code", "+1 415 555 2671", "", "+14155552671", nil},
		{"country code before region", "+44 7911 123456", "US", "+447911123456", nil},
		{"national, other region", "07911 123456", "GB", "+447911123456", nil},
		{"00 in front", "0036 20 123 4567", "HU", "+36201234567", nil},
		{"extension", "+1 415 555 2671 ext. 89", "", "+14155552671", nil},
		{"full width digits", "+１４１５５５５２６７１", "", "+14155552671", nil},
		{"Puerto Rico", "787 234 5678", "PR", "+17872345678", nil},
		{"empty", "  ", "US", "", sms.ErrNoNumber},
		{"no region", "415 555 2671", "", "", sms.ErrInvalidNumber},
		{"unknown region", "415 555 2671", "XX", "", sms.ErrInvalidNumber},
		{"words", "call me", "US", "", sms.ErrInvalidNumber},
		{"no area code", "555-0100", "US", "", sms.ErrInvalidNumber},
		{"no such area code", "+1 055 555 2671", "", "", sms.ErrInvalidNumber},
		{"too long", "+1415555267100000000000", "", "", sms.ErrInvalidNumber},
		{"absurdly long", string(make([]byte, 1<<16)), "US", "", sms.ErrInvalidNumber},
		{"toll-free", "+1 800 555 2671", "", "", sms.ErrNotSMSCapable},
		{"premium rate", "+1 900 555 2671", "", "", sms.ErrNotSMSCapable},
		{"fixed line", "+44 20 7946 0958", "", "", sms.ErrNotSMSCapable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := sms.Normalize(tt.raw, tt.region)
			require.ErrorIs(t, err, tt.err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestCanonical(t *testing.T) {
	for raw, want := range map[string]string{
		"+14155552671": "+14155552671", " +1 (415) 555-2671 ": "+14155552671", "+44 7911 123456": "+447911123456",
		"+525512345678": "+525512345678", "+5215512345678": "+525512345678", // as networks spell a Mexican mobile phone
		"+5491123456789": "+5491123456789", "+18005552671": "+18005552671",
		"+10555552671": "+10555552671", // not assigned
		"":             "", "+": "", "+1": "", "4155552671": "", "0044 7911 123456": "", "+hello": "", "+1415555267100000000000": "",
		"+" + strings.Repeat("1", 200): "",
	} {
		got, err := sms.Canonical(raw)
		assert.Equal(t, want, got, raw)
		assert.Equal(t, want == "", err != nil, raw)
	}
}

func FuzzNormalize(f *testing.F) {
	for _, raw := range []string{"(415) 555-2671", "+447911123456", "tel:+1-415;phone-context=+1", "1-800-FLOWERS", "+", "00", "x"} {
		f.Add(raw, "US")
	}
	f.Fuzz(func(t *testing.T, raw, region string) {
		got, err := sms.Normalize(raw, region)
		if err != nil {
			require.Empty(t, got)
			require.True(t, errors.Is(err, sms.ErrNoNumber) || errors.Is(err, sms.ErrInvalidNumber) || errors.Is(err, sms.ErrNotSMSCapable))
			return
		}
		require.True(t, sms.IsE164(got), got)
		canonical, err := sms.Canonical(got)
		require.NoError(t, err)
		require.Equal(t, got, canonical)
		again, err := sms.Normalize(got, "")
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}

func TestMask(t *testing.T) {
	assert.Equal(t, "+14*******71", sms.Mask("+14155552671"))
	assert.Equal(t, "***", sms.Mask("+123456"))
	assert.Equal(t, "***", sms.Mask(""))
}

func TestIsE164(t *testing.T) {
	for number, want := range map[string]bool{
		"+14155552671": true, "+3620123": true, "14155552671": false, "+04155552671": false, "+1415555": true,
		"+123456": false, "+1234567890123456": false, "+1415555267a": false, "+1 4155552671": false, "": false, "+": false,
	} {
		assert.Equal(t, want, sms.IsE164(number), number)
	}
}

func TestRegion(t *testing.T) {
	for country, want := range map[string]string{
		"US": "US", "gb": "GB", " HU ": "HU",
		"United States": "US", "united kingdom": "GB", "Canada": "CA", "Australia": "AU", "Germany": "DE", "Hungary": "HU",
		"The Netherlands": "NL", "Bosnia And Herzegovina": "BA", "Trinidad and Tobago": "TT", "St. Lucia": "LC",
		"Czech Republic": "CZ", "Czechia": "CZ", "South Korea": "KR", "Hong Kong": "HK", "Turkey": "TR", "United States of America": "US",
		"": "", "XX": "", "Atlantis": "", "001": "",
	} {
		assert.Equal(t, want, sms.Region(country), country)
	}
}
