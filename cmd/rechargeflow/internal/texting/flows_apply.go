package texting

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/flowedit"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/webhookdocs"
)

func (c *commands) flowsApply() *cobra.Command {
	command := &cobra.Command{
		Use:   "apply -f file",
		Short: "Set flows as a file has them",
		Long: `Set the flows of a store as a file has them, all or, if one has a fault, none. Flows and fields that the file leaves out stay
as they are. To apply the same file again changes nothing. With --dry-run nothing is written: the command prints what would
change, and its exit code is 3 if something would.`,
		Example: `  rechargeflow flows apply -f flows.yaml --store acme
  rechargeflow flows apply -f flows.yaml --store acme --dry-run`,
		Args: cli.NoArguments,
	}
	f, by := c.addFlows(command), c.addBy(command)
	file := command.Flags().StringP("file", "f", "", "`file` with flows, in the format of configs/flows.yaml")
	dryRun := command.Flags().Bool("dry-run", false, "print what would change and write nothing")
	_ = command.MarkFlagFilename("file", "yaml", "yml") // the flag was just added
	command.RunE = func(command *cobra.Command, _ []string) error {
		s, err := f.open()
		if err != nil {
			return err
		}
		decide, err := fromFile(*file)
		if err != nil {
			return err
		}
		if *dryRun {
			return s.plan(command, decide)
		}
		return s.change(command, *by, decide)
	}
	return command
}

// fromFile returns what sets flows as a file has them.
func fromFile(name string) (func([]live.Flow) error, error) {
	if name == "" {
		return nil, cli.Usage(errors.New("name the file with -f"))
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, cli.Setting(fmt.Errorf("read flows: %w", err))
	}
	return func(flows []live.Flow) error {
		base := make([]flow.Flow, len(flows))
		for i, f := range flows {
			base[i] = f.Definition()
		}
		defined, err := flow.Parse(content, base)
		if err != nil {
			return cli.Faults(err, "faults in "+name+", nothing was changed")
		}
		for i := range flows {
			flows[i].Define(defined[i])
		}
		return nil
	}, nil
}

// plan prints what a change would change, and returns a cli.Drift if it is anything.
func (s shop) plan(command *cobra.Command, decide func([]live.Flow) error) error {
	rows, err := s.rows(command.Context(), command.ErrOrStderr())
	if err != nil {
		return err
	}
	changed, err := live.FlowChange{Store: s.Name, At: time.Now(), Decide: s.valid(decide)}.Plan(rows)
	if err != nil {
		return err
	}
	s.warn(command.ErrOrStderr(), changed)
	current, err := live.FlowsOf(rows, s.Name)
	if err != nil {
		return err
	}
	for _, f := range changed {
		if err := printDiff(command.OutOrStdout(), current[flowedit.IndexOf(current, f.Key)], f); err != nil {
			return err
		}
	}
	if len(changed) > 0 {
		return cli.Drift(fmt.Errorf("flows differ from the file: %d of store %s", len(changed), s.Name))
	}
	cli.Printf(command.OutOrStdout(), "nothing would change\n")
	return nil
}

func (c *commands) flowsExport() *cobra.Command {
	command := &cobra.Command{
		Use:     "export",
		Short:   "Print the flows as a file that flows apply reads",
		Long:    "Print the flows of a store as they are set now, as a file that flows apply reads.",
		Example: `  rechargeflow flows export --store acme > flows.yaml`,
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
		definitions := make([]flow.Flow, len(flows))
		for i, each := range flows {
			definitions[i] = each.Definition()
		}
		file, err := flow.Format(definitions)
		if err != nil {
			return err
		}
		cli.Printf(command.OutOrStdout(), "%s", file)
		return nil
	}
	return command
}

func flowsDocs() *cobra.Command {
	return &cobra.Command{
		Use:     "docs",
		Short:   "Write the rules of all flows, docs/flows.md",
		Long:    "Write the rules of all flows, as Markdown. make docs writes docs/flows.md with it.",
		Example: "  rechargeflow flows docs > docs/flows.md",
		Args:    cli.NoArguments,
		RunE:    cli.PrintPage(webhookdocs.FlowsPage),
	}
}
