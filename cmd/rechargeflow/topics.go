package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
)

func (c *commands) topicsCommand() *cobra.Command {
	return cli.Group("topics", "Compare or create the topics",
		"Compare the topics of the brokers with those that Rechargeflow needs, or create and adjust them.",
		c.topics(admin.Plan, &cobra.Command{
			Use:   "plan",
			Short: "Compare the topics of the brokers with the topics file; change nothing",
			Long: `Compare the topics of the brokers with the topics file and print a line for each topic. Nothing is changed.
The command fails if topics apply would refuse a change.`,
			Example: `  rechargeflow topics plan --config rechargeflow.yaml`,
		}),
		c.topics(admin.Apply, &cobra.Command{
			Use:   "apply",
			Short: "Create and adjust the topics; refuse changes that could harm records",
			Long: `Create and adjust the topics as the topics file describes them and print a line for each topic.
A change that could harm records, such as another number of partitions, is refused, and the command fails.`,
			Example: `  rechargeflow topics apply --config rechargeflow.yaml`,
		}))
}

// topics returns a command that plans or applies topics, and prints one line per finding.
func (c *commands) topics(work func(context.Context, kafka.Cluster, admin.Spec) ([]admin.Change, error), command *cobra.Command) *cobra.Command {
	s := c.AddSettings(command)
	file := command.Flags().String("file", "", "topics `file` in place of the built-in one, configs/topics.yaml")
	_ = command.MarkFlagFilename("file", "yaml", "yml") // the flag was just added
	command.Args = cli.NoArguments
	command.RunE = func(command *cobra.Command, _ []string) error {
		loaded, err := s.Load()
		if err != nil {
			return err
		}
		if len(loaded.Config.Kafka.Brokers) == 0 {
			return cli.Setting(errors.New("kafka.brokers is empty: the embedded broker creates its topics itself; set kafka.brokers for a cluster"))
		}
		spec, err := topicsSpec(*file, loaded.Config.Kafka)
		if err != nil {
			return cli.Setting(err)
		}
		cluster, err := cli.ClusterOf(loaded.Config)
		if err != nil {
			return err
		}
		changes, err := work(command.Context(), cluster, spec)
		refused := 0
		for _, change := range changes {
			cli.Printf(command.OutOrStdout(), "%v\n", change)
			if change.Action == admin.ActionRefuse {
				refused++
			}
		}
		if err == nil && refused > 0 {
			return fmt.Errorf("changes refused: %d", refused)
		}
		return err
	}
	return command
}

// topicsSpec reads the topics file, or the built-in one, with the configured prefix and durability.
func topicsSpec(file string, k config.Kafka) (admin.Spec, error) {
	if file == "" {
		return app.BuiltInTopics(k)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return admin.Spec{}, fmt.Errorf("read topics: %w", err)
	}
	return app.ParseTopics(content, k)
}
