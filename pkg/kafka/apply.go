package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go"
)

// Apply makes a cluster's topics what they should be and returns what Plan found beforehand. Where one change is refused
// nothing is changed, and the error is ErrRefused with all the reasons. Applied twice it changes nothing more; two
// processes may apply at once.
func Apply(ctx context.Context, cluster Cluster, spec Spec) ([]Change, error) {
	if err := cluster.validate(); err != nil {
		return nil, fmt.Errorf("apply topics: %w", err)
	}
	connections := cluster.connect()
	defer connections.close()
	changes, err := connections.plan(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("apply topics: %w", err)
	}
	if err := refusals(changes); err != nil {
		return changes, fmt.Errorf("apply topics: %w", err)
	}
	if err := connections.create(ctx, spec, changes); err != nil {
		return changes, fmt.Errorf("apply topics: %w", err)
	}
	if err := connections.alter(ctx, changes); err != nil {
		return changes, fmt.Errorf("apply topics: %w", err)
	}
	return changes, nil
}

func refusals(changes []Change) error {
	var reasons []string
	for _, change := range changes {
		if change.Action == ActionRefuse {
			reasons = append(reasons, change.String())
		}
	}
	if len(reasons) == 0 {
		return nil
	}
	return fmt.Errorf("%w, nothing was changed: %s", ErrRefused, strings.Join(reasons, "; "))
}

// create creates the missing topics. One that another process created meanwhile is fine.
func (c *connections) create(ctx context.Context, spec Spec, changes []Change) error {
	missing := make(map[string]bool)
	for _, change := range changes {
		missing[change.Topic] = missing[change.Topic] || change.Action == ActionCreate
	}
	request := &kafka.CreateTopicsRequest{}
	for _, topic := range spec.Topics {
		if missing[topic.Name] {
			request.Topics = append(request.Topics, topicConfig(topic))
		}
	}
	if len(request.Topics) == 0 {
		return nil
	}
	answer, err := c.client().CreateTopics(ctx, request)
	if err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	for _, topic := range request.Topics {
		if err := answer.Errors[topic.Topic]; err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", topic.Topic, err)
		}
	}
	return nil
}

func topicConfig(topic TopicSpec) kafka.TopicConfig {
	config := kafka.TopicConfig{
		Topic: topic.Name, NumPartitions: topic.Partitions, ReplicationFactor: topic.Replication,
	}
	for key, value := range topic.Configs {
		config.ConfigEntries = append(config.ConfigEntries, kafka.ConfigEntry{ConfigName: key, ConfigValue: value})
	}
	return config
}

// alter sets the settings that differ, and only those.
func (c *connections) alter(ctx context.Context, changes []Change) error {
	request := &kafka.IncrementalAlterConfigsRequest{}
	for _, change := range changes {
		if change.Action != ActionConfig {
			continue
		}
		last := len(request.Resources) - 1
		if last < 0 || request.Resources[last].ResourceName != change.Topic {
			request.Resources = append(request.Resources, kafka.IncrementalAlterConfigsRequestResource{
				ResourceType: kafka.ResourceTypeTopic, ResourceName: change.Topic,
			})
			last++
		}
		request.Resources[last].Configs = append(request.Resources[last].Configs, kafka.IncrementalAlterConfigsRequestConfig{
			Name: change.Config, Value: change.To, ConfigOperation: kafka.ConfigOperationSet,
		})
	}
	if len(request.Resources) == 0 {
		return nil
	}
	answer, err := c.client().IncrementalAlterConfigs(ctx, request)
	if err != nil {
		return fmt.Errorf("change topic settings: %w", err)
	}
	for _, resource := range answer.Resources {
		if resource.Error != nil {
			return fmt.Errorf("change settings of topic %s: %w", resource.ResourceName, resource.Error)
		}
	}
	return nil
}
