package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/deadletters"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/diagnosis"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/importing"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/initial"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/inspect"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/people"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/segments"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/setup"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/texting"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/tracking"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// commands are the commands of this package.
type commands struct{ *cli.CLI }

// execute runs the command that args name, prints its error, and returns the exit code.
func execute(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	root := newRoot(environ)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	return cli.Report(stderr, command, err)
}

func newRoot(environ []string) *cobra.Command {
	c := &commands{&cli.CLI{Environ: environ, Version: telemetry.ReadVersion(version)}}
	root := cli.Group("rechargeflow", "Bring Recharge's webhooks to Bloomreach and into text messages",
		`Rechargeflow brings Recharge's webhooks to Bloomreach and into text messages.

The configuration is the file that --config names, else the one that RECHARGEFLOW_CONFIG names, else
./rechargeflow.yaml if it exists. The environment overrides the file: RECHARGEFLOW_GATEWAY_LISTEN is
gateway.listen. configs/rechargeflow.yaml explains every key.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a --dry-run would change something.`,
		initial.Command(), diagnosis.Command(c.CLI), c.runCommand(), c.configCommand(), setup.Command(c.CLI), importing.Import(c.CLI), importing.Backfill(c.CLI), c.webhooksCommand(), c.topicsCommand(), tracking.Command(c.CLI), deadletters.Command(c.CLI), c.lagCommand(), c.readyCommand(), c.versionCommand(), manCommand())
	root.AddCommand(texting.Commands(c.CLI)...)
	root.AddCommand(segments.Command(c.CLI), people.Command(c.CLI))
	root.AddCommand(inspect.Commands(c.CLI)...)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return cli.FlagError(err) })
	return root
}
