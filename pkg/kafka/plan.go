package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/segmentio/kafka-go"
)

// Action is what is to be done about a difference between a topics file and a cluster.
type Action string

const (
	// ActionOK says that the topic is as it should be.
	ActionOK Action = "ok"
	// ActionCreate says that the topic is missing and will be created.
	ActionCreate Action = "create"
	// ActionConfig says that one setting differs and will be changed.
	ActionConfig Action = "config"
	// ActionReport says that something differs which Apply leaves alone.
	ActionReport Action = "report"
	// ActionRefuse says that something differs which can't be changed without harm: Apply changes nothing at all.
	ActionRefuse Action = "refuse"
)

// Change is one finding of Plan. A topic has one or more.
type Change struct {
	Topic  string
	Action Action
	// Config, From and To are the setting of an ActionConfig, as brokers spell it.
	Config, From, To string
	// Why explains ActionReport and ActionRefuse, and says what to do instead.
	Why string
}

// String is the change as one line.
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

// Plan compares a cluster's topics with what they should be. It changes nothing. Topics that the spec does not name are
// passed over.
func Plan(ctx context.Context, cluster Cluster, spec Spec) ([]Change, error) {
	if err := cluster.validate(); err != nil {
		return nil, fmt.Errorf("plan topics: %w", err)
	}
	connections := cluster.connect()
	defer connections.close()
	changes, err := connections.plan(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("plan topics: %w", err)
	}
	return changes, nil
}

func (c *connections) plan(ctx context.Context, spec Spec) ([]Change, error) {
	existing, err := c.existing(ctx, spec)
	if err != nil {
		return nil, err
	}
	configs, err := c.configs(ctx, slices.Sorted(maps.Keys(existing)))
	if err != nil {
		return nil, err
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

// existing returns the topics of the spec that the cluster has.
func (c *connections) existing(ctx context.Context, spec Spec) (map[string]kafka.Topic, error) {
	var names []string
	for _, topic := range spec.Topics {
		names = append(names, topic.Name)
	}
	answer, err := c.client().Metadata(ctx, &kafka.MetadataRequest{Topics: names})
	if err != nil {
		return nil, fmt.Errorf("ask for topics: %w", err)
	}
	existing := make(map[string]kafka.Topic)
	for _, topic := range answer.Topics {
		switch {
		case topic.Error == nil:
			existing[topic.Name] = topic
		case !errors.Is(topic.Error, kafka.UnknownTopicOrPartition):
			return nil, fmt.Errorf("ask for topic %s: %w", topic.Name, topic.Error)
		}
	}
	return existing, nil
}

func (c *connections) configs(ctx context.Context, topics []string) (map[string]map[string]string, error) {
	if len(topics) == 0 {
		return nil, nil
	}
	request := &kafka.DescribeConfigsRequest{}
	for _, topic := range topics {
		request.Resources = append(request.Resources, kafka.DescribeConfigRequestResource{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
		})
	}
	answer, err := c.client().DescribeConfigs(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("ask for topic settings: %w", err)
	}
	configs := make(map[string]map[string]string)
	for _, resource := range answer.Resources {
		if resource.Error != nil {
			return nil, fmt.Errorf("ask for settings of topic %s: %w", resource.ResourceName, resource.Error)
		}
		values := make(map[string]string)
		for _, entry := range resource.ConfigEntries {
			values[entry.ConfigName] = entry.ConfigValue
		}
		configs[resource.ResourceName] = values
	}
	return configs, nil
}

func differences(wanted TopicSpec, topic kafka.Topic) []Change {
	var changes []Change
	if have := len(topic.Partitions); have != wanted.Partitions {
		changes = append(changes, Change{Topic: wanted.Name, Action: ActionRefuse, Why: fmt.Sprintf(
			"it has %d partitions, not %d; growing a keyed topic would re-hash every customer; rebuild into fresh topics instead",
			have, wanted.Partitions)})
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
