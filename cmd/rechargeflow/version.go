package main

import (
	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// version is set by the linker for a release: -ldflags "-X main.version=v1.2.3". The linker can set package variables only.
var version string

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this build",
		Long:    "Print the version, the commit and the Go release of this build.",
		Example: "  rechargeflow version",
		Args:    noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			v := telemetry.ReadVersion(version)
			printf(command.OutOrStdout(), "rechargeflow %s, commit %s, %s\n", v.Version, v.Commit, v.Go)
			return nil
		},
	}
}
