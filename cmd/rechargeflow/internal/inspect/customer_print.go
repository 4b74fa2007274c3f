package inspect

import (
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

func printTimeline(out io.Writer, t timeline.Timeline) error {
	cli.Printf(out, "%s\n", joined(", ", "customer "+t.ID+" of store "+t.Store, cli.Printable(t.Email), sinceOf(t.Since)))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	cli.Printf(table, "TIME\tWHAT\tTYPE\tSTATE\tAFTER\tRECORD\tDETAIL\n")
	for _, e := range t.Entries {
		printEntry(table, e, 0)
	}
	return table.Flush()
}

func sinceOf(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return "since " + at.UTC().Format(time.RFC3339)
}

// printEntry prints an entry and, indented, those that belong to it.
func printEntry(table io.Writer, e timeline.Entry, depth int) {
	id := e.ID
	if e.Kind != timeline.KindText {
		id = "" // what an event is about says more
	}
	cli.Printf(table, "%s\t%s%s\t%s\t%s\t%s\t%s\t%s\n", stamp(e.At), strings.Repeat("  ", depth), e.Kind, cli.Printable(e.Type), e.State,
		elapsed(e.LatencyMS), cli.Printable(e.Record), cli.Printable(joined("; ", because(e), e.Detail, id)))
	for _, each := range e.Entries {
		printEntry(table, each, depth+1)
	}
}
