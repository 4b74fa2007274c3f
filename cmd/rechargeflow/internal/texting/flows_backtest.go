package texting

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/backtest"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/flowedit"
	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// draft is the flags of flows backtest.
type draft struct {
	*flowCommand
	*textFlags

	since    string
	set      []string
	price    string
	examples int
	asJSON   bool
}

func (c *commands) flowsBacktest() *cobra.Command {
	command := &cobra.Command{
		Use:   "backtest flow",
		Short: "Play a draft of a flow over the triggers that there were; sends nothing",
		Long: `Play a flow as if it had been active since a time, over the triggers in recharge.sms-triggers, which has 30 days. Print how many texts it
would have sent to how many people at which hours of their clocks, how many parts these have, and what would have been merged, absorbed,
deferred, capped or suppressed and why, with examples. Nothing is sent or saved.

The draft is the flow as it is set now with the text of --text or --file and the settings of --set, such as quiet_hours=true:
  quiet_hours, window, per_charge, daily_cap             of the flow
  texts_per_day, quiet_from, quiet_to, quiet_all_flows   of the store
Other flows are as they are set now. The provider is taken to accept each text at once; pauses are ignored. docs/backtest.md explains the rest.`,
		Example: `  rechargeflow flows backtest charge_failed --store acme --since 14d --price 0.0079
  rechargeflow flows backtest order_processed --since 7d --file draft.liquid --set quiet_hours=false --set texts_per_day=2`,
		Args:              onlyFlows(1, 1),
		ValidArgsFunction: completeFlows(),
	}
	d := draft{flowCommand: c.addFlows(command), textFlags: &textFlags{}}
	flags := command.Flags()
	flags.StringVar(&d.text, "text", "", "the drafted `text`, a Liquid template, or a file with it")
	flags.StringVar(&d.file, "file", "", "`file` with the drafted text, in place of --text")
	flags.StringVar(&d.since, "since", "7d", "triggers that arrived at this `time` or later: "+cli.TimeForms)
	flags.StringArrayVar(&d.set, "set", nil, "`setting`=value of the draft, such as quiet_hours=false; may be repeated")
	flags.StringVar(&d.price, "price", "", "`price` of one part, such as 0.0079, to print what the texts would have cost")
	flags.IntVar(&d.examples, "examples", 3, "`number` of examples of each kind")
	flags.BoolVar(&d.asJSON, "json", false, "print JSON, one object")
	command.MarkFlagsMutuallyExclusive("text", "file")
	command.RunE = func(command *cobra.Command, args []string) error { return d.run(command, flow.Key(args[0])) }
	return command
}

func (d *draft) run(command *cobra.Command, key flow.Key) error {
	since, err := cli.ParseTime("since", d.since, time.Now())
	if err != nil {
		return cli.Usage(err)
	}
	price, err := flow.ParsePrice(d.price)
	if err != nil {
		return cli.Usage(fmt.Errorf("--%w", err))
	}
	s, rows, err := d.openRows(command)
	if err != nil {
		return err
	}
	drafted, err := d.drafted(command, s, rows, key)
	if err != nil {
		return err
	}
	if drafted.Consent, err = consent.Topic(topology.Topics{Prefix: s.cfg.Kafka.TopicPrefix}.Consent()).Read(command.Context(), s.cluster); err != nil {
		return cli.Explained(s.cfg, err)
	}
	options := drafted.Options()
	options.Since, options.Examples = since, d.examples
	report, err := backtest.Source{Cluster: s.cluster, Topics: topology.Topics{Prefix: s.cfg.Kafka.TopicPrefix}}.Run(command.Context(), options)
	if err != nil {
		return cli.Explained(s.cfg, err)
	}
	played := backtested{Store: s.Name, Flow: key, Since: since, Report: report}
	if d.price != "" {
		played.Cost, played.Price, played.Currency = price.Cost(report.Parts), d.price, s.Currency
	}
	if d.asJSON {
		return cli.PrintJSON(command.OutOrStdout(), played)
	}
	return played.print(command.OutOrStdout())
}

// read returns the drafted text, "" for the saved one. --text may name a file.
func (d *draft) read() (string, error) {
	if info, err := os.Stat(d.text); d.text != "" && err == nil && info.Mode().IsRegular() {
		return (&textFlags{file: d.text}).read()
	}
	return d.textFlags.read()
}

// drafted returns the flow and how the store sends, with the changes of the draft.
func (d *draft) drafted(command *cobra.Command, s shop, rows *live.Rows[live.Setting], key flow.Key) (backtest.Draft, error) {
	drafted := backtest.Draft{Store: s.Name, Mode: consent.Mode(s.SMS.Consent), Sending: live.SendingOf(rows, s.Name).Settings}
	text, err := d.read()
	if err != nil {
		return drafted, err
	}
	built, err := app.TextsOf(s.Store)
	if err != nil {
		return drafted, cli.Setting(err)
	}
	drafted.Texts = *built
	flows, err := live.FlowsOf(rows, s.Name)
	if err != nil {
		return drafted, err
	}
	editor := app.EditorOf(s.Store)
	if drafted.Flows, err = editor.InForce(rows); err != nil {
		cli.Printf(command.ErrOrStderr(), "warning: %v\n", err)
	}
	drafted.Flow = flows[flowedit.IndexOf(flows, key)].Definition()
	drafted.Flow.Text = cmp.Or(text, drafted.Flow.Text)
	drafted.Ready()
	for _, setting := range d.set {
		if err := set(setting, &drafted.Flow, &drafted.Sending); err != nil {
			return drafted, cli.Usage(err)
		}
	}
	if err := drafted.Sending.Check(); err != nil {
		return drafted, cli.Usage(err)
	}
	if err := editor.Check(drafted.Flow); err != nil {
		return drafted, cli.Faults(err, "faults in the draft")
	}
	return drafted, nil
}

// set changes one setting of a draft: name=value.
func set(setting string, f *flow.Flow, ways *sending.Settings) error {
	name, value, _ := strings.Cut(setting, "=")
	known, err := setFlow(name, value, f)
	if !known {
		known, err = setSending(name, value, ways)
	}
	switch {
	case !known:
		return fmt.Errorf("--set %q: expected quiet_hours, window, per_charge, daily_cap, texts_per_day, quiet_from, quiet_to or quiet_all_flows, = and a value", setting)
	case err != nil:
		return fmt.Errorf("--set %q: the value is not valid: expected such as quiet_hours=false, window=60s, per_charge=2, quiet_from=21:00", setting)
	}
	return nil
}

// setFlow changes a setting of a flow, if it is one.
func setFlow(name, value string, f *flow.Flow) (known bool, err error) {
	switch name {
	case "quiet_hours":
		f.QuietHours, err = strconv.ParseBool(value)
	case "daily_cap":
		f.DailyCap, err = strconv.ParseBool(value)
	case "window":
		f.Window, err = time.ParseDuration(value)
	case "per_charge":
		f.PerCharge, err = strconv.Atoi(value)
	default:
		return false, nil
	}
	return true, err
}

// setSending changes a setting of how a store sends, if it is one.
func setSending(name, value string, ways *sending.Settings) (known bool, err error) {
	switch name {
	case "texts_per_day":
		ways.TextsPerDay, err = strconv.Atoi(value)
	case "quiet_all_flows":
		ways.QuietHours.AllFlows, err = strconv.ParseBool(value)
	case "quiet_from":
		ways.QuietHours.From, err = quiethours.ParseClock(value)
	case "quiet_to":
		ways.QuietHours.To, err = quiethours.ParseClock(value)
	default:
		return false, nil
	}
	return true, err
}
