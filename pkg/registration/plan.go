package registration

import (
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Status is how a registration compares with what the store needs.
type Status string

// The statuses.
const (
	StatusOK        Status = "ok"
	StatusMissing   Status = "missing"
	StatusAltered   Status = "altered"   // ours, but not as it should be: Row.Differs says how
	StatusDuplicate Status = "duplicate" // ours, of a topic that another registration of ours has: each webhook would come twice
	StatusUnused    Status = "unused"    // ours, of a topic that produces no output. It does no harm
	StatusForeign   Status = "foreign"   // to another host or path. It is never changed
)

// Statuses returns all statuses.
func Statuses() []Status {
	return []Status{StatusOK, StatusMissing, StatusAltered, StatusDuplicate, StatusUnused, StatusForeign}
}

// Row is a registration that is wanted, found, or both.
type Row struct {
	Topic  recharge.Topic
	Status Status
	// Wanted is the registration as it should be; zero for StatusUnused and StatusForeign.
	Wanted recharge.Registration
	// Found is the registration at Recharge; zero for StatusMissing.
	Found recharge.Registration
	// Differs says what of a registration of ours is not as it should be: one of the constants below, in their order.
	Differs []string
}

// Plan compares what a store needs with what is registered with its token. First come those of the wanted topics, in the order of
// recharge.Topics, then the others, in the order of found.
//
// Recharge does not return the API version of a registration. So one that was registered with another version is StatusOK.
func Plan(s Store, found []recharge.Registration) []Row {
	left := slices.Clone(found)
	var rows []Row
	for _, wanted := range Wanted(s) {
		var ours []Row
		left = slices.DeleteFunc(left, func(r recharge.Registration) bool {
			if r.Topic != wanted.Topic || !s.owns(r.Address) {
				return false
			}
			ours = append(ours, compared(s, wanted, r))
			return true
		})
		rows = append(rows, best(wanted, ours)...)
	}
	for _, r := range left {
		row := Row{Topic: r.Topic, Status: StatusForeign, Found: r}
		if s.owns(r.Address) {
			row.Status = StatusUnused
		}
		rows = append(rows, row)
	}
	return rows
}

// compared returns the row of a registration of ours.
func compared(s Store, wanted, found recharge.Registration) Row {
	row := Row{Topic: wanted.Topic, Status: StatusOK, Wanted: wanted, Found: found, Differs: s.addressDiffers(wanted, found.Address)}
	if !sameObjects(wanted.Included, found.Included) {
		row.Differs = append(row.Differs, DiffersObjects)
	}
	if len(row.Differs) > 0 {
		row.Status = StatusAltered
	}
	return row
}

// best keeps the registration of a topic with the fewest differences. The others are duplicates.
func best(wanted recharge.Registration, ours []Row) []Row {
	if len(ours) == 0 {
		return []Row{{Topic: wanted.Topic, Status: StatusMissing, Wanted: wanted}}
	}
	slices.SortStableFunc(ours, func(a, b Row) int {
		if atA, atB := a.Found.Address == wanted.Address, b.Found.Address == wanted.Address; atA != atB && atA {
			return -1 // the address is taken, so no other can be changed to it
		} else if atA != atB {
			return 1
		}
		return len(a.Differs) - len(b.Differs)
	})
	for i := range ours[1:] {
		ours[i+1].Status = StatusDuplicate
	}
	return ours
}

func sameObjects(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
