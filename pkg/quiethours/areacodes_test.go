package quiethours

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers/v2"
	"github.com/nyaruka/phonenumbers/v2/geocoding"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write areacodes.txt")

// TestAreaCodesAreUpToDate writes areacodes.txt from the places that libphonenumber names: "Florida", "Miami, FL".
func TestAreaCodesAreUpToDate(t *testing.T) {
	var lines []string
	codes := map[string][]string{}
	for code := 201; code <= 989; code++ {
		if region := regionByPlaces(t, code); region != "" {
			codes[region] = append(codes[region], fmt.Sprint(code))
		}
	}
	for region, its := range codes {
		lines = append(lines, region+";"+strings.Join(its, " ")+"\n")
	}
	slices.Sort(lines)
	got := "# Area codes of states and provinces: country; code; area codes.\n" + strings.Join(lines, "")
	if *update {
		require.NoError(t, os.WriteFile("areacodes.txt", []byte(got), 0o600))
		return
	}
	assert.Equal(t, got, areaCodes, "run the test with -update, and read the diff")
}

// regionByPlaces returns the region of most exchanges of an area code, "US;FL"; "" if several regions share it.
func regionByPlaces(t *testing.T, code int) string {
	t.Helper()
	votes, all := map[string]int{}, 0
	for exchange := 200; exchange < 1000; exchange += 29 {
		number, err := phonenumbers.Parse(fmt.Sprintf("+1%d%d0123", code, exchange), "")
		require.NoError(t, err)
		place, err := geocoding.GetDescriptionForNumber(number, "en")
		require.NoError(t, err)
		if i := strings.LastIndex(place, ", "); i >= 0 {
			place = place[i+2:]
		}
		for _, country := range []string{"US", "CA"} {
			if r, found := regionOf(country, place); found {
				votes[r.country+";"+r.code]++
				all++
				break
			}
		}
	}
	best := ""
	for region, n := range votes {
		if best == "" || n > votes[best] || n == votes[best] && region < best {
			best = region
		}
	}
	if 10*votes[best] < 6*all {
		return ""
	}
	return best
}
