package membership

import (
	"maps"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/segment"
)

// Segment is a segment to push.
type Segment struct {
	Name string
	Rule segment.Rule
}

// Profile is the profile of a customer at Bloomreach: the id that the store tracks them by, "" if it is unknown, and all ids by name.
type Profile struct {
	ID  string
	IDs map[string]string
}

// change is what is to be sent about one customer.
type change struct {
	customerID string
	now        Profile
	// set are the properties of the profile: whether the customer is a member of segments.
	set map[string]bool
	// former are members of segments under another id, which are none any more.
	former []Row
	// members and gone are the rows to write and to delete.
	members, gone []Row
}

// isEmpty reports whether there is nothing to do.
func (c *change) isEmpty() bool { return len(c.members)+len(c.gone) == 0 }

// differ compares members with what was sent.
type differ struct {
	store    string
	segments []Segment
	only     []string // names; nil for all, also segments that do not exist any more
	profile  func(customerID, email string) Profile
	now      time.Time
}

func (d differ) covers(name string) bool { return d.only == nil || slices.Contains(d.only, name) }

// diff returns what is to be sent about a customer; c is nil for one without a row.
//
// Nothing is sent about a customer who was deleted or erased: that would make a profile for an e-mail that is to be forgotten. Only the rows are deleted.
func (d differ) diff(id string, c *customer, rows map[string]Row) *change {
	out := &change{customerID: id, set: map[string]bool{}}
	if c != nil {
		out.now = d.profile(id, c.row.Email)
	}
	joins := d.of(c, out.now)
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		row := rows[name]
		switch {
		case !d.covers(name):
		case joins[name] && row.CustomerID == out.now.ID:
			delete(joins, name)
		default:
			out.leave(row, joins[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(joins)) {
		out.set[name] = true
		out.members = append(out.members, Row{Store: d.store, Segment: name, RechargeCustomerID: id, CustomerID: out.now.ID, At: d.now.UTC()})
	}
	return out
}

// of returns the segments that a customer is a member of.
func (d differ) of(c *customer, profile Profile) map[string]bool {
	names := map[string]bool{}
	for _, s := range d.segments {
		if d.covers(s.Name) && profile.ID != "" && c.has(s.Rule, d.now) {
			names[s.Name] = true
		}
	}
	return names
}

// leave takes up that the profile of a row is not a member any more. joins means that another profile of the customer is.
func (c *change) leave(row Row, joins bool) {
	switch {
	case c.now.ID == "":
	case row.CustomerID == c.now.ID:
		c.set[row.Segment] = false
	default:
		c.former = append(c.former, row)
	}
	if !joins {
		c.gone = append(c.gone, row)
	}
}
