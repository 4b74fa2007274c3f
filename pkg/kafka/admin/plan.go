package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

// Action is what Apply does about a topic.
type Action string

const (
	// ActionOK means that the topic matches.
	ActionOK Action = "ok"
	// ActionCreate means that the topic is missing and is created.
	ActionCreate Action = "create"
	// ActionConfig means that a setting differs and is changed.
	ActionConfig Action = "config"
	// ActionReport means that something differs that Apply does not change.
	ActionReport Action = "report"
	// ActionRefuse means that something differs that can't be changed safely: Apply changes nothing at all.
	ActionRefuse Action = "refuse"
)

// Change is one finding of Plan. A topic has one or more.
type Change struct {
	Topic  string
	Action Action
	// Config, From and To are the setting of an ActionConfig with its old and new value, as brokers spell them.
	Config, From, To string
	// Why is the reason of an ActionReport or ActionRefuse, and what to do instead.
	Why string
}

// String returns the change as one line.
func (c Change) String() string {
	switch c.Action {
	case ActionConfig:
		return fmt.Sprintf("%s: %s %s from %q to %q", c.Topic, c.Action, c.Config, c.From, c.To)
	case ActionReport, ActionRefuse:
		return fmt.Sprintf("%s: %s: %s", c.Topic, c.Action, c.Why)
	default:
		return fmt.Sprintf("%s: %s", c.Topic, c.Action)
	}
}

// Plan compares the topics of a cluster with a spec and changes nothing. It ignores topics that the spec does not name.
func Plan(ctx context.Context, cluster kafka.Cluster, spec Spec) ([]Change, error) {
	if err := cluster.Validate(); err != nil {
		return nil, fmt.Errorf("plan topics: %w", err)
	}
	pool := conn.Open(cluster)
	defer pool.Close()
	changes, err := plan(ctx, pool, spec)
	if err != nil {
		return nil, fmt.Errorf("plan topics: %w", err)
	}
	return changes, nil
}

func plan(ctx context.Context, pool *conn.Pool, spec Spec) ([]Change, error) {
	existing, err := existing(ctx, pool, spec)
	if err != nil {
		return nil, err
	}
	configs, without, err := pool.TopicConfigs(ctx, slices.Sorted(maps.Keys(existing))...)
	if err != nil {
		return nil, err
	}
	if len(without) > 0 {
		return nil, pool.Denied(conn.TopicRight(conn.OperationDescribeConfigs, without[0]), kafkago.TopicAuthorizationFailed)
	}
	var changes []Change
	for _, wanted := range spec.Topics {
		topic, ok := existing[wanted.Name]
		if !ok {
			changes = append(changes, Change{Topic: wanted.Name, Action: ActionCreate})
			continue
		}
		found := append(differences(wanted, topic), configChanges(wanted, configs[wanted.Name])...)
		if len(found) == 0 {
			found = []Change{{Topic: wanted.Name, Action: ActionOK}}
		}
		changes = append(changes, found...)
	}
	return changes, nil
}

// existing returns the topics of the spec that exist. It is an error if one can't be seen.
func existing(ctx context.Context, pool *conn.Pool, spec Spec) (map[string]kafkago.Topic, error) {
	var names []string
	for _, topic := range spec.Topics {
		names = append(names, topic.Name)
	}
	answer, err := conn.Plain(pool.Client().Metadata(ctx, &kafkago.MetadataRequest{Topics: names}))
	if err != nil {
		return nil, fmt.Errorf("fetch metadata of topics: %w", err)
	}
	existing := make(map[string]kafkago.Topic)
	var missing []string
	for _, topic := range answer.Topics {
		switch {
		case topic.Error == nil:
			existing[topic.Name] = topic
		case errors.Is(topic.Error, kafkago.UnknownTopicOrPartition):
			missing = append(missing, topic.Name)
		default:
			return nil, fmt.Errorf("fetch metadata of topic %s: %w", topic.Name, topic.Error)
		}
	}
	access, err := pool.TopicAccess(ctx, missing...)
	if err != nil {
		return nil, err
	}
	for _, topic := range missing {
		if access[topic].Denied {
			return nil, pool.Denied(conn.TopicRight(conn.OperationDescribe, topic), kafkago.TopicAuthorizationFailed)
		}
	}
	return existing, nil
}

func differences(wanted TopicSpec, topic kafkago.Topic) []Change {
	var changes []Change
	if have := len(topic.Partitions); have != wanted.Partitions {
		todo := "growing a keyed topic would re-hash every customer; rebuild into fresh topics instead"
		if wanted.OwnPartitions {
			todo = "create it again"
		}
		changes = append(changes, Change{Topic: wanted.Name, Action: ActionRefuse, Why: fmt.Sprintf(
			"it has %d partitions, not %d; %s", have, wanted.Partitions, todo)})
	}
	for _, partition := range topic.Partitions {
		if have := len(partition.Replicas); have != wanted.Replication {
			changes = append(changes, Change{Topic: wanted.Name, Action: ActionReport, Why: fmt.Sprintf(
				"partition %d has %d replicas, not %d; move it with kafka-reassign-partitions",
				partition.ID, have, wanted.Replication)})
			break
		}
	}
	return changes
}

func configChanges(wanted TopicSpec, have map[string]string) []Change {
	var changes []Change
	for _, key := range slices.Sorted(maps.Keys(wanted.Configs)) {
		if have[key] != wanted.Configs[key] {
			changes = append(changes, Change{
				Topic: wanted.Name, Action: ActionConfig, Config: key, From: have[key], To: wanted.Configs[key],
			})
		}
	}
	return changes
}
