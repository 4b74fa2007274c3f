package segments

import (
	"cmp"
	"errors"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/segment"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
)

// addBy gives a command --by, which defaults to the user of the shell.
func (c *commands) addBy(command *cobra.Command) *string {
	return command.Flags().String("by", cmp.Or(cli.Variable(c.Environ, "USER"), "unknown"), "`who` changes it, for the history")
}

func (c *commands) create() *cobra.Command {
	command := &cobra.Command{
		Use:   "create name conditions",
		Short: "Create a segment",
		Long: `Create a segment of a store, or with --replace give it other conditions. The name has a-z, 0-9 and _: the property at Bloomreach is
recharge_segment_{name}. Put the conditions in quotes. docs/segments.md explains them.`,
		Example: `  rechargeflow segments create at_risk 'received charge_failed in 30d and not clicked charge_failed' --store acme
  rechargeflow segments create quiet 'not received any in 60d' --replace`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return cli.Usage(errors.New("give a name and conditions, such as at_risk '" + segment.Form + "'"))
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f, by := c.addStore(command), c.addBy(command)
	replace := command.Flags().Bool("replace", false, "replace the conditions of an existing segment")
	command.RunE = func(command *cobra.Command, args []string) error {
		rule, err := segment.Parse(strings.Join(args[1:], " "))
		if err == nil {
			err = segment.CheckName(args[0])
		}
		if err != nil {
			return cli.Usage(err)
		}
		s, err := f.open(command)
		if err != nil {
			return err
		}
		return s.change(command, live.SegmentChange{Name: args[0], By: *by, Rule: rule, Replace: *replace})
	}
	return command
}

func (c *commands) remove() *cobra.Command {
	command := &cobra.Command{
		Use:   "delete name",
		Short: "Delete a segment",
		Long: `Delete a segment of a store. The next segments push sets its property to false for the customers who had it. Its history is
kept.`,
		Example: `  rechargeflow segments delete at_risk --store acme`,
		Args:    oneSegment,
	}
	f, by := c.addStore(command), c.addBy(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		s, err := f.open(command)
		if err != nil {
			return err
		}
		return s.change(command, live.SegmentChange{Name: args[0], By: *by, Delete: true})
	}
	return command
}

// change changes a segment, and prints a line about it.
func (s shop) change(command *cobra.Command, c live.SegmentChange) error {
	c.Store = s.name
	now, changed, err := s.ChangeSegment(command.Context(), c)
	switch out := command.OutOrStdout(); {
	case errors.Is(err, live.ErrSegment):
		err = service.Plain(err)
		if !c.Delete {
			err = errors.Join(err, errors.New("--replace gives it other conditions"))
		}
		return cli.Usage(err)
	case err != nil:
		return s.explained(err)
	case !changed:
		cli.Printf(out, "nothing changed\n")
	case c.Delete:
		cli.Printf(out, "segment %s of store %s is deleted\n", now.Name, now.Store)
	default:
		cli.Printf(out, "segment %s of store %s is at version %d: %s\n", now.Name, now.Store, now.Version, now.Rule)
	}
	return nil
}

func (c *commands) list() *cobra.Command {
	command := &cobra.Command{
		Use:     "list",
		Short:   "Print the segments, and who changed them",
		Long:    "Print a line for each segment of a store: its conditions, its version, and who changed it when.",
		Example: `  rechargeflow segments list --store acme`,
		Args:    cli.NoArguments,
	}
	f := c.addStore(command)
	asJSON := command.Flags().Bool("json", false, "print JSON, one array of segments")
	command.RunE = func(command *cobra.Command, _ []string) error {
		s, err := f.open(command)
		if err != nil {
			return err
		}
		all, err := s.Segments(command.Context(), s.name)
		if err != nil {
			return s.explained(err)
		}
		if *asJSON {
			return cli.PrintJSON(command.OutOrStdout(), all)
		}
		table := tabwriter.NewWriter(command.OutOrStdout(), 0, 0, 2, ' ', 0)
		cli.Printf(table, "STORE\tSEGMENT\tVERSION\tCHANGED\tBY\tCONDITIONS\n")
		for _, each := range all {
			cli.Printf(table, "%s\t%s\t%d\t%s\t%s\t%s\n", each.Store, each.Name, each.Version, each.At.Format(time.RFC3339), cli.Printable(each.By), each.Rule)
		}
		return table.Flush()
	}
	return command
}
