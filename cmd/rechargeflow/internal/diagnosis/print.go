package diagnosis

import (
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app/doctor"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
)

// print prints rows as JSON or as a table, in colour on a terminal unless NO_COLOR is set (https://no-color.org).
func (f flags) print(command *cobra.Command, rows []doctor.Row, noColour bool) error {
	out := command.OutOrStdout()
	if f.json {
		return cli.PrintJSON(out, rows)
	}
	file, isFile := out.(*os.File)
	t := table{out: out, colour: isFile && !noColour && isatty.IsTerminal(file.Fd())}
	t.print(rows)
	return nil
}

// table prints a line per check, and what to do about it below.
type table struct {
	out    io.Writer
	colour bool
}

func (t table) print(rows []doctor.Row) {
	stores, checks := len("STORE"), len("CHECK")
	for _, row := range rows {
		stores, checks = max(stores, len(row.Store)), max(checks, len(row.Check))
	}
	t.line("STATUS ", "STORE", stores, "CHECK", checks, "FOUND")
	for _, row := range rows {
		store := row.Store
		if store == "" {
			store = "-"
		}
		t.line(t.status(row.Status), store, stores, row.Check, checks, oneLine(row.Found))
		if row.Cure != "" {
			t.line("       ", "", stores, "", checks, "-> "+oneLine(row.Cure))
		}
	}
	t.sum(rows)
}

func (t table) line(status, store string, stores int, check string, checks int, text string) {
	cli.Printf(t.out, "%s  %-*s  %-*s  %s\n", status, stores, store, checks, check, text)
}

// sum prints how many checks have each status.
func (t table) sum(rows []doctor.Row) {
	counts := map[doctor.Status]int{}
	for _, row := range rows {
		counts[row.Status]++
	}
	cli.Printf(t.out, "ok: %d, warnings: %d, failed: %d\n", counts[doctor.OK], counts[doctor.Warning], counts[doctor.Failed])
}

// status returns the word of a status, as wide as the widest, in its colour.
func (t table) status(s doctor.Status) string {
	word := string(s) + strings.Repeat(" ", len(doctor.Warning)-len(s))
	if !t.colour {
		return word
	}
	colour := map[doctor.Status]string{doctor.OK: "32", doctor.Warning: "33", doctor.Failed: "31"}[s]
	return "\x1b[" + colour + "m" + word + "\x1b[0m"
}

// oneLine replaces control characters; the lines of a joined error become one.
func oneLine(text string) string { return cli.Printable(strings.ReplaceAll(text, "\n", "; ")) }
