package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2 // wrong usage or configuration: the same call fails again
	exitDrift  = 3 // flows apply --dry-run: something would change
)

// cli is what the commands share. Only main reads the environment and uses the standard streams.
type cli struct {
	environ []string
}

// execute runs the command that args name, prints its error, and returns the exit code.
func execute(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	root := newRoot(environ)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	return report(stderr, command, err)
}

func newRoot(environ []string) *cobra.Command {
	c := &cli{environ: environ}
	root := group("rechargeflow", "Bring Recharge's webhooks to Bloomreach and into text messages",
		`Rechargeflow brings Recharge's webhooks to Bloomreach and into text messages.

The configuration is the file that --config names, else the one that RECHARGEFLOW_CONFIG names, else
./rechargeflow.yaml if it exists. The environment overrides the file: RECHARGEFLOW_GATEWAY_LISTEN is
gateway.listen. configs/rechargeflow.yaml explains every key.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 flows apply --dry-run would change something.`,
		c.runCommand(), c.configCommand(), c.webhooksCommand(), c.flowsCommand(), c.topicsCommand(), c.smsCommand(), c.quietHoursCommand(), c.deadLetterCommand(), c.consentCommand(), c.lagCommand(), c.readyCommand(), versionCommand())
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	return root
}

// group is a command that only contains subcommands.
func group(name, short, long string, commands ...*cobra.Command) *cobra.Command {
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
				return usage(fmt.Errorf("no command given, expected one of %s", strings.Join(names, ", ")))
			}
			if meant := command.SuggestionsFor(args[0]); len(meant) > 0 {
				return usage(fmt.Errorf("unknown command %q, did you mean %s?", args[0], strings.Join(meant, " or ")))
			}
			return usage(fmt.Errorf("unknown command %q, expected one of %s", args[0], strings.Join(names, ", ")))
		},
	}
	g.AddCommand(commands...)
	return g
}

// noArguments refuses arguments that are not flags.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(fmt.Errorf("unexpected argument %q", args[0]))
	}
	return nil
}

// counted makes the wrong number of arguments a usage error.
func counted(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		if err := check(command, args); err != nil {
			return usage(err)
		}
		return nil
	}
}

// mistake is an error that the same call would return again: exit code 2.
type mistake struct {
	error

	hint bool // whether the command's help shows what to change
	list bool // whether each line names its origin, as faults of a file do
}

// Unwrap returns the cause.
func (m mistake) Unwrap() error { return m.error }

// usage marks an error as wrong usage of a command.
func usage(err error) error { return mistake{error: err, hint: true} }

// setting marks an error as caused by a setting.
func setting(err error) error { return mistake{error: err} }

// faults marks configuration faults, one per line, and adds a summary line.
func faults(err error, sum string) error {
	return mistake{error: fmt.Errorf("%w\nrechargeflow: %s", err, sum), list: true}
}

// errReported makes a command fail without another message: the log has the cause.
var errReported = errors.New("failed")

// errDrift means that flows are not as a file has them.
var errDrift = errors.New("flows differ from the file")

// report prints err as the last line and returns its exit code.
func report(w io.Writer, command *cobra.Command, err error) int {
	if err == nil {
		return exitOK
	}
	if errors.Is(err, errReported) {
		return exitFailed
	}
	var m mistake
	isMistake := errors.As(err, &m)
	if m.list {
		printf(w, "%v\n", err)
	} else {
		printf(w, "%s: %v\n", command.CommandPath(), err)
	}
	if m.hint {
		printf(w, "run \"%s --help\"\n", command.CommandPath())
	}
	switch {
	case isMistake:
		return exitUsage
	case errors.Is(err, errDrift):
		return exitDrift
	}
	return exitFailed
}

// printf writes to a standard stream. It ignores errors: then nobody reads that stream.
func printf(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format, args...)
}
