package main

import (
	"context"
	"fmt"
	"os"

	"github.com/rechargeflow/rechargeflow/configs"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// topicsWork is kafka.Plan or kafka.Apply.
type topicsWork func(ctx context.Context, cluster kafka.Cluster, spec kafka.Spec) ([]kafka.Change, error)

func topicsPlan(ctx context.Context, c call) int { return topics(ctx, c, kafka.Plan) }

func topicsApply(ctx context.Context, c call) int { return topics(ctx, c, kafka.Apply) }

// topics prints one line for each finding. It fails when something differs that apply refuses to change.
func topics(ctx context.Context, c call, work topicsWork) int {
	o := newConfigOptions(c)
	file := o.set.String("file", "", "topics `file` in place of the built-in one, configs/topics.yaml")
	if code, ok := o.parseAlone(c); !ok {
		return code
	}
	loaded, ok := o.load(c)
	if !ok {
		return exitUsage
	}
	if len(loaded.Config.Kafka.Brokers) == 0 {
		say(c.stderr, "rechargeflow %s: kafka.brokers is empty: the embedded broker makes its topics itself; set kafka.brokers for a cluster\n", c.command.name)
		return exitUsage
	}
	spec, err := topicsSpec(*file, loaded.Config.Kafka)
	if err != nil {
		say(c.stderr, "rechargeflow %s: %v\n", c.command.name, err)
		return exitUsage
	}
	cluster, err := clusterOf(loaded.Config.Kafka)
	if err != nil {
		say(c.stderr, "rechargeflow %s: %v\n", c.command.name, err)
		return exitUsage
	}
	changes, err := work(ctx, cluster, spec)
	code := exitOK
	for _, change := range changes {
		say(c.stdout, "%v\n", change)
		if change.Action == kafka.ActionRefuse {
			code = exitFailed
		}
	}
	if err != nil {
		say(c.stderr, "rechargeflow: %v\n", err)
		return exitFailed
	}
	return code
}

// topicsSpec reads the topics file, the built-in one where none is named, for this installation.
func topicsSpec(file string, k config.Kafka) (kafka.Spec, error) {
	content := configs.Topics()
	if file != "" {
		var err error
		if content, err = os.ReadFile(file); err != nil {
			return kafka.Spec{}, fmt.Errorf("read topics: %w", err)
		}
	}
	return kafka.ParseTopics(content, kafka.TopicOptions{Prefix: k.TopicPrefix, Single: k.Durability == config.DurabilitySingle})
}
