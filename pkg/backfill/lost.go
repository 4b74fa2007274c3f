package backfill

import (
	"fmt"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Lost counts what the resources of a backfill show of what it can't bring back.
type Lost struct {
	// Changed are subscriptions whose last change has no time of its own.
	Changed int `json:"changed,omitempty"`
	// Skipped are charges that are skipped.
	Skipped int `json:"skipped,omitempty"`
	// Attempts are failed attempts of unpaid charges before their last ones.
	Attempts int `json:"attempts,omitempty"`
	// GivenUp are charges that Recharge does not try again.
	GivenUp int `json:"given_up,omitempty"`
	// Renewals are recurring charges that are paid.
	Renewals int `json:"renewals,omitempty"`
}

func (l *Lost) count(w recharge.Webhook) {
	if s := w.Subscription; s != nil && s.UpdatedAt.After(latest(s.CreatedAt, s.CancelledAt)) {
		l.Changed++
	}
	c := w.Charge
	switch {
	case c == nil:
	case c.Status == "skipped":
		l.Skipped++
	case c.Status == "error":
		l.Attempts += max(0, c.Attempts-1)
		if c.ErrorType == "CLOSED_MAX_RETRIES_REACHED" {
			l.GivenUp++
		}
	case !c.ProcessedAt.IsZero() && c.Type == "recurring":
		l.Renewals++
	}
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Loss is a kind of what a backfill can't bring back.
type Loss struct {
	What  string
	Count string // such as at most 3
	Note  string
}

// unknown is the count of what no resource shows.
const unknown = "cannot be known"

// Losses lists what a backfill can't bring back, with counts as far as the resources that it has read show them.
func (p Progress) Losses(resources []string) []Loss {
	subscriptions, charges := slices.Contains(resources, "subscriptions"), slices.Contains(resources, "charges")
	of := "subscriptions were not read"
	if subscriptions {
		of = fmt.Sprintf("subscriptions that changed without a time of their own: %d", p.Lost.Changed)
	}
	return []Loss{
		{"deleted customers, subscriptions and charges", unknown, "import --reconcile removes them from the tables"},
		{"skipped, unskipped, paused, resumed and swapped subscriptions", unknown, of},
		{"changed prices, quantities, dates, addresses and products", unknown, "also by a webhook that comes afterwards: it finds them known"},
		{"activations, and cancellations that were undone", unknown, "the API shows the present state only"},
		{"skipped charges", atMost(charges, p.Lost.Skipped), "the table has them"},
		{"upcoming charges and orders", unknown, "no resource shows them"},
		{"processed orders", atMost(charges, p.Lost.Renewals), "one for each paid renewal"},
		{"failed attempts of a charge before its last one", atMost(charges, p.Lost.Attempts), "of unpaid charges; a paid one does not show its attempts"},
		{"charges that Recharge gave up", atMost(charges, p.Lost.GivenUp), "the table has them"},
		{"charges processed more than 90 days ago", p.old(charges), "the API does not list them"},
	}
}

func atMost(known bool, n int) string {
	switch {
	case !known:
		return unknown
	case n == 0:
		return "none"
	}
	return fmt.Sprintf("at most %d", n)
}

// listed is how long processed charges are listed.
const listed = 90 * 24 * time.Hour

// old is the count of processed charges that are not listed any more.
func (p Progress) old(charges bool) string {
	return atMost(charges && p.StartedAt.Sub(p.Since) <= listed, 0)
}
