package importing

import (
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/backfill"
)

// reportEvery is the time between two lines of progress.
const reportEvery = 5 * time.Second

// report prints the progress. Recharge's lists have no totals, so it says how much was read, not how much is left.
type report struct {
	out io.Writer
	now func() time.Time

	mu    sync.Mutex
	began time.Time
	calls int // before this run
	last  time.Time
	phase backfill.Phase
}

func newReport(out io.Writer, now func() time.Time) *report {
	return &report{out: out, now: now, last: now()}
}

func (r *report) progress(p backfill.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if r.began.IsZero() {
		r.began, r.calls = now, p.Calls
	}
	if p.Phase == r.phase && now.Sub(r.last) < reportEvery {
		return
	}
	r.last, r.phase = now, p.Phase
	pace := ""
	if took := now.Sub(r.began).Seconds(); took >= 1 {
		pace = fmt.Sprintf(", %.1f calls/s", float64(p.Calls-r.calls)/took)
	}
	if p.Phase != backfill.PhaseDone {
		cli.Printf(r.out, "now %s; so far %d customers, %d subscriptions, %d charges, %d calls%s\n", p.Phase, p.Customers, p.Subscriptions, p.Charges, p.Calls, pace)
	}
}

func (r *report) failed(err error, pause time.Duration) {
	cli.Printf(r.out, "%v: trying again in %s\n", err, pause.Round(time.Second))
}

// sums prints what was read.
func sums(out io.Writer, p backfill.Progress) {
	cli.Printf(out, "customers: %d\nsubscriptions: %d\ncharges: %d\n", p.Customers, p.Subscriptions, p.Charges)
	if p.Unreadable > 0 {
		cli.Printf(out, "left out, because they can't be decoded: %d\n", p.Unreadable)
	}
}

// losses prints what a backfill can't bring back.
func losses(out io.Writer, all []backfill.Loss) error {
	cli.Printf(out, "what can't be brought back:\n")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, loss := range all {
		cli.Printf(table, "  %s\t%s\t%s\n", loss.What, loss.Count, loss.Note)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print table: %w", err)
	}
	return nil
}
