package texting

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
)

func (c *commands) smsStatus() *cobra.Command {
	command := &cobra.Command{
		Use:   "status",
		Short: "Print how stores send: paused or not, quiet hours, limits",
		Long: `Print how each store sends its texts: whether they are paused, its quiet hours, how many a customer gets in a day, and which
flows are active.`,
		Example: `  rechargeflow sms status
  rechargeflow sms status --store acme --history`,
		Args: cli.NoArguments,
	}
	f := c.addFlows(command)
	asJSON := command.Flags().Bool("json", false, "print JSON, one array of versions")
	history := command.Flags().Bool("history", false, "print all versions: who changed what, and when")
	command.RunE = func(command *cobra.Command, _ []string) error {
		stores, rows, err := f.openAllRows(command)
		if err != nil {
			return err
		}
		var versions []live.Sending
		for _, s := range stores {
			if *history {
				versions = append(versions, live.SendingHistoryOf(rows, s.Name)...)
			} else {
				versions = append(versions, live.SendingOf(rows, s.Name))
			}
		}
		if *asJSON {
			return cli.PrintJSON(command.OutOrStdout(), versions)
		}
		return printSending(command.OutOrStdout(), versions)
	}
	return command
}

func printSending(out io.Writer, versions []live.Sending) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	cli.Printf(table, "STORE\tPAUSED\tQUIET HOURS\tTEXTS PER DAY\tVERSION\tCHANGED\tBY\n")
	for _, s := range versions {
		at, by := changedBy(s.At, s.By)
		cli.Printf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", s.Store, pausedOf(s.Settings), s.QuietHours, perDay(s.TextsPerDay), s.Version, at, by)
	}
	return table.Flush()
}

func pausedOf(s sending.Settings) string {
	if s.Paused || len(s.PausedFlows) == 0 {
		return cli.YesNo(s.Paused)
	}
	var names []string
	for _, key := range s.PausedFlows {
		names = append(names, string(key))
	}
	return strings.Join(names, ", ")
}

func perDay(texts int) string {
	if texts == 0 {
		return "no limit"
	}
	return fmt.Sprint(texts)
}

func (c *commands) smsSet() *cobra.Command {
	command := &cobra.Command{
		Use:   "set",
		Short: "Limit the texts that a customer gets in a day",
		Long: `Limit the texts that a customer of a store gets in 24 hours. Flows with daily_cap false, such as those about failed payments,
do not count and are always sent.`,
		Example: `  rechargeflow sms set --store acme --texts-per-day 3`,
		Args:    cli.NoArguments,
	}
	f, by := c.addFlows(command), c.addBy(command)
	limit := command.Flags().Int("texts-per-day", 0, "largest `number` of texts to one customer in 24 hours, 0 for no limit")
	command.RunE = func(command *cobra.Command, _ []string) error {
		if !command.Flags().Changed("texts-per-day") {
			return cli.Usage(errors.New("nothing to change: give --texts-per-day"))
		}
		s, err := f.open()
		if err != nil {
			return err
		}
		return s.changeSending(command, *by, []shop{s}, func(s *sending.Settings) error {
			s.TextsPerDay = *limit
			return nil
		})
	}
	return command
}

func (c *commands) smsPause(pause bool) *cobra.Command {
	command := &cobra.Command{
		Use:   "pause",
		Short: "Stop sending texts; none is lost",
		Long: `Stop sending the texts of all stores, of one, or of some flows. Requests that the gateway is answering end. Texts that become
due are held: resume sends those that are still worth sending. /readyz says what is paused.`,
		Example: `  rechargeflow sms pause
  rechargeflow sms pause --store acme --flow charge_paid,order_processed`,
		Args: cli.NoArguments,
	}
	if !pause {
		command.Use, command.Short = "resume", "Send texts again that were paused"
		command.Long = `Send the texts of all stores again, of one, or of some flows. Those that are no longer worth sending are suppressed. Flows that were
paused by name stay paused when a pause of the whole store ends: resume them by name, or by resuming once more.`
		command.Example = strings.ReplaceAll(command.Example, "pause", "resume")
	}
	f, by := c.addFlows(command), c.addBy(command)
	named := command.Flags().StringSlice("flow", nil, "only texts of these `flows`")
	cli.Complete(command, "flow", completeFlows())
	command.RunE = func(command *cobra.Command, _ []string) error {
		if err := onlyFlows(0, len(flow.Keys()))(command, *named); err != nil {
			return err
		}
		stores, err := f.openAll()
		if err != nil {
			return err
		}
		var keys []flow.Key
		for _, name := range *named {
			keys = append(keys, flow.Key(name))
		}
		return stores[0].changeSending(command, *by, stores, func(s *sending.Settings) error {
			if !pause {
				return s.Resume(keys...)
			}
			s.Pause(keys...)
			return nil
		})
	}
	return command
}

// changeSending changes how stores send, and prints how they send now.
func (s shop) changeSending(command *cobra.Command, by string, stores []shop, decide func(*sending.Settings) error) error {
	changed, err := s.settings.ChangeSending(command.Context(), s.cluster, live.SendingChange{
		Stores: namesOf(stores), By: by, At: time.Now(), Decide: decide,
	})
	if errors.Is(err, sending.ErrInvalid) {
		return cli.Usage(err)
	}
	if err != nil {
		return cli.Explained(s.cfg, err)
	}
	if len(changed) == 0 {
		cli.Printf(command.OutOrStdout(), "nothing changed\n")
		return nil
	}
	slices.SortFunc(changed, func(a, b live.Sending) int { return strings.Compare(a.Store, b.Store) })
	return printSending(command.OutOrStdout(), changed)
}
