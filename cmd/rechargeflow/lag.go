package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

func (c *commands) lagCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "lag",
		Short: "Print the lag of each consumer group",
		Long: `Print a line for each consumer group: the records that it has not committed, how many seconds the oldest of them is old and in which
partition it is (WORST), and how many members consume the group. -v, or --partitions, prints each partition with its offsets and the member
that consumes it.
With --max-records or --max-seconds the command fails if a partition exceeds the limit.`,
		Example: `  rechargeflow lag --config rechargeflow.yaml
  rechargeflow lag -v
  rechargeflow lag --json --max-seconds 60`,
		Args: cli.NoArguments,
	}
	s := c.AddSettings(command)
	asJSON := command.Flags().Bool("json", false, "print JSON, one array of partitions")
	partitions := command.Flags().BoolP("partitions", "v", false, "print a line per partition")
	var limits lagLimits
	command.Flags().Int64Var(&limits.records, "max-records", -1, "fail if a partition has more uncommitted `records`; negative: no limit")
	command.Flags().Float64Var(&limits.seconds, "max-seconds", -1, "fail if an uncommitted record is older than this number of `seconds`; negative: no limit")
	command.RunE = func(command *cobra.Command, _ []string) error {
		if *asJSON && *partitions {
			return cli.Usage(errors.New("--json and --partitions exclude each other: JSON has the partitions"))
		}
		loaded, err := s.Load()
		if err != nil {
			return err
		}
		lags, err := readLags(command.Context(), loaded.Config)
		if err != nil {
			return cli.Explained(loaded.Config, err)
		}
		if err := lagPrinter(*asJSON, *partitions)(command.OutOrStdout(), lags); err != nil {
			return err
		}
		if len(loaded.Config.Stores) == 0 {
			cli.Printf(command.ErrOrStderr(), "%s: no store is configured, so the groups of stores (%s) are missing: "+
				"name a file that lists the stores with --config or %s\n",
				command.CommandPath(), strings.Join(groupsOfStores(loaded.Config), ", "), cli.ConfigVariable)
		}
		return limits.check(lags)
	}
	return command
}

// groupsOfStores names the groups that each store has.
func groupsOfStores(cfg config.Config) (names []string) {
	const store = "{store}"
	for _, group := range (topology.Topics{Prefix: cfg.Kafka.TopicPrefix}).Groups(func(topology.Role) []string { return []string{store} }) {
		if strings.HasSuffix(group.Name, store) {
			names = append(names, group.Name)
		}
	}
	return names
}

func readLags(ctx context.Context, cfg config.Config) ([]admin.Lag, error) {
	cluster, err := cli.ClusterOf(cfg)
	if err != nil {
		return nil, err
	}
	reader, err := admin.NewLagReader(cluster, time.Now)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	var readings []admin.LagQuery
	for _, group := range app.Groups(cfg) {
		partitions, err := reader.Partitions(ctx, group.Topics...)
		if err != nil {
			return nil, err
		}
		readings = append(readings, admin.LagQuery{Group: group.Name, Membership: group.Membership, Partitions: partitions})
	}
	lags, err := reader.Read(ctx, readings...)
	if err != nil {
		return nil, err
	}
	return lags, reader.Members(ctx, lags)
}

// lagLimits are the largest allowed lags of a partition; below 0 is no limit.
type lagLimits struct {
	records int64
	seconds float64
}

// check returns an error for each partition whose lag exceeds a limit.
func (l lagLimits) check(lags []admin.Lag) error {
	var beyond []error
	for _, lag := range lags {
		where := fmt.Sprintf("group %s, partition %d of %s", lag.Group, lag.Partition, lag.Topic)
		if l.records >= 0 && lag.Records > l.records {
			beyond = append(beyond, fmt.Errorf("%s: %d records behind, more than %d", where, lag.Records, l.records))
		}
		if l.seconds >= 0 && lag.Age.Seconds() > l.seconds {
			beyond = append(beyond, fmt.Errorf("%s: %.1f s behind, more than %v", where, lag.Age.Seconds(), l.seconds))
		}
	}
	return errors.Join(beyond...)
}
