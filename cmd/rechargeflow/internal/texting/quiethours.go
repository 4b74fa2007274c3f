package texting

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
)

func (c *commands) quietHoursCommand() *cobra.Command {
	return cli.Group("quiet-hours", "Show and change quiet hours",
		`Show and change the quiet hours of a store. They are by the customer's clock, and apply to the flows that have them: see flows list.
Running processes take up a change within 2 seconds.`,
		c.quietHoursShow(), c.quietHoursSet())
}

func (c *commands) quietHoursShow() *cobra.Command {
	command := &cobra.Command{
		Use:     "show",
		Short:   "Print the quiet hours of a store, and the flows that have them",
		Long:    "Print the quiet hours of a store as they are set now, and the flows that have them.",
		Example: `  rechargeflow quiet-hours show --store acme`,
		Args:    cli.NoArguments,
	}
	f := c.addFlows(command)
	command.RunE = func(command *cobra.Command, _ []string) error {
		s, rows, err := f.openRows(command)
		if err != nil {
			return err
		}
		flows, err := live.FlowsOf(rows, s.Name)
		if err != nil {
			return err
		}
		sending := live.SendingOf(rows, s.Name)
		out := command.OutOrStdout()
		cli.Printf(out, "%s\n", sending.QuietHours)
		for _, each := range flows {
			if each.QuietHours || sending.QuietHours.AllFlows {
				cli.Printf(out, "  %s\n", each.Key)
			}
		}
		return nil
	}
	return command
}

func (c *commands) quietHoursSet() *cobra.Command {
	command := &cobra.Command{
		Use:   "set",
		Short: "Change the quiet hours of a store",
		Long: `Change the quiet hours of a store. From 12:00 to 17:00 texts must be possible, so that each is sent within a day. With
--us-states the hours of US states apply, too. With --all-flows no flow sends texts during quiet hours; for one flow use flows edit
--quiet-hours.`,
		Example: `  rechargeflow quiet-hours set --store acme --from 21:00 --to 08:00
  rechargeflow quiet-hours set --store acme --all-flows`,
		Args: cli.NoArguments,
	}
	f, by := c.addFlows(command), c.addBy(command)
	flags := command.Flags()
	from, to := flags.String("from", "", "`time` at which they begin, such as 20:00"), flags.String("to", "", "`time` at which they end, such as 09:00")
	states := flags.Bool("us-states", true, "apply the hours of US states, too")
	all := flags.Bool("all-flows", false, "apply them to all flows")
	command.RunE = func(command *cobra.Command, _ []string) error {
		if !slices.ContainsFunc([]string{"from", "to", "us-states", "all-flows"}, flags.Changed) {
			return cli.Usage(errors.New("nothing to change: give --from, --to, --us-states or --all-flows"))
		}
		s, err := f.open()
		if err != nil {
			return err
		}
		return s.changeSending(command, *by, []shop{s}, func(s *sending.Settings) error {
			if flags.Changed("us-states") {
				s.QuietHours.States = *states
			}
			if flags.Changed("all-flows") {
				s.QuietHours.AllFlows = *all
			}
			return errors.Join(setClock(&s.QuietHours.From, *from), setClock(&s.QuietHours.To, *to))
		})
	}
	return command
}

// setClock sets a time of the day, if one is given.
func setClock(clock *quiethours.Clock, given string) error {
	if given == "" {
		return nil
	}
	parsed, err := quiethours.ParseClock(given)
	if err != nil {
		return cli.Usage(err)
	}
	*clock = parsed
	return nil
}
