package texting

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/backtest"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// backtested is what `flows backtest` prints.
type backtested struct {
	Store string    `json:"store"`
	Flow  flow.Key  `json:"flow"`
	Since time.Time `json:"since,omitzero"`
	*backtest.Report

	// Cost is that of all parts, a decimal; absent without a price.
	Cost     string `json:"cost,omitempty"`
	Price    string `json:"price,omitempty"`
	Currency string `json:"currency,omitempty"`
}

func (b backtested) print(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, line := range b.lines() {
		cli.Printf(table, "%s\t%s\n", line[0], line[1])
	}
	if err := table.Flush(); err != nil {
		return err
	}
	b.printHours(out)
	for _, e := range b.Examples {
		cli.Printf(out, "%s\n", exampleLine(e))
	}
	cli.Printf(out, "nothing was sent\n")
	return nil
}

// lines are the numbers, each with its name.
func (b backtested) lines() [][2]string {
	list := [][2]string{
		{"flow", fmt.Sprintf("%s of store %s", b.Flow, b.Store)},
		{"since", b.Since.UTC().Format(time.RFC3339)},
		{"triggers", fmt.Sprint(b.Triggers)},
		{"merged", fmt.Sprint(b.Merged)},
		{"absorbed", detailed(b.Absorbed)},
		{"planned texts", fmt.Sprint(b.Planned)},
		{"deferred", fmt.Sprint(b.Deferred)},
		{"suppressed", detailed(b.Suppressed)},
		{"texts", fmt.Sprintf("%d to %d people", b.Texts, b.People)},
	}
	if b.Parts > 0 {
		list = append(list, [2]string{"parts", fmt.Sprintf("%d (%s)", b.Parts, sizesOf(b.Sizes))})
	}
	if b.Cost != "" {
		list = append(list, [2]string{"cost", strings.TrimSpace(fmt.Sprintf("%s %s", b.Cost, b.Currency)) + ", at " + b.Price + " a part"})
	}
	if len(b.Absorbs) > 0 {
		list = append(list, [2]string{"takes in", detailed(b.Absorbs)})
	}
	if b.Unreadable > 0 {
		list = append(list, [2]string{"unreadable", fmt.Sprintf("%d, which become dead letters", b.Unreadable)})
	}
	return list
}

// detailed prints a sum and its parts, the largest first.
func detailed[K ~string](counts map[K]int) string {
	total := 0
	var parts []string
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b K) int { return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b)) })
	for _, key := range keys {
		total += counts[key]
		parts = append(parts, fmt.Sprintf("%s %d", key, counts[key]))
	}
	if total == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%s)", total, strings.Join(parts, ", "))
}

func sizesOf(sizes map[int]int) string {
	var parts []string
	for _, size := range slices.Sorted(maps.Keys(sizes)) {
		parts = append(parts, fmt.Sprintf("%d of %s", sizes[size], partsOf(size)))
	}
	return strings.Join(parts, ", ")
}

// longestBar is the width of the hour with most texts.
const longestBar = 40

// printHours prints the hours that have texts, by the customers' clocks.
func (b backtested) printHours(out io.Writer) {
	most := slices.Max(b.Hours[:])
	if most == 0 {
		return
	}
	cli.Printf(out, "hours of the customers' clocks:\n")
	for hour, n := range b.Hours {
		if n > 0 {
			cli.Printf(out, "  %02d  %6d  %s\n", hour, n, strings.Repeat("#", max(1, n*longestBar/most)))
		}
	}
}

// exampleLine describes an example.
func exampleLine(e backtest.Example) string {
	line := fmt.Sprintf("%s: customer %s, triggered %s", e.Kind, cli.Printable(e.RechargeCustomerID), e.TriggeredAt.Format(time.RFC3339))
	if e.Triggers > 1 {
		line += fmt.Sprintf(", %d triggers", e.Triggers)
	}
	switch {
	case e.Reason != "":
		line += ", " + string(e.Reason)
	case e.Flow != "":
		line += ", by a text of " + string(e.Flow)
	}
	if !e.SentAt.IsZero() {
		line += ", sent " + e.SentAt.Format("2006-01-02 15:04 MST")
	}
	if e.Kind == backtest.Sent && e.Text != "" {
		line += fmt.Sprintf(", %s: %s", partsOf(e.Parts), cli.Printable(e.Text))
	}
	return line
}
