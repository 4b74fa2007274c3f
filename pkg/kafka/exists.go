package kafka

import "context"

// TopicExists asks the brokers for a topic. The error says that they don't answer, or that there is no such topic.
func TopicExists(ctx context.Context, cluster Cluster, topic string) error {
	if err := cluster.validate(); err != nil {
		return err
	}
	connections := cluster.connect(topic)
	defer connections.close()
	_, err := connections.partitions(ctx, topic)
	return err
}
