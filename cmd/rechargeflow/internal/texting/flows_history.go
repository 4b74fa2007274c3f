package texting

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/flowedit"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
)

func (c *commands) flowsHistory() *cobra.Command {
	command := &cobra.Command{
		Use:               "history flow",
		Short:             "Print all versions of a flow",
		Long:              "Print a line for each version of a flow: when it was changed, by whom, and what was changed.",
		Example:           `  rechargeflow flows history charge_failed --store acme`,
		Args:              onlyFlows(1, 1),
		ValidArgsFunction: completeFlows(),
	}
	f := c.addFlows(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		s, rows, err := f.openRows(command)
		if err != nil {
			return err
		}
		versions, err := live.HistoryOf(rows, s.Name, flow.Key(args[0]))
		if err != nil {
			return err
		}
		return printHistory(command.OutOrStdout(), versions)
	}
	return command
}

func printHistory(out io.Writer, versions []live.Flow) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	cli.Printf(table, "VERSION\tCHANGED\tBY\tWHAT\n")
	for i, f := range versions {
		at, by := changedBy(f.At, f.By)
		what := "built in"
		if i > 0 {
			what = strings.Join(flowedit.Differences(versions[i-1], f), ", ")
		}
		cli.Printf(table, "%d\t%s\t%s\t%s\n", f.Version, at, by, what)
	}
	return table.Flush()
}

func (c *commands) flowsDiff() *cobra.Command {
	command := &cobra.Command{
		Use:   "diff flow [from [to]]",
		Short: "Print what changed between two versions of a flow",
		Long: `Print what changed between two versions of a flow: those that are named, or else the last two. Version 0 is the built-in
flow.`,
		Example: `  rechargeflow flows diff charge_failed
  rechargeflow flows diff charge_failed 0 4`,
		Args:              flowAndVersions,
		ValidArgsFunction: completeFlows(),
	}
	f := c.addFlows(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		s, err := f.open()
		if err != nil {
			return err
		}
		current, err := s.flow(command.Context(), flow.Key(args[0]), command.ErrOrStderr())
		if err != nil {
			return err
		}
		numbers := []int{max(current.Version-1, 0), current.Version}
		for i, arg := range args[1:] {
			numbers[i], _ = strconv.Atoi(arg) // checked by flowAndVersions
		}
		var versions []live.Flow
		for _, number := range numbers {
			version, err := s.version(command, current.Key, number)
			if err != nil {
				return err
			}
			versions = append(versions, *version)
		}
		return printDiff(command.OutOrStdout(), versions[0], versions[1])
	}
	return command
}

// flowAndVersions accepts a flow and up to two versions.
func flowAndVersions(command *cobra.Command, args []string) error {
	if err := onlyFlows(1, 1)(command, args[:min(1, len(args))]); err != nil {
		return err
	}
	for i, arg := range args[1:] {
		if number, err := strconv.Atoi(arg); err != nil || number < 0 {
			return cli.Usage(fmt.Errorf("%q is not a version, which is a number from 0 on", arg))
		}
		if i > 1 {
			return cli.Usage(fmt.Errorf("unexpected argument %q", arg))
		}
	}
	return nil
}

// printDiff prints the difference of two versions, nothing if they are equal.
func printDiff(out io.Writer, before, after live.Flow) error {
	text, err := flowedit.Diff(before, after)
	if err == nil {
		cli.Printf(out, "%s", text)
	}
	return err
}
