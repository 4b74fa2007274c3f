package quiethours_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
)

// quiet is the rule in its plainest form: the hands of a clock in the zone.
func quiet(h quiethours.Hours, moment time.Time, zone *time.Location) bool {
	local := moment.In(zone)
	clock := quiethours.Clock(local.Hour()*60 + local.Minute())
	if h.From < h.To {
		return h.From <= clock && clock < h.To
	}
	return clock >= h.From || clock < h.To
}

func locations(t require.TestingT, names []string) []*time.Location {
	var all []*time.Location
	for _, name := range names {
		location, err := time.LoadLocation(name)
		require.NoError(t, err)
		all = append(all, location)
	}
	return all
}

func anyQuiet(h quiethours.Hours, moment time.Time, zones []*time.Location) bool {
	for _, zone := range zones {
		if quiet(h, moment, zone) {
			return true
		}
	}
	return false
}

func countries(t require.TestingT) (codes []string) {
	content, err := os.ReadFile("countries.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(content)) {
		if code, _, found := strings.Cut(line, " "); found && code != "#" {
			codes = append(codes, code)
		}
	}
	return codes
}

// TestNeverQuiet: a text is sent within a day and an hour, at the first minute at which it is quiet nowhere.
func TestNeverQuiet(t *testing.T) {
	country := rapid.SampledFrom(append(countries(t), "", "US", "US"))
	province := rapid.SampledFrom([]string{"", "NY", "TX", "RI", "AZ", "KY", "AK", "ON", "NSW"})
	number := rapid.SampledFrom([]string{"", "+12125550123", "+14235550123", "+18005550123", "+4915112345678", "+61412345678", "+5511961234567"})
	shop := finder(t, "America/St_Johns")
	rapid.Check(t, func(t *rapid.T) {
		h := quiethours.Hours{From: quiethours.Clock(rapid.IntRange(0, 1439).Draw(t, "from")), To: quiethours.Clock(rapid.IntRange(0, 1439).Draw(t, "to"))}
		if h.Check() != nil {
			h = quiethours.Default()
		}
		r := quiethours.Recipient{Country: country.Draw(t, "country"), Province: province.Draw(t, "province"), Number: number.Draw(t, "number")}
		now := time.Unix(rapid.Int64Range(1_700_000_000, 1_900_000_000).Draw(t, "now"), 0)

		found := shop.Find(h, r, now)

		zones := locations(t, found.Zones)
		require.False(t, anyQuiet(h, found.At, zones), "%s is quiet in one of %s", found.At, found.Zones)
		require.False(t, found.At.Before(now))
		require.LessOrEqual(t, found.At.Sub(now), 24*time.Hour)
		for before := now; before.Before(found.At); before = before.Add(time.Minute) {
			require.True(t, anyQuiet(h, before, zones), "%s is not quiet in any of %s, and earlier than %s", before, found.Zones, found.At)
		}
	})
}

// TestStatesOnlyTakeAway: with the windows of states a text is sent later or at the same time, and within a day.
func TestStatesOnlyTakeAway(t *testing.T) {
	shop := finder(t, "America/New_York")
	states := rapid.SampledFrom([]string{"FL", "CT", "RI", "TX", "NY", "WA", "HI"})
	rapid.Check(t, func(t *rapid.T) {
		h, r := quiethours.Default(), quiethours.Recipient{Country: "US", Province: states.Draw(t, "state")}
		now := time.Unix(rapid.Int64Range(1_700_000_000, 1_900_000_000).Draw(t, "now"), 0)
		without := shop.Find(h, r, now)
		h.States = true
		with := shop.Find(h, r, now)
		require.Equal(t, without.Zones, with.Zones)
		require.False(t, with.At.Before(without.At))
		require.LessOrEqual(t, with.At.Sub(now), 24*time.Hour)
		require.Equal(t, with, shop.Find(h, r, with.At), "a text that waited is sent")
	})
}

// TestZonesAreKnown: Go knows every zone of every country and region.
func TestZonesAreKnown(t *testing.T) {
	shop := finder(t, "Europe/Berlin")
	for _, code := range countries(t) {
		found := shop.Find(quiethours.Default(), quiethours.Recipient{Country: code}, time.Unix(1_790_000_000, 0))
		locations(t, found.Zones)
		if code != "RU" && code != "AQ" && code != "UM" && code != "PF" && code != "FR" {
			require.Equal(t, quiethours.Address, found.Source, code)
		}
	}
	content, err := os.ReadFile("regions.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(content)) {
		if fields := strings.Split(strings.TrimSpace(line), ";"); len(fields) == 4 && !strings.HasPrefix(line, "#") {
			found := shop.Find(quiethours.Default(), quiethours.Recipient{Country: fields[0], Province: fields[1]}, time.Unix(1_790_000_000, 0))
			require.Equal(t, strings.Split(fields[3], ","), found.Zones)
		}
	}
}
