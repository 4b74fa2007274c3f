package segments

import (
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/segment"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
)

// counted is what `segments count --json` prints.
type counted struct {
	Store     string        `json:"store"`
	At        time.Time     `json:"at"`
	Customers int           `json:"customers"`
	Strangers int           `json:"texted_without_row"`
	Segments  []countedPart `json:"segments"`
}

type countedPart struct {
	Name       string       `json:"name"`
	Conditions string       `json:"conditions"`
	Rule       segment.Rule `json:"rule"`
	Members    int          `json:"members"`
}

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
		s, err := f.open()
		if err != nil {
			return err
		}
		list, err := s.named(command, args)
		if err != nil {
			return err
		}
		result, err := s.counted(command, list)
		if err != nil {
			return cli.Explained(s.cfg, err)
		}
		if *asJSON {
			return cli.PrintJSON(command.OutOrStdout(), result)
		}
		return result.print(command)
	}
	return command
}

// named returns the segments that arguments name or are, all if there are none.
func (s shop) named(command *cobra.Command, args []string) ([]live.Segment, error) {
	if len(args) == 0 {
		return s.defined(command)
	}
	var list []live.Segment
	for _, arg := range args {
		found, err := s.find(command, arg)
		if err != nil {
			return nil, err
		}
		list = append(list, found)
	}
	return list, nil
}

func (s shop) counted(command *cobra.Command, list []live.Segment) (counted, error) {
	rules := make([]segment.Rule, len(list))
	for i, each := range list {
		rules[i] = each.Rule
	}
	result := counted{Store: s.Name, At: time.Now().UTC(), Segments: []countedPart{}}
	counts, err := s.Count(command.Context(), result.At, rules...)
	result.Customers, result.Strangers = counts.Customers, counts.Strangers
	for i, each := range list {
		result.Segments = append(result.Segments, countedPart{Name: each.Name, Conditions: each.Rule.String(), Rule: each.Rule, Members: counts.Members[i]})
	}
	return result, err
}

func (c counted) print(command *cobra.Command) error {
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
