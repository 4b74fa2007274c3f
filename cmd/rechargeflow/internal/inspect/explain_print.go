package inspect

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// withoutState ends each explanation: what it can't know.
const withoutState = "decided as for a customer without earlier webhooks\n"

func printExplained(out io.Writer, e explained) error {
	version, customer := "", "no customer"
	if e.Version != "" {
		version = "API version " + string(e.Version)
	}
	if e.CustomerID != "" {
		customer = "customer " + e.CustomerID
	}
	cli.Printf(out, "%s\n", joined(", ", string(e.Topic)+" of store "+e.Store, version, customer))
	cli.Printf(out, "%s\n", joined(": ", string(e.Outcome), string(e.Reason), cli.Printable(e.Error)))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, line := range e.lines() {
		cli.Printf(table, "%s\t%s\n", line[0], line[1])
	}
	if err := table.Flush(); err != nil {
		return err
	}
	cli.Printf(out, withoutState)
	return nil
}

// lines returns what there is besides the outcome, each with its kind.
func (e explained) lines() (lines [][2]string) {
	add := func(kind, what string) { lines = append(lines, [2]string{kind, cli.Printable(what)}) }
	for _, field := range e.Unreadable {
		add("unreadable", field+", left out")
	}
	for _, event := range e.Events {
		add("event", eventLine(event))
	}
	for _, fact := range e.Facts {
		add("fact", eventLine(fact))
	}
	for _, row := range e.Rows {
		add("row", row.Topic+" "+row.Key+" "+compact(row.Value))
	}
	for _, t := range e.Triggers {
		add("trigger", fmt.Sprintf("%s about %s, stale at %s: %s", t.Flow, strings.Join(t.Items, ", "), t.StaleAt.UTC().Format(time.RFC3339), e.activity(t.Flow)))
	}
	for _, r := range e.Revocations {
		add("revokes", fmt.Sprintf("%v about %s", r.Flows, strings.Join(r.Items, ", ")))
	}
	for _, l := range e.Lookups {
		add("lookup", fmt.Sprintf("%s, due %s", l.Kind, l.Due.UTC().Format(time.RFC3339)))
	}
	for _, c := range e.Commands {
		add("bloomreach", compact(c))
	}
	return append(lines, e.silence()...)
}

// silence says why Bloomreach receives nothing.
func (e explained) silence() [][2]string {
	if len(e.Commands) > 0 || e.Outcome != app.OutcomeDone {
		return nil
	}
	return [][2]string{{"bloomreach", "nothing: no event, or none that the store sends"}}
}

// activity says whether a trigger's flow is active.
func (e explained) activity(key flow.Key) string {
	switch active, known := e.ActiveFlows[key]; {
	case !known:
		return "active or not is unknown"
	case active:
		return "active"
	}
	return "not active, no text"
}

func eventLine(e subscriber.Event) string {
	return joined(" ", string(e.Type), e.Status, resourceOf(e)) + ", at " + e.OccurredAt.UTC().Format(time.RFC3339Nano) + ", id " + e.ID
}

// resourceOf names what an event is about.
func resourceOf(e subscriber.Event) string {
	switch {
	case e.Subscription != nil:
		return "of subscription " + e.Subscription.ID
	case e.Charge != nil:
		return "of charge " + e.Charge.ID
	case e.Order != nil:
		return "of order " + e.Order.ID
	case e.Property != nil:
		return fmt.Sprintf("%s=%t", e.Property.Name, e.Property.Value)
	}
	return ""
}

// compact formats a value as JSON on one line.
func compact(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(encoded)
}
