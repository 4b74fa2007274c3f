package flowstats

import (
	"cmp"
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// Numbers are counts of triggers and texts. Triggered is Merged, Absorbed and Texts together; Texts is Waiting, Suppressed, Sent, Failed and Unknown
// together.
type Numbers struct {
	// Triggered counts the triggers of the flow that reached a text. Those of a flow that was not active are in no text.
	Triggered int `json:"triggered"`
	// Merged are triggers that joined a text of their own flow, also one that was on its way or sent.
	Merged int `json:"merged"`
	// Absorbed are triggers whose text is of another flow.
	Absorbed int `json:"absorbed"`
	Texts    int `json:"texts"`
	// Deferred are texts that were held back at least once, such as by quiet hours.
	Deferred   int `json:"deferred"`
	Waiting    int `json:"waiting"` // planned or claimed
	Suppressed int `json:"suppressed"`
	// Sent are texts that the provider has and does not report as undelivered: accepted, sent or delivered.
	Sent      int `json:"sent"`
	Delivered int `json:"delivered"` // of those that are sent, the ones that the provider reports as delivered
	Failed    int `json:"failed"`    // rejected or undelivered
	Unknown   int `json:"unknown"`   // perhaps sent
	Clicked   int `json:"clicked"`
	// OptedOut are texts that the provider got and within a day of which the customer's number opted out.
	OptedOut int `json:"opted_out"`
	// Recovered are texts about a failed charge that was paid soon after. Reactivated are texts about a subscription that ended, and was activated
	// soon after.
	Recovered   int `json:"recovered"`
	Reactivated int `json:"reactivated"`
}

// add adds other numbers.
func (n *Numbers) add(other Numbers) {
	mine, others := n.fields(), other.fields()
	for i := range mine {
		*mine[i] += *others[i]
	}
}

// fields are all counts, in their order.
func (n *Numbers) fields() []*int {
	return []*int{
		&n.Triggered, &n.Merged, &n.Absorbed, &n.Texts, &n.Deferred, &n.Waiting, &n.Suppressed, &n.Sent, &n.Delivered, &n.Failed, &n.Unknown,
		&n.Clicked, &n.OptedOut, &n.Recovered, &n.Reactivated,
	}
}

// Values are all counts, in the order of Columns.
func (n Numbers) Values() (values []int) {
	for _, field := range n.fields() {
		values = append(values, *field)
	}
	return values
}

// Columns are the names of Values, as in JSON.
func Columns() []string {
	return []string{
		"triggered", "merged", "absorbed", "texts", "deferred", "waiting", "suppressed", "sent", "delivered", "failed", "unknown",
		"clicked", "opted_out", "recovered", "reactivated",
	}
}

// Row is the numbers of a flow on one day.
type Row struct {
	Store string `json:"store"`
	// Day is a date, such as 2026-03-01, in the store's time zone; "" in a sum of all days.
	Day  string   `json:"day,omitempty"`
	Flow flow.Key `json:"flow"`
	Numbers
}

// place is what a row is about.
type place struct {
	store, day string
	flow       flow.Key
}

// sums adds up numbers.
type sums map[place]Numbers

func (s sums) add(at place, n Numbers) {
	sum := s[at]
	sum.add(n)
	s[at] = sum
}

// rows returns the numbers by store, day and flow, flows in the order of flow.Keys.
func (s sums) rows() []Row {
	keys := append(flow.Keys(), flow.Help)
	rows := make([]Row, 0, len(s))
	for at, n := range s {
		rows = append(rows, Row{Store: at.store, Day: at.day, Flow: at.flow, Numbers: n})
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Store, b.Store), cmp.Compare(a.Day, b.Day), cmp.Compare(slices.Index(keys, a.Flow), slices.Index(keys, b.Flow)))
	})
	return rows
}

// Totals returns the sums of all days.
func Totals(rows []Row) []Row {
	totals := sums{}
	for _, r := range rows {
		totals.add(place{store: r.Store, flow: r.Flow}, r.Numbers)
	}
	return totals.rows()
}
