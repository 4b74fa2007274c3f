package inspect

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

type commands struct{ *cli.CLI }

// Commands returns the commands.
func Commands(c *cli.CLI) []*cobra.Command {
	i := &commands{c}
	return []*cobra.Command{i.customer(), i.explain(), i.tail()}
}

// storeOf returns the named store, or the only one.
func storeOf(cfg config.Config, name string) (config.Store, error) {
	if len(cfg.Stores) == 0 {
		return config.Store{}, cli.Setting(errors.New("no store is configured: name a file that lists the stores with --config or " + cli.ConfigVariable))
	}
	store, err := cli.PickStore(cfg.Stores, name)
	if err != nil {
		return store, cli.Usage(err)
	}
	return store, nil
}

// sourceOf returns the topics of a configuration.
func sourceOf(cfg config.Config) (timeline.Source, error) {
	cluster, err := cli.ClusterOf(cfg)
	if err != nil {
		return timeline.Source{}, err
	}
	return timeline.Source{Cluster: cluster, Topics: topology.Topics{Prefix: cfg.Kafka.TopicPrefix}, Partitions: app.PartitionCount(cfg.Kafka)}, nil
}

// stamp formats the time of a line.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// because formats a reason.
func because(e timeline.Entry) string {
	switch {
	case e.Reason == "":
		return ""
	case e.Likely:
		return "likely " + string(e.Reason)
	}
	return string(e.Reason)
}

// joined joins what is not empty.
func joined(separator string, parts ...string) string {
	var some []string
	for _, part := range parts {
		if part != "" {
			some = append(some, part)
		}
	}
	return strings.Join(some, separator)
}

// elapsed formats the time from receipt to output.
func elapsed(ms *int64) string {
	switch {
	case ms == nil:
		return ""
	case *ms < 10_000:
		return fmt.Sprintf("+%d ms", *ms)
	}
	return "+" + (time.Duration(*ms) * time.Millisecond).Round(time.Second).String()
}
