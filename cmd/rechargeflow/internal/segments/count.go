package segments

import (
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/console/service"
)

func (c *commands) count() *cobra.Command {
	command := &cobra.Command{
		Use:   "count [segment|conditions]...",
		Short: "Count the members of segments",
		Long: `Count the members of segments, of conditions in quotes, or of all segments of a store. Customers are those who have a row in
recharge.customers; who was deleted or erased is a member of nothing.`,
		Example: `  rechargeflow segments count --store acme
  rechargeflow segments count 'clicked any in 7d'`,
	}
	f := c.addStore(command)
	asJSON := command.Flags().Bool("json", false, "print JSON, one object")
	command.RunE = func(command *cobra.Command, args []string) error {
		s, err := f.open(command)
		if err != nil {
			return err
		}
		result, err := s.CountSegments(command.Context(), s.name, args...)
		if err != nil {
			return s.explained(err)
		}
		if *asJSON {
			return cli.PrintJSON(command.OutOrStdout(), result)
		}
		return printCounts(command, result)
	}
	return command
}

func printCounts(command *cobra.Command, c service.SegmentCounts) error {
	out := command.OutOrStdout()
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	cli.Printf(table, "SEGMENT\tMEMBERS\tCONDITIONS\n")
	for _, each := range c.Segments {
		name := each.Name
		if name == each.Conditions {
			name = "-"
		}
		cli.Printf(table, "%s\t%d\t%s\n", name, each.Members, each.Conditions)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	cli.Printf(out, "customers: %d\n", c.Customers)
	if c.Strangers > 0 {
		cli.Printf(out, "left out: %d who were texted and are not in recharge.customers, such as deleted ones\n", c.Strangers)
	}
	return nil
}
