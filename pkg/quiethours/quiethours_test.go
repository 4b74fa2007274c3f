package quiethours_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return moment
}

func finder(t *testing.T, zone string) *quiethours.Finder {
	t.Helper()
	f, err := quiethours.NewFinder(zone, "")
	require.NoError(t, err)
	return f
}

func hours(t *testing.T, from, to string) quiethours.Hours {
	t.Helper()
	begin, err := quiethours.ParseClock(from)
	require.NoError(t, err)
	end, err := quiethours.ParseClock(to)
	require.NoError(t, err)
	return quiethours.Hours{From: begin, To: end, States: true}
}

// TestRelease: testdata/release.txt has a case a line: quiet from, to; store's zone; country, province, number ("-" for none); now;
// expected release and source.
func TestRelease(t *testing.T) {
	content, err := os.ReadFile("testdata/release.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(content)) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		require.Len(t, f, 9, line)
		for i := range f {
			f[i] = strings.ReplaceAll(strings.TrimPrefix(f[i], "-"), "_of_", " of ")
		}
		r := quiethours.Recipient{Country: f[3], Province: strings.ReplaceAll(f[4], "_", " "), Number: f[5]}
		found := finder(t, f[2]).Find(hours(t, f[0], f[1]), r, at(t, f[6]))
		assert.Equal(t, f[7]+" "+f[8], found.At.UTC().Format(time.RFC3339)+" "+string(found.Source), "%s: %s", line, found.Zones)
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     error
	}{
		{"20:00", "09:00", nil},
		{"17:00", "12:00", nil},
		{"01:00", "06:00", nil},
		{"00:00", "12:00", nil},
		{"09:00", "09:00", quiethours.ErrEmpty},
		{"16:59", "09:00", quiethours.ErrTooLarge},
		{"20:00", "12:01", quiethours.ErrTooLarge},
		{"13:00", "14:00", quiethours.ErrTooLarge},
	} {
		require.ErrorIs(t, hours(t, c.from, c.to).Check(), c.want, "%s to %s", c.from, c.to)
	}
	assert.NoError(t, quiethours.Default().Check())
}

func TestParseClock(t *testing.T) {
	for _, bad := range []string{"", "9:00", "24:00", "12:60", "noon", "12:00:00"} {
		_, err := quiethours.ParseClock(bad)
		require.ErrorContains(t, err, fmt.Sprintf("%q is not a time of the day", bad))
	}
	clock, err := quiethours.ParseClock("09:05")
	require.NoError(t, err)
	assert.Equal(t, "09:05", clock.String())
}

func TestUnknownZone(t *testing.T) {
	for _, bad := range []string{"Local/Nowhere", "Mars/Olympus"} {
		_, err := quiethours.NewFinder(bad, "XX")
		assert.ErrorContains(t, err, "is not a time zone")
	}
}

// TestFinderOfACountry: without a zone of its own, a store's clock is that of all zones of its country.
func TestFinderOfACountry(t *testing.T) {
	f, err := quiethours.NewFinder("", "US")
	require.NoError(t, err)
	nine := time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC) // in New York
	release := f.Find(quiethours.Default(), quiethours.Recipient{Number: "+18005550100"}, nine)
	assert.Equal(t, quiethours.Store, release.Source)
	assert.Equal(t, nine.Add(5*time.Hour), release.At, "nine in Hawaii")
	_, err = quiethours.NewFinder("", "XX")
	require.ErrorContains(t, err, `country "XX"`)
}
