package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

// Apply changes the topics of a cluster to match a spec and returns what Plan found before. If one change is refused nothing is
// changed, and the error is ErrRefused with all reasons. It is idempotent, and processes may apply concurrently.
func Apply(ctx context.Context, cluster kafka.Cluster, spec Spec) ([]Change, error) {
	if err := cluster.Validate(); err != nil {
		return nil, fmt.Errorf("apply topics: %w", err)
	}
	pool := conn.Open(cluster)
	defer pool.Close()
	changes, err := plan(ctx, pool, spec)
	if err != nil {
		return nil, fmt.Errorf("apply topics: %w", err)
	}
	if err := refusals(changes); err != nil {
		return changes, fmt.Errorf("apply topics: %w", err)
	}
	if err := create(ctx, pool, spec, changes); err != nil {
		return changes, fmt.Errorf("apply topics: %w", err)
	}
	if err := alter(ctx, pool, changes); err != nil {
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

// create creates the missing topics. Another process may create one meanwhile.
func create(ctx context.Context, pool *conn.Pool, spec Spec, changes []Change) error {
	missing := make(map[string]bool)
	for _, change := range changes {
		missing[change.Topic] = missing[change.Topic] || change.Action == ActionCreate
	}
	request := &kafkago.CreateTopicsRequest{}
	for _, topic := range spec.Topics {
		if missing[topic.Name] {
			request.Topics = append(request.Topics, topicConfig(topic))
		}
	}
	if len(request.Topics) == 0 {
		return nil
	}
	answer, err := conn.Plain(pool.Client().CreateTopics(ctx, request))
	if err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	for _, topic := range request.Topics {
		if err := answer.Errors[topic.Topic]; err != nil && !errors.Is(err, kafkago.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", topic.Topic, err)
		}
	}
	return nil
}

func topicConfig(topic TopicSpec) kafkago.TopicConfig {
	config := kafkago.TopicConfig{
		Topic: topic.Name, NumPartitions: topic.Partitions, ReplicationFactor: topic.Replication,
	}
	for key, value := range topic.Configs {
		config.ConfigEntries = append(config.ConfigEntries, kafkago.ConfigEntry{ConfigName: key, ConfigValue: value})
	}
	return config
}

// alter changes the settings that differ.
func alter(ctx context.Context, pool *conn.Pool, changes []Change) error {
	request := &kafkago.IncrementalAlterConfigsRequest{}
	for _, change := range changes {
		if change.Action != ActionConfig {
			continue
		}
		last := len(request.Resources) - 1
		if last < 0 || request.Resources[last].ResourceName != change.Topic {
			request.Resources = append(request.Resources, kafkago.IncrementalAlterConfigsRequestResource{
				ResourceType: kafkago.ResourceTypeTopic, ResourceName: change.Topic,
			})
			last++
		}
		request.Resources[last].Configs = append(request.Resources[last].Configs, kafkago.IncrementalAlterConfigsRequestConfig{
			Name: change.Config, Value: change.To, ConfigOperation: kafkago.ConfigOperationSet,
		})
	}
	if len(request.Resources) == 0 {
		return nil
	}
	answer, err := conn.Plain(pool.Client().IncrementalAlterConfigs(ctx, request))
	if err != nil {
		return fmt.Errorf("alter topic configs: %w", err)
	}
	for _, resource := range answer.Resources {
		if resource.Error != nil {
			return fmt.Errorf("alter configs of topic %s: %w", resource.ResourceName, resource.Error)
		}
	}
	return nil
}
