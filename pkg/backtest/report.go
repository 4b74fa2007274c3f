package backtest

import (
	"cmp"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// Report is what a flow would have done. Triggers is Merged, Absorbed and Planned together; Planned is Texts and Suppressed together.
type Report struct {
	// Triggers are those of the flow.
	Triggers int `json:"triggers"`
	// Unreadable are triggers of the store that can't be read: the sms role makes them dead letters.
	Unreadable int `json:"unreadable,omitempty"`
	// Merged are triggers that joined a text of the flow, also one that was sent already.
	Merged int `json:"merged"`
	// Absorbed are triggers that joined a text of another flow, which is named.
	Absorbed map[flow.Key]int `json:"absorbed"`
	// Absorbs are triggers of other flows that joined a text of this one.
	Absorbs map[flow.Key]int `json:"absorbs"`
	Planned int              `json:"planned"`
	// Deferred are planned texts that were held back at least once.
	Deferred   int                   `json:"deferred"`
	Suppressed map[reason.Reason]int `json:"suppressed"`
	// Texts are those that would have been sent, to that many People.
	Texts  int `json:"texts"`
	People int `json:"people"`
	// Hours are texts by the hour of the customer's clock. Where several time zones are possible it is that of the first.
	Hours [24]int `json:"local_hours"`
	// Parts is how many messages are billed, Sizes how many texts have how many parts. Both are none if the destination renders the texts.
	Parts    int         `json:"parts"`
	Sizes    map[int]int `json:"texts_by_parts"`
	Examples []Example   `json:"examples"`
}

// Kind is what an example is one of.
type Kind string

// The kinds, in their order.
const (
	Sent       Kind = "sent"
	Deferred   Kind = "deferred"
	Merged     Kind = "merged"
	Absorbed   Kind = "absorbed"
	Suppressed Kind = "suppressed"
)

// Example is one text or trigger.
type Example struct {
	Kind               Kind   `json:"kind"`
	RechargeCustomerID string `json:"recharge_customer_id"`
	// Triggers are when its triggers arrived, of all flows.
	TriggeredAt time.Time     `json:"triggered_at"`
	Triggers    int           `json:"triggers"`
	Reason      reason.Reason `json:"reason,omitempty"` // why it is suppressed
	Flow        flow.Key      `json:"flow,omitempty"`   // that absorbs it
	// SentAt is when it would have been sent, by the customer's clock; zero if it would not.
	SentAt time.Time `json:"sent_at,omitzero"`
	// Parts are those of the text, or of Text with Options.HideNames.
	Parts int `json:"parts,omitempty"`
	// Text is without secrets, and without names and what the customer has written with Options.HideNames.
	Text string `json:"text,omitempty"`
}

// NewReport returns a report of nothing.
func NewReport() *Report {
	return &Report{Absorbed: map[flow.Key]int{}, Absorbs: map[flow.Key]int{}, Suppressed: map[reason.Reason]int{}, Sizes: map[int]int{}, Examples: []Example{}}
}

// add adds another report, and keeps up to some examples of each kind and reason.
func (r *Report) add(other *Report, examples int) {
	r.Triggers, r.Merged, r.Planned = r.Triggers+other.Triggers, r.Merged+other.Merged, r.Planned+other.Planned
	r.Unreadable += other.Unreadable
	r.Deferred, r.Texts, r.People, r.Parts = r.Deferred+other.Deferred, r.Texts+other.Texts, r.People+other.People, r.Parts+other.Parts
	sum(r.Absorbed, other.Absorbed)
	sum(r.Absorbs, other.Absorbs)
	sum(r.Suppressed, other.Suppressed)
	sum(r.Sizes, other.Sizes)
	for i, n := range other.Hours {
		r.Hours[i] += n
	}
	r.Examples = first(append(r.Examples, other.Examples...), examples)
}

func sum[K comparable](to, from map[K]int) {
	for key, n := range from {
		to[key] += n
	}
}

// first returns the earliest examples of each kind and reason, in the order of kinds.
func first(all []Example, limit int) []Example {
	kinds := []Kind{Sent, Deferred, Merged, Absorbed, Suppressed}
	slices.SortFunc(all, func(a, b Example) int {
		return cmp.Or(
			cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), cmp.Compare(a.Reason, b.Reason),
			a.TriggeredAt.Compare(b.TriggeredAt), cmp.Compare(a.RechargeCustomerID, b.RechargeCustomerID),
		)
	})
	counts := map[string]int{}
	return slices.DeleteFunc(all, func(e Example) bool {
		counts[string(e.Kind)+string(e.Reason)]++
		return counts[string(e.Kind)+string(e.Reason)] > limit
	})
}
