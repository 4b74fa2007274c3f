package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

func (c *commands) configCommand() *cobra.Command {
	return cli.Group("config", "Check, print or document the configuration",
		"Check the configuration, print its values, or write the reference of all keys.",
		c.configCheck(), c.configPrint(), configDocs())
}

// configCheck reads everything that `run` would read and prints the faults.
func (c *commands) configCheck() *cobra.Command {
	command := &cobra.Command{
		Use:   "check [role...]",
		Short: "Report all errors of the configuration",
		Long:  `Report all errors of the configuration and of the files that kafka.tls names. It does not connect to the brokers. With roles, only what these roles use must be given: each role needs its own secrets alone.`,
		Example: `  rechargeflow config check --config rechargeflow.yaml
  rechargeflow config check gateway`,
		Args:              onlyRoles,
		ValidArgsFunction: cli.CompleteRoles(topology.Roles()),
	}
	s := c.AddSettings(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		loaded, err := check(s, rolesOr(args)...)
		if err != nil {
			return err
		}
		for _, warning := range loaded.Warnings {
			cli.Printf(command.ErrOrStderr(), "warning: %v\n", warning)
		}
		for _, store := range loaded.Config.Stores {
			if store.SMS.Driver != config.SMSNone {
				cli.Printf(command.OutOrStdout(), "store %s texts %s (sms.consent: %s)\n", store.Name, consent.Mode(store.SMS.Consent).Explain(), store.SMS.Consent)
			}
		}
		cli.Printf(command.OutOrStdout(), "configuration is valid, stores: %d\n", len(loaded.Config.Stores))
		return nil
	}
	return command
}

// configPrint prints the configuration as far as it is valid, and the faults like configCheck.
func (c *commands) configPrint() *cobra.Command {
	command := &cobra.Command{
		Use:   "print",
		Short: "Print every key, its value and its origin; secrets as ***",
		Long: `Print every key, its value and its origin: the default, a line of the file, or a variable of the
environment. Secrets are printed as ***. Errors of the configuration are reported too.`,
		Example: `  rechargeflow config print | grep kafka`,
		Args:    cli.NoArguments,
	}
	s := c.AddSettings(command)
	command.RunE = func(command *cobra.Command, _ []string) error {
		loaded, fault := check(s, config.Roles()...)
		if err := loaded.Print(command.OutOrStdout()); err != nil {
			return err
		}
		return fault
	}
	return command
}

// onlyRoles refuses arguments that are not roles.
func onlyRoles(_ *cobra.Command, args []string) error {
	for _, name := range args {
		if !slices.Contains(config.Roles(), name) {
			return cli.Usage(fmt.Errorf("there is no role %q; roles are %s", name, app.JoinRoles(topology.Roles())))
		}
	}
	return nil
}

// check reads the configuration and its files, and returns every fault that would stop `run` with these roles.
func check(s *cli.Settings, roles ...string) (config.Loaded, error) {
	loaded, err := s.Load(roles...)
	if err != nil {
		return loaded, err
	}
	if _, err := app.Cluster(loaded.Config.Kafka, nil); err != nil {
		return loaded, cli.Faults(err, "faults in the files of kafka.tls")
	}
	return loaded, nil
}

func configDocs() *cobra.Command {
	return &cobra.Command{
		Use:     "docs",
		Short:   "Write the reference of all keys, docs/configuration.md",
		Long:    "Write the reference of all keys as Markdown. make docs writes docs/configuration.md with it.",
		Example: "  rechargeflow config docs > docs/configuration.md",
		Args:    cli.NoArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			return config.WriteReference(command.OutOrStdout())
		},
	}
}
