package tracking

import (
	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/command"
)

type commands struct{ *cli.CLI }

// Command returns the commands about events in Bloomreach.
func Command(c *cli.CLI) *cobra.Command {
	t := &commands{c}
	return cli.Group("tracking", "Try and document what Bloomreach receives",
		"Try what Bloomreach receives of a store, or document it.",
		t.preview(), t.sample(),
		&cobra.Command{
			Use:     "docs",
			Short:   "Write what Bloomreach receives, docs/tracking.md",
			Long:    "Write each event, status and attribute that Bloomreach can receive, as Markdown. make docs writes docs/tracking.md with it.",
			Example: "  rechargeflow tracking docs > docs/tracking.md",
			Args:    cli.NoArguments,
			RunE:    cli.PrintPage(command.Page),
		})
}
