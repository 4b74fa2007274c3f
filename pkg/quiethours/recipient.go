package quiethours

import (
	"strings"

	"github.com/nyaruka/phonenumbers/v2"
	"github.com/nyaruka/phonenumbers/v2/timezone"
)

// Recipient is what is known of where somebody is.
type Recipient struct {
	Country  string // of the address, ISO 3166 alpha-2; "" if unknown
	Province string // of the address: a code ("CA") or an English name ("California")
	Number   string // E.164
}

// place is a time zone, and the US state if it is known.
type place struct{ zone, state string }

// Source says why a recipient may be at a place.
type Source string

// The sources, in the order in which they are asked.
const (
	Address Source = "address"
	Phone   Source = "phone"
	Store   Source = "store"
)

// mostPhoneZones is how many zones a phone number may have. Numbers of no place have those of all their country or more.
const mostPhoneZones = 4

// byAddress returns the zones of the address: of its province, else of its country.
func (r Recipient) byAddress() []place {
	country := strings.ToUpper(r.Country)
	if found, ok := regionOf(country, r.Province); ok {
		return found.places()
	}
	return inUS(placesOf(country), country == "US")
}

// inUS gives places of the US the window of all states, where the state is not known.
func inUS(all []place, is bool) []place {
	for i := range all {
		if is {
			all[i].state = anyState
		}
	}
	return all
}

// byPhone returns the zones of the phone number. Those of an area code are those of its state: the prefixes that libphonenumber knows
// are wrong for many numbers of states with two zones, such as 219 (Indiana) and 423 (Tennessee).
func (r Recipient) byPhone() []place {
	if found, ok := regionOfAreaCode(r.Number); ok {
		return found.places()
	}
	number, err := phonenumbers.Parse(r.Number, "")
	if err != nil {
		return nil
	}
	zones, err := timezone.GetTimeZonesForNumber(number)
	if err != nil || len(zones) > mostPhoneZones {
		return nil
	}
	var all []place
	for _, zone := range zones {
		if zone != timezone.Unknown {
			all = append(all, place{zone: zone})
		}
	}
	return inUS(all, strings.HasPrefix(r.Number, "+1"))
}
