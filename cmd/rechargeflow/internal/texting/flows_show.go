package texting

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
)

func (c *commands) flowsList() *cobra.Command {
	command := &cobra.Command{
		Use:     "list",
		Short:   "Print which flows are active, and who changed them",
		Long:    "Print a line for each flow of each store: whether it is active, its version, and who changed it when. Version 0 is the built-in flow.",
		Example: `  rechargeflow flows list --store acme`,
		Args:    cli.NoArguments,
	}
	f := c.addFlows(command)
	asJSON := command.Flags().Bool("json", false, "print JSON, one array of flows")
	command.RunE = func(command *cobra.Command, _ []string) error {
		stores, rows, err := f.openAllRows(command)
		if err != nil {
			return err
		}
		var all []live.Flow
		for _, s := range stores {
			flows, err := live.FlowsOf(rows, s.Name)
			if err != nil {
				return err
			}
			all = append(all, flows...)
		}
		if *asJSON {
			return cli.PrintJSON(command.OutOrStdout(), all)
		}
		return printFlows(command.OutOrStdout(), all)
	}
	return command
}

func printFlows(out io.Writer, flows []live.Flow) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	cli.Printf(table, "STORE\tFLOW\tACTIVE\tQUIET HOURS\tVERSION\tCHANGED\tBY\n")
	for _, f := range flows {
		at, by := changedBy(f.At, f.By)
		cli.Printf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", f.Store, f.Key, cli.YesNo(f.Active), cli.YesNo(f.QuietHours), f.Version, at, by)
	}
	return table.Flush()
}

func (c *commands) flowsShow() *cobra.Command {
	command := &cobra.Command{
		Use:               "show flow",
		Short:             "Print a flow with its text",
		Long:              "Print a flow of a store with its text, as it is set now.",
		Example:           `  rechargeflow flows show charge_failed --store acme`,
		Args:              onlyFlows(1, 1),
		ValidArgsFunction: completeFlows(),
	}
	f := c.addFlows(command)
	asJSON := command.Flags().Bool("json", false, "print JSON")
	command.RunE = func(command *cobra.Command, args []string) error {
		s, err := f.open()
		if err != nil {
			return err
		}
		found, err := s.flow(command.Context(), flow.Key(args[0]), command.ErrOrStderr())
		if err != nil {
			return err
		}
		if *asJSON {
			return cli.PrintJSON(command.OutOrStdout(), found)
		}
		return printFlow(command.OutOrStdout(), found)
	}
	return command
}

func printFlow(out io.Writer, f live.Flow) error {
	at, by := changedBy(f.At, f.By)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"store", f.Store},
		{"flow", string(f.Key)},
		{"name", f.Name},
		{"active", cli.YesNo(f.Active)},
		{"quiet hours", cli.YesNo(f.QuietHours)},
		{"window", f.Definition().Window.String()},
		{"per charge", strconv.Itoa(f.PerCharge)},
		{"daily cap", cli.YesNo(f.DailyCap)},
		{"version", strconv.Itoa(f.Version)},
		{"changed", at},
		{"by", by},
		{"text", f.Text},
	} {
		cli.Printf(table, "%s\t%s\n", line[0], line[1])
	}
	return table.Flush()
}

func (c *commands) flowsPreview() *cobra.Command {
	command := &cobra.Command{
		Use:   "preview flow",
		Short: "Print a flow's text with sample values, and what it costs",
		Long: `Print a flow's text with sample values and the number of messages that are billed for it, once for each kind of webhook that
the flow can be about. --text and --file preview another text, which is not saved.`,
		Example: `  rechargeflow flows preview charge_failed --store acme
  rechargeflow flows preview charge_failed --text '{{ shop_name }}: your payment failed. {{ payment_url }}'`,
		Args:              onlyFlows(1, 1),
		ValidArgsFunction: completeFlows(),
	}
	f, other := c.addFlows(command), addText(command)
	asJSON := command.Flags().Bool("json", false, "print JSON, one array of texts")
	command.RunE = func(command *cobra.Command, args []string) error {
		s, err := f.open()
		if err != nil {
			return err
		}
		text, err := other.read()
		if err != nil {
			return err
		}
		current, err := s.flow(command.Context(), flow.Key(args[0]), command.ErrOrStderr())
		if err != nil {
			return err
		}
		shown := current.Definition()
		shown.Text = cmp.Or(text, shown.Text)
		if err := app.EditorOf(s.Store).Check(shown); err != nil {
			return cli.Faults(err, "faults in the flow")
		}
		previews, err := flow.Previews(shown, app.ShopOf(s.Store))
		if err != nil {
			return err
		}
		if *asJSON {
			return cli.PrintJSON(command.OutOrStdout(), previews)
		}
		printPreviews(command.OutOrStdout(), previews)
		for _, warning := range flow.Warnings([]flow.Flow{shown}) {
			cli.Printf(command.ErrOrStderr(), "warning: %v\n", warning)
		}
		return nil
	}
	return command
}

func printPreviews(out io.Writer, previews []flow.Preview) {
	for _, p := range previews {
		cli.Printf(out, "# %s: %d characters, %s, %s%s\n%s\n", p.About, p.Characters, p.Encoding, partsOf(p.Parts), optOutParts(p), p.Text)
	}
}

func partsOf(n int) string {
	if n == 1 {
		return "1 part"
	}
	return fmt.Sprintf("%d parts", n)
}

// optOutParts is what the text costs when it says how to opt out, if that is more.
func optOutParts(p flow.Preview) string {
	if p.OptOutParts <= p.Parts {
		return ""
	}
	return ", with sms.opt_out_text " + partsOf(p.OptOutParts)
}

// changedBy formats when and by whom a setting was changed, "-" for one that was not.
func changedBy(when time.Time, who string) (at, by string) {
	if when.IsZero() {
		return "-", "-"
	}
	return when.Format(time.RFC3339), who
}
