package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // time zones, for images that have none

	"github.com/spf13/cobra"
	_ "golang.org/x/crypto/x509roots/fallback" // certificates of public authorities, likewise; the system's come first

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
)

func main() {
	os.Exit(untilSignal())
}

// untilSignal runs the command named by the arguments. The first SIGTERM or SIGINT stops it gracefully, the second kills the
// process.
func untilSignal() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop)
	return execute(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
}

// version is set by the linker for a release: -ldflags "-X main.version=v1.2.3". The linker can set package variables only.
var version string

func (c *commands) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this build",
		Long:    "Print the version, the commit and the Go release of this build.",
		Example: "  rechargeflow version",
		Args:    cli.NoArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			v := c.Version
			cli.Printf(command.OutOrStdout(), "rechargeflow %s, commit %s, %s\n", v.Version, v.Commit, v.Go)
			return nil
		},
	}
}
