package texting

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

func (c *commands) smsCommand() *cobra.Command {
	return cli.Group("sms", "List or show text messages; pause and limit them",
		`List or show text messages, as recharge.messages has them: the status of each, and why one was not sent. Pause or limit the
texts of a store, by recharge.settings: running processes take up a change within 2 seconds.`,
		c.smsList(), c.smsUnknown(), c.smsShow(), c.smsStatus(), c.smsSet(), c.smsPause(true), c.smsPause(false))
}

// textFilter is the flags that select texts.
type textFilter struct {
	*cli.Settings

	store, flow, status, customer, since string
	limit                                int
}

func (c *commands) addTextFilter(command *cobra.Command) *textFilter {
	f := &textFilter{Settings: c.AddSettings(command)}
	flags := command.Flags()
	flags.StringVar(&f.store, "store", "", "only texts of this `store`")
	flags.StringVar(&f.flow, "flow", "", "only texts of this `flow`, such as charge_failed")
	flags.StringVar(&f.customer, "customer", "", "only texts of this Recharge customer `ID`")
	flags.StringVar(&f.since, "since", "24h", "only texts that changed at this `time` or later: "+cli.TimeForms)
	flags.IntVar(&f.limit, "limit", 200, "maximum number of `lines` to print, 0 for all; the counts include all texts")
	cli.Complete(command, "store", cli.CompleteStores(f.Settings))
	return f
}

func (f *textFilter) matches(m message.Change) bool {
	return (f.store == "" || m.Store == f.store) && (f.flow == "" || string(m.Flow) == f.flow) &&
		(f.status == "" || string(m.Status) == f.status) && (f.customer == "" || m.RechargeCustomerID == f.customer)
}

func (c *commands) smsList() *cobra.Command {
	command := &cobra.Command{
		Use:   "list",
		Short: "Print texts, their status, and why one was not sent",
		Long: `Print one line per text: when it changed last, store, customer, flow, status, why it was not sent or the provider's code,
and its ID. The last lines count texts by status. Without --since these are the texts of the last 24 hours.`,
		Example: `  rechargeflow sms list --store acme --status suppressed --since 7d`,
		Args:    cli.NoArguments,
	}
	f := c.addTextFilter(command)
	command.Flags().StringVar(&f.status, "status", "", "only texts with this `status`, such as accepted, unknown, rejected, suppressed")
	command.RunE = func(command *cobra.Command, _ []string) error { return f.list(command) }
	return command
}

func (c *commands) smsUnknown() *cobra.Command {
	command := &cobra.Command{
		Use:     "unknown",
		Short:   "Print the texts that were perhaps sent, and are never sent again",
		Long:    `Print the texts of which it is unknown whether they were sent: compare their IDs with the provider's list.`,
		Example: `  rechargeflow sms unknown --since 7d`,
		Args:    cli.NoArguments,
	}
	f := c.addTextFilter(command)
	f.status = string(message.Unknown)
	command.RunE = func(command *cobra.Command, _ []string) error { return f.list(command) }
	return command
}

const textHead = "CHANGED               STORE         CUSTOMER      FLOW                         STATUS       WHY                   ID\n"

func (f *textFilter) list(command *cobra.Command) error {
	since, err := cli.ParseTime("since", f.since, time.Now())
	if err != nil {
		return cli.Usage(err)
	}
	last := map[string]message.Change{}
	if err := f.changes(command, since, func(m message.Change) { last[m.ID] = m }); err != nil {
		return err
	}
	f.print(command.OutOrStdout(), slices.SortedFunc(maps.Values(last), func(a, b message.Change) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	}))
	return nil
}

// print prints the texts that match, and counts them.
func (f *textFilter) print(out io.Writer, texts []message.Change) {
	counts, all := map[message.Status]int{}, 0
	for _, m := range texts {
		if !f.matches(m) {
			continue
		}
		counts[m.Status]++
		if all++; all == 1 {
			cli.Printf(out, "%s", textHead)
		}
		if f.limit == 0 || all <= f.limit {
			cli.Printf(out, "%s", textLine(m))
		}
	}
	if f.limit > 0 && all > f.limit {
		cli.Printf(out, "... and %d more: --limit 0 prints them\n", all-f.limit)
	}
	cli.Printf(out, "texts: %d\n", all)
	for _, status := range slices.Sorted(maps.Keys(counts)) {
		cli.Printf(out, "  %s: %d\n", status, counts[status])
	}
}

func textLine(m message.Change) string {
	return fmt.Sprintf("%-21s %-13s %-13s %-28s %-12s %-21s %s\n", m.At.UTC().Format(time.RFC3339), cli.Printable(m.Store), cli.Printable(m.RechargeCustomerID),
		cli.Printable(string(m.Flow)), cli.Printable(string(m.Status)), cli.Printable(cmp.Or(string(m.Reason), m.Code, "-")), cli.Printable(m.ID))
}

// changes reads recharge.messages from a time on.
func (f *textFilter) changes(command *cobra.Command, since time.Time, each func(message.Change)) error {
	return f.scan(command, topology.Topics.Messages, since, func(r kafka.Record) error {
		var m message.Change
		if err := json.Unmarshal(r.Value, &m); err != nil {
			return fmt.Errorf("decode message %d/%d: %w", r.Partition, r.Offset, err)
		}
		each(m)
		return nil
	})
}

func (f *textFilter) scan(command *cobra.Command, topic func(topology.Topics) string, since time.Time, each func(kafka.Record) error) error {
	loaded, err := f.Load()
	if err != nil {
		return err
	}
	cluster, err := cli.ClusterOf(loaded.Config)
	if err != nil {
		return err
	}
	for r, err := range kafka.Scan(command.Context(), cluster, topic(topology.Topics{Prefix: loaded.Config.Kafka.TopicPrefix}), since) {
		if err == nil {
			err = each(r)
		}
		if err != nil {
			return cli.Explained(loaded.Config, err)
		}
	}
	return nil
}

func (c *commands) smsShow() *cobra.Command {
	command := &cobra.Command{
		Use:   "show ID",
		Short: "Print the changes of a text and, with --text, its words",
		Long: `Print each change of one text: status, why, the provider's own words. The beginning of its ID is enough. With --text the
text itself, as it was sent, with a masked number; it may contain a first name.`,
		Example: `  rechargeflow sms show 4e63301ad84ab9a0`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || len(args[0]) < 8 {
				return cli.Usage(errors.New("expected the ID of one text, or its first 8 digits or more, as list prints it"))
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := &textFilter{Settings: c.AddSettings(command)}
	text := command.Flags().Bool("text", false, "print the text")
	command.RunE = func(command *cobra.Command, args []string) error {
		out, found := command.OutOrStdout(), false
		err := f.changes(command, time.Time{}, func(m message.Change) {
			if strings.HasPrefix(m.ID, args[0]) {
				found = true
				printChange(out, m)
			}
		})
		if err == nil && !found {
			err = fmt.Errorf("there is no text with ID %s", cli.Printable(args[0]))
		}
		if err != nil || !*text {
			return err
		}
		return f.printTexts(command, args[0])
	}
	return command
}

func printChange(out io.Writer, m message.Change) {
	if m.Change == 1 {
		cli.Printf(out, "text:     %s\nstore:    %s\ncustomer: %s\n", cli.Printable(m.ID), cli.Printable(m.Store), cli.Printable(m.RechargeCustomerID))
	}
	cli.Printf(out, "%s  %-11s %s", m.At.UTC().Format(time.RFC3339Nano), cli.Printable(string(m.Status)), cli.Printable(string(m.Flow)))
	if !m.ReleaseAt.IsZero() {
		cli.Printf(out, ", due %s", m.ReleaseAt.UTC().Format(time.RFC3339))
	}
	if !m.ClickedAt.IsZero() {
		cli.Printf(out, ", clicked %s", m.ClickedAt.UTC().Format(time.RFC3339))
	}
	if why := cmp.Or(string(m.Reason), m.Code); why != "" {
		cli.Printf(out, ", %s", cli.Printable(why))
	}
	if m.Error != "" {
		cli.Printf(out, ": %s", cli.Printable(m.Error))
	}
	cli.Printf(out, "\n")
	for _, t := range m.Triggers {
		cli.Printf(out, "    %s of %s %v\n", cli.Printable(string(t.Flow)), t.OccurredAt.UTC().Format(time.RFC3339), t.Items)
	}
}

// printTexts prints the texts whose ID begins with start.
func (f *textFilter) printTexts(command *cobra.Command, start string) error {
	return f.scan(command, topology.Topics.MessageTexts, time.Time{}, func(r kafka.Record) error {
		var text message.Text
		if r.Value == nil || json.Unmarshal(r.Value, &text) != nil || !strings.HasPrefix(text.ID, start) {
			return nil
		}
		printText(command.OutOrStdout(), text)
		return nil
	})
}

func printText(out io.Writer, text message.Text) {
	if text.Text != "" {
		cli.Printf(out, "to %s, %d parts: %s\n", cli.Printable(text.To), text.Segments, cli.Printable(text.Text))
		return
	}
	cli.Printf(out, "to %s, rendered by the destination\n", cli.Printable(text.To))
	for _, name := range slices.Sorted(maps.Keys(text.Variables)) {
		cli.Printf(out, "    %s: %s\n", cli.Printable(name), cli.Printable(text.Variables[name]))
	}
}
