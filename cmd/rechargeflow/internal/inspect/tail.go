package inspect

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// tailFlags are the flags of `tail`.
type tailFlags struct {
	*cli.Settings

	store, customer, kind, since string
	asJSON, reveal, untilEnd     bool
}

func (c *commands) tail() *cobra.Command {
	command := &cobra.Command{
		Use:   "tail [TOPIC...]",
		Short: "Print records of the topics as they come",
		Long: `Print one line for each record that is written from now on, until it is interrupted: time, topic, store, Recharge customer ID, type,
status, reason or error, and where the record is. Without topics: events, facts, messages and dead letters. Topics are named without prefix:
` + strings.Join(tailTopics(topology.Topics{}), ", ") + `.
E-mails and phone numbers in errors are masked, unless --reveal is given.`,
		Example: `  rechargeflow tail
  rechargeflow tail webhooks events --store acme --since 10m
  rechargeflow tail deadletter.tracking --until-end --json`,
		ValidArgsFunction: cobra.FixedCompletions(tailTopics(topology.Topics{}), cobra.ShellCompDirectiveNoFileComp),
	}
	f := tailFlags{Settings: c.AddSettings(command)}
	flags := command.Flags()
	flags.StringVar(&f.store, "store", "", "only records of this `store`")
	flags.StringVar(&f.customer, "customer", "", "only records of this Recharge customer `ID`")
	flags.StringVar(&f.kind, "type", "", "only records of this `type`: a Recharge topic, a type of events or a flow, such as charge/paid")
	flags.StringVar(&f.since, "since", "", "begin with what was written at this `time` or later: "+cli.TimeForms)
	flags.BoolVar(&f.untilEnd, "until-end", false, "stop at the present end; without --since begin with the oldest records")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON, one object per line")
	flags.BoolVar(&f.reveal, "reveal", false, "do not mask errors; with --json also print the values of records: names, addresses, phone numbers")
	cli.Complete(command, "store", cli.CompleteStores(f.Settings))
	command.RunE = f.run
	return command
}

// tailTopics returns the topics that can be shown, without "recharge.".
func tailTopics(t topology.Topics) []string {
	names := []string{t.Webhooks(), t.Events(), t.Facts(), t.Triggers(), t.Messages(), t.Customers(), t.Subscriptions(), t.Charges()}
	for _, role := range topology.Consumers() {
		names = append(names, t.DeadLetters(role))
	}
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], family)
	}
	return names
}

const family = "recharge." // begins the names of all topics

// topicsOf returns the full names of the named topics, or of the default ones.
func topicsOf(t topology.Topics, named []string) (topics []string, err error) {
	known := tailTopics(topology.Topics{})
	for _, name := range named {
		name = strings.TrimPrefix(strings.TrimPrefix(name, t.Prefix), family)
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no topic %q to show; topics are %s", name, strings.Join(known, ", "))
		}
		if full := t.Prefix + family + name; !slices.Contains(topics, full) {
			topics = append(topics, full)
		}
	}
	if len(topics) > 0 {
		return topics, nil
	}
	topics = []string{t.Events(), t.Facts(), t.Messages()}
	for _, role := range topology.Consumers() {
		topics = append(topics, t.DeadLetters(role))
	}
	return topics, nil
}

func (f *tailFlags) run(command *cobra.Command, args []string) error {
	since, err := cli.ParseTime("since", f.since, time.Now())
	if err != nil {
		return cli.Usage(err)
	}
	loaded, err := f.Load()
	if err != nil {
		return err
	}
	source, err := sourceOf(loaded.Config)
	if err != nil {
		return err
	}
	topics, err := topicsOf(source.Topics, args)
	if err != nil {
		return cli.Usage(err)
	}
	mask, out := timeline.NewMasker(f.reveal), command.OutOrStdout()
	return cli.Explained(loaded.Config, source.Tail(command.Context(), timeline.Tail{Topics: topics, Since: since, UntilEnd: f.untilEnd}, func(r kafka.Record) {
		if line := mask.LineOf(source.Topics.Prefix, r); f.matches(line) {
			f.print(out, line)
		}
	}))
}

func (f *tailFlags) matches(l timeline.Line) bool {
	return (f.store == "" || l.Store == f.store) && (f.customer == "" || l.Customer == f.customer) && (f.kind == "" || l.Type == f.kind)
}

func (f *tailFlags) print(out io.Writer, l timeline.Line) {
	if f.asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(l) // fails only where nobody reads it
		return
	}
	orNone := func(text string) string { return cli.Printable(cmp.Or(text, "-")) }
	cli.Printf(out, "%s  %-32s %-12s %-12s %-28s %-12s %s\n", stamp(l.At), cli.Printable(l.Topic), orNone(l.Store), orNone(l.Customer), orNone(l.Type), orNone(l.Status),
		cli.Printable(joined(": ", l.Record, l.Reason, l.Detail)))
}
