package conn

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/segmentio/kafka-go"
)

// Partitions returns the ids of a topic's partitions in order, for who reads it. The error is ErrNoTopic if the topic does not exist, and a
// *DeniedError if this client may not know whether it does.
func (p *Pool) Partitions(ctx context.Context, topic string) ([]int, error) {
	answer, err := Plain(p.Client().Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}}))
	if err != nil {
		return nil, fmt.Errorf("fetch metadata of topic %s: %w", topic, err)
	}
	for _, t := range answer.Topics {
		switch {
		case t.Name != topic:
		case errors.Is(t.Error, kafka.UnknownTopicOrPartition):
			return nil, p.missing(ctx, topic)
		case t.Error != nil:
			return nil, fmt.Errorf("fetch metadata of topic %s: %w", topic, p.Explain(t.Error, TopicRight(OperationRead, topic)))
		default:
			ids := make([]int, 0, len(t.Partitions))
			for _, partition := range t.Partitions {
				ids = append(ids, partition.ID)
			}
			slices.Sort(ids)
			return ids, nil
		}
	}
	return nil, p.missing(ctx, topic)
}

// missing returns why a topic is not in the metadata.
func (p *Pool) missing(ctx context.Context, topic string) error {
	access, err := p.TopicAccess(ctx, topic)
	switch {
	case err == nil && access[topic].Denied:
		return fmt.Errorf("topic %s: %w", topic, p.Denied(TopicRight(OperationRead, topic), kafka.TopicAuthorizationFailed))
	default:
		return fmt.Errorf("topic %s: %w", topic, ErrNoTopic)
	}
}

// TopicConfigs returns the settings of topics, by topic and name, and the topics that this client may not ask for.
func (p *Pool) TopicConfigs(ctx context.Context, topics ...string) (configs map[string]map[string]string, without []string, err error) {
	configs = make(map[string]map[string]string)
	if len(topics) == 0 {
		return configs, nil, nil
	}
	request := &kafka.DescribeConfigsRequest{}
	for _, topic := range topics {
		request.Resources = append(request.Resources, kafka.DescribeConfigRequestResource{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
		})
	}
	answer, err := Plain(p.Client().DescribeConfigs(ctx, request))
	if err != nil {
		return nil, nil, fmt.Errorf("describe topic configs: %w", err)
	}
	for _, resource := range answer.Resources {
		switch {
		case errors.Is(resource.Error, kafka.TopicAuthorizationFailed):
			without = append(without, resource.ResourceName)
			continue
		case errors.Is(resource.Error, kafka.UnknownTopicOrPartition):
			continue
		case resource.Error != nil:
			return nil, nil, fmt.Errorf("describe configs of topic %s: %w", resource.ResourceName, resource.Error)
		}
		values := make(map[string]string)
		for _, entry := range resource.ConfigEntries {
			values[entry.ConfigName] = entry.ConfigValue
		}
		configs[resource.ResourceName] = values
	}
	return configs, without, nil
}
