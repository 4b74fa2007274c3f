package app

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
)

// The console shows a customer's clock if their number tells where it is, and never that of the store in its place.
func TestZoneOfCustomer(t *testing.T) {
	zones, err := quiethours.NewFinder("America/New_York", "US")
	require.NoError(t, err)
	us, de := service.Store{Name: "us", Region: "US"}, service.Store{Name: "de", Region: "DE"}
	us.Sends.Zones, de.Sends.Zones = zones, zones
	zone := zonesOf([]service.Store{us, de}, func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) })
	for _, test := range []struct{ store, phone, want, why string }{
		{"us", "+14155550101", "America/Los_Angeles", "an area code of California"},
		{"us", "(212) 555-0123", "America/New_York", "a number of the store's region"},
		{"de", "(212) 555-0123", "", "which is none of another region"},
		{"de", "01511 2345678", "Europe/Berlin", "a number of that store's region"},
		{"us", "+4915112345678", "Europe/Berlin", "the number's own country counts"},
		{"us", "+15035550199", "America/Los_Angeles", "most of Oregon"},
		{"us", "+18505550123", "America/New_York", "most of Florida, as for the quiet hours"},
		{"us", "+18005550100", "", "a number of no place"},
		{"us", "", "", ""},
		{"us", "jo", "", ""},
		{"none", "+14155550101", "", "a store that is not configured"},
	} {
		assert.Equal(t, test.want, zone(test.store, test.phone), "%s %s: %s", test.store, test.phone, test.why)
	}
}
