package texting

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/flowstats"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// statsFlags are the flags of flows stats.
type statsFlags struct {
	*flowCommand

	since, zone, flow    string
	recovery, reactivate int // days
	total, asJSON, csv   bool
}

func (c *commands) flowsStats() *cobra.Command {
	command := &cobra.Command{
		Use:   "stats",
		Short: "Count the outcomes of texts by flow and day",
		Long: `Count the outcomes of texts by flow and day: triggered, merged, absorbed, deferred, sent, delivered, failed, unknown, clicked, and how
often a customer opted out within a day of a text, paid a failed charge or activated a subscription again.

The day is that on which a text was planned, in the store's time zone (sms.time_zone, else UTC). What happened later counts on that day, too.
TRIGGERED is MERGED, ABSORBED and TEXTS together; TEXTS is WAITING, SUPPRESSED, SENT, FAILED and UNKNOWN together; DELIVERED is a part of SENT.
It reads recharge.messages, recharge.events, which has 90 days, and recharge.consent. docs/stats.md explains each number.`,
		Example: `  rechargeflow flows stats --store acme --since 30d
  rechargeflow flows stats --since 2026-03-01 --total --json`,
		Args: cli.NoArguments,
	}
	f := statsFlags{flowCommand: c.addFlows(command)}
	flags := command.Flags()
	flags.StringVar(&f.since, "since", "30d", "only texts that were planned on the day of this `time` or later: "+cli.TimeForms)
	flags.StringVar(&f.flow, "flow", "", "only this `flow`, such as charge_failed")
	flags.StringVar(&f.zone, "time-zone", "", "`zone` of the days, such as America/New_York, in place of the stores' own")
	flags.IntVar(&f.recovery, "recovered-within", 7, "`days` from a text to the payment of its charge")
	flags.IntVar(&f.reactivate, "reactivated-within", 30, "`days` from a text to the activation of its subscription")
	flags.BoolVar(&f.total, "total", false, "print the sum of all days")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON, one array of rows")
	flags.BoolVar(&f.csv, "csv", false, "print CSV")
	command.MarkFlagsMutuallyExclusive("json", "csv")
	cli.Complete(command, "flow", completeFlows())
	command.RunE = func(command *cobra.Command, _ []string) error { return f.run(command) }
	return command
}

func (f *statsFlags) run(command *cobra.Command) error {
	stores, err := f.openAll()
	if err != nil {
		return err
	}
	options, err := f.options(command, stores)
	if err != nil {
		return cli.Usage(err)
	}
	source := flowstats.Source{Cluster: stores[0].cluster, Topics: topology.Topics{Prefix: stores[0].cfg.Kafka.TopicPrefix}, Regions: map[string]string{}}
	for _, s := range stores {
		source.Regions[s.Name] = s.SMS.DefaultRegion
	}
	rows, err := source.Count(command.Context(), options)
	if err != nil {
		return cli.Explained(stores[0].cfg, err)
	}
	if f.total {
		rows = flowstats.Totals(rows)
	}
	switch out := command.OutOrStdout(); {
	case f.asJSON:
		return cli.PrintJSON(out, rows)
	case f.csv:
		return writeStats(out, rows)
	default:
		return printStats(out, rows, options.Zones)
	}
}

// options reads the flags.
func (f *statsFlags) options(command *cobra.Command, stores []shop) (flowstats.Options, error) {
	q := flowstats.Query{Flow: flow.Key(f.flow), Zone: f.zone, RecoveredWithin: f.recovery, ReactivatedWithin: f.reactivate}
	if f.flow != "" {
		if err := onlyFlows(1, 1)(command, []string{f.flow}); err != nil && q.Flow != flow.Help {
			return flowstats.Options{}, err
		}
	}
	var err error
	if q.Since, err = cli.ParseTime("since", f.since, time.Now()); err != nil {
		return flowstats.Options{}, err
	}
	if _, err := time.Parse(time.DateOnly, f.since); err == nil {
		q.FirstDay = f.since
	}
	zones := map[string]string{}
	for _, s := range stores {
		zones[s.Name] = s.SMS.TimeZone
	}
	o, err := q.Options(zones)
	if err != nil {
		err = fmt.Errorf("--%w", err)
	}
	return o, err
}

// statsHead are the columns before the numbers.
func statsHead(r flowstats.Row) []string { return []string{r.Store, r.Day, string(r.Flow)} }

func writeStats(out io.Writer, rows []flowstats.Row) error {
	w := csv.NewWriter(out)
	if err := w.Write(append([]string{"store", "day", "flow"}, flowstats.Columns()...)); err != nil {
		return err
	}
	for _, r := range rows {
		line := statsHead(r)
		for _, n := range r.Values() {
			line = append(line, strconv.Itoa(n))
		}
		if err := w.Write(line); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// printStats prints a table. A zero is "-": most numbers are.
func printStats(out io.Writer, rows []flowstats.Row, zones map[string]*time.Location) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	cli.Printf(table, "STORE\tDAY\tFLOW")
	for _, name := range flowstats.Columns() {
		cli.Printf(table, "\t%s", strings.ToUpper(strings.ReplaceAll(name, "_", " ")))
	}
	cli.Printf(table, "\n")
	for _, r := range rows {
		r.Day = cmp.Or(r.Day, "all")
		cli.Printf(table, "%s", strings.Join(statsHead(r), "\t"))
		for _, n := range r.Values() {
			cli.Printf(table, "\t%s", cmp.Or(strings.TrimPrefix(strconv.Itoa(n), "0"), "-"))
		}
		cli.Printf(table, "\n")
	}
	if err := table.Flush(); err != nil {
		return err
	}
	var names []string
	for _, zone := range zones {
		if !slices.Contains(names, zone.String()) {
			names = append(names, zone.String())
		}
	}
	slices.Sort(names)
	cli.Printf(out, "days on which texts were planned, %s\n", strings.Join(names, ", "))
	return nil
}
