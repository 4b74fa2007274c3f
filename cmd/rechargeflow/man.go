package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
)

// manCommand writes the manual pages of all commands. It is hidden: packages of distributions and `make man` use it.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIRECTORY",
		Short:   "Write a manual page for each command",
		Long:    "Write a manual page for each command into a directory, which is created.",
		Example: "  rechargeflow man /usr/local/share/man/man1",
		Args:    cli.Counted(cobra.ExactArgs(1)),
		Hidden:  true,
		RunE: func(command *cobra.Command, args []string) error {
			root := command.Root()
			root.DisableAutoGenTag = true                       // no line that says what has generated the page
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // manual pages are for everybody
				return fmt.Errorf("create directory: %w", err)
			}
			header := &doc.GenManHeader{Section: "1", Source: "Rechargeflow", Manual: "Rechargeflow"}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return fmt.Errorf("write manual pages: %w", err)
			}
			return nil
		},
	}
}
