package setup

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/registration"
)

// repeats returns an observer that prints answers after which a call is repeated.
func repeats(progress io.Writer) httpclient.Observer {
	return func(_ context.Context, call httpclient.Call) {
		switch {
		case call.Status == 0:
			cli.Printf(progress, "no answer from %s; a call is tried up to 6 times\n", call.Host)
		case (&recharge.APIError{Status: call.Status}).Temporary() && call.Status != http.StatusOK:
			cli.Printf(progress, "%s answered %d; a call is tried up to 6 times\n", call.Host, call.Status)
		}
	}
}

// table prints a line per registration: its topic, what is done about it, its address, and what is to be known about it.
type table struct {
	writer *tabwriter.Writer
	store  registration.Store
}

func newTable(out io.Writer, store registration.Store) *table {
	return &table{writer: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0), store: store}
}

func (t *table) planned(row registration.Row, action registration.Action) {
	what := string(row.Status)
	if action != registration.ActionNone {
		what = "would " + string(action)
	}
	t.line(row, what, t.notes(row, action))
}

func (t *table) done(result registration.Result) {
	what, notes := string(result.Row.Status), t.notes(result.Row, result.Action)
	switch {
	case result.Err != nil:
		what, notes = "failed", []string{cli.Printable(result.Err.Error())}
	case result.Action == registration.ActionCreate:
		what = "registered"
	case result.Action == registration.ActionUpdate:
		what = "changed"
	case result.Action == registration.ActionDelete:
		what = "deleted"
	}
	t.line(result.Row, what, notes)
}

func (t *table) line(row registration.Row, what string, notes []string) {
	address := row.Found.Address
	if address == "" {
		address = row.Wanted.Address
	}
	line := fmt.Sprintf("%s\t%s\t%s", cli.Printable(string(row.Topic)), what, cli.Printable(t.store.Shown(address)))
	if len(notes) > 0 {
		line += "\t" + strings.Join(notes, ", ")
	}
	cli.Printf(t.writer, "%s\n", line)
}

// notes returns what is wrong with a registration, or why it is left as it is.
func (t *table) notes(row registration.Row, action registration.Action) []string {
	switch {
	case row.Status == registration.StatusMissing && action == registration.ActionNone:
		return []string{"not registered"}
	case row.Status == registration.StatusDuplicate:
		return []string{"second one of its topic"}
	case row.Status == registration.StatusUnused && action == registration.ActionNone:
		return []string{"produces no output, left as it is"}
	case row.Status == registration.StatusForeign:
		return []string{"not ours, left as it is"}
	case len(row.Differs) > 0:
		return []string{"wrong: " + strings.Join(row.Differs, ", ")}
	}
	return nil
}

func (t *table) end() { _ = t.writer.Flush() } // as with cli.Printf, nobody reads the stream then

// nameOf returns the name that a resource has where Recharge grants scopes: Orders for read_orders.
func nameOf(scope string) string {
	_, name, _ := strings.Cut(scope, "_")
	words := strings.ReplaceAll(name, "_", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
