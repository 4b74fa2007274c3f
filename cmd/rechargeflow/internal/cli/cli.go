package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// CLI is what the commands share. Only main reads the environment and uses the standard streams.
type CLI struct {
	Environ []string
	Version telemetry.Version
}

// Group is a command that only contains subcommands.
func Group(name, short, long string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{
		Use: name, Short: short, Long: long,
		SuggestionsMinimumDistance: 2,

		Args:               cobra.ArbitraryArgs, // for an error that lists the commands
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
		RunE: func(command *cobra.Command, args []string) error {
			var names []string
			for _, sub := range command.Commands() {
				if sub.IsAvailableCommand() {
					names = append(names, sub.Name())
				}
			}
			if len(args) == 0 {
				return Usage(fmt.Errorf("no command given, expected one of %s", strings.Join(names, ", ")))
			}
			if meant := command.SuggestionsFor(args[0]); len(meant) > 0 {
				return Usage(fmt.Errorf("unknown command %q, did you mean %s?", args[0], strings.Join(meant, " or ")))
			}
			return Usage(fmt.Errorf("unknown command %q, expected one of %s", args[0], strings.Join(names, ", ")))
		},
	}
	g.AddCommand(commands...)
	return g
}

// NoArguments refuses arguments that are not flags.
func NoArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return Usage(fmt.Errorf("unexpected argument %q", args[0]))
	}
	return nil
}

// Counted makes the wrong number of arguments a usage error.
func Counted(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		if err := check(command, args); err != nil {
			return Usage(err)
		}
		return nil
	}
}
