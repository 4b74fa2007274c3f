package admin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

// Requirements is what a process needs of a cluster.
type Requirements struct {
	// Topics must exist with the same number of partitions, whatever it is, because a key must have the same partition number in
	// all topics; a topic with OwnPartitions must have its own. Replication and min.insync.replicas are minimums, cleanup.policy must
	// be equal; other settings are ignored.
	Topics []TopicSpec
	// Partitions is that number of partitions; the zero value accepts any.
	Partitions kafka.PartitionCount
	// Rights are needed of brokers that use ACLs. DescribeConfigs on each of Topics is needed in any case.
	Rights []kafka.Right
}

// CheckError lists requirements that are not met. Each finding says what to do.
type CheckError struct {
	// Waiting are findings that may go away while a process waits, such as by `rechargeflow topics apply`.
	Waiting []string
	// Permanent are findings that waiting does not fix.
	Permanent []string
}

// Error returns all findings on one line, permanent ones first.
func (u *CheckError) Error() string {
	return "kafka does not meet the requirements: " + strings.Join(append(slices.Clone(u.Permanent), u.Waiting...), "; ")
}

// Check checks the request versions that every broker supports, the topics, and the rights. It changes nothing. The error is a
// *CheckError with all findings, or says why the brokers did not answer: kafka.ErrAccess if the configuration must be changed.
func Check(ctx context.Context, cluster kafka.Cluster, need Requirements) error {
	if err := cluster.Validate(); err != nil {
		return fmt.Errorf("check kafka: %w", err)
	}
	pool := conn.Open(cluster)
	defer pool.Close()
	brokers, err := brokersOf(ctx, pool)
	if err != nil {
		return fmt.Errorf("check kafka: %w", err)
	}
	found := &CheckError{}
	if found.Permanent, err = checkVersions(ctx, cluster, brokers); err != nil {
		return fmt.Errorf("check kafka: %w", err)
	}
	if err := checkTopics(ctx, pool, need, found); err != nil {
		return fmt.Errorf("check kafka: %w", err)
	}
	if len(found.Permanent)+len(found.Waiting) == 0 {
		return nil
	}
	return found
}

func brokersOf(ctx context.Context, pool *conn.Pool) ([]kafkago.Broker, error) {
	answer, err := conn.Plain(pool.Client().Metadata(ctx, &kafkago.MetadataRequest{}))
	if err != nil {
		return nil, fmt.Errorf("fetch metadata: %w", err)
	}
	return answer.Brokers, nil
}

func checkTopics(ctx context.Context, pool *conn.Pool, need Requirements, found *CheckError) error {
	seen, err := survey(ctx, pool, need)
	if err != nil {
		return err
	}
	for _, right := range seen.missing {
		found.Waiting = append(found.Waiting, pool.Denied(right, nil).Error())
	}
	counts := make(map[int][]string)
	for _, want := range seen.visible {
		topic, ok := seen.existing[want.Name]
		if !ok {
			found.Waiting = append(found.Waiting, missing(want))
			continue
		}
		if wrong := wrongCount(want, topic, need.Partitions); wrong != "" {
			found.Permanent = append(found.Permanent, wrong)
			continue
		}
		if used := need.Partitions.Used(len(topic.Partitions)); !want.OwnPartitions {
			counts[used] = append(counts[used], want.Name)
		}
		found.Permanent = append(found.Permanent, tooFewReplicas(want, topic)...)
		if have, ok := seen.configs[want.Name]; ok {
			found.Waiting = append(found.Waiting, wrongConfigs(want, have)...)
		}
	}
	if len(counts) > 1 {
		found.Permanent = append(found.Permanent, fmt.Sprintf(
			"topics have different numbers of partitions (%s), must have the same: rebuild into fresh topics", tally(counts)))
	}
	return nil
}

func missing(want TopicSpec) string {
	return fmt.Sprintf("topic %s is missing: `rechargeflow topics apply` creates it", want.Name)
}

// wrongCount returns what is wrong with the number of a topic's partitions; "" if nothing is.
func wrongCount(want TopicSpec, topic kafkago.Topic, count kafka.PartitionCount) string {
	have := len(topic.Partitions)
	switch {
	case want.OwnPartitions && have == want.Partitions:
		return ""
	case want.OwnPartitions:
		return fmt.Sprintf("topic %s has %d partitions, must have %d: create it again with `rechargeflow topics apply`", want.Name, have, want.Partitions)
	case count.Check(want.Name, have) == nil:
		return ""
	case have > count.Count:
		return fmt.Sprintf("topic %s has %d partitions, not %d (kafka.partitions), and Kafka can't remove partitions: "+
			"set kafka.extra_partitions to ignore to leave the new ones unused, if nothing else writes to the topic", want.Name, have, count.Count)
	}
	return fmt.Sprintf("topic %s has %d partitions, not %d (kafka.partitions): set the number with which the topics were created", want.Name, have, count.Count)
}

func tooFewReplicas(want TopicSpec, topic kafkago.Topic) []string {
	for _, partition := range topic.Partitions {
		if have := len(partition.Replicas); have < want.Replication {
			return []string{fmt.Sprintf(
				"partition %d of topic %s has %d replicas, not %d: add replicas with kafka-reassign-partitions, or change kafka.durability",
				partition.ID, want.Name, have, want.Replication)}
		}
	}
	return nil
}

func wrongConfigs(want TopicSpec, have map[string]string) (found []string) {
	const least, policy = "min.insync.replicas", "cleanup.policy"
	wrong := map[string]bool{
		policy: want.Configs[policy] != "" && have[policy] != want.Configs[policy],
		least:  number(have[least]) < number(want.Configs[least]),
	}
	for _, key := range []string{policy, least} {
		if wrong[key] {
			found = append(found, fmt.Sprintf("topic %s has %s %q, not %q: `rechargeflow topics apply` changes it",
				want.Name, key, have[key], want.Configs[key]))
		}
	}
	return found
}

// number parses a number, 0 for an invalid one.
func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// tally formats topics by number of partitions, such as "6: a, b; 12: c".
func tally(counts map[int][]string) string {
	var each []string
	for _, count := range slices.Sorted(maps.Keys(counts)) {
		each = append(each, fmt.Sprintf("%d: %s", count, strings.Join(counts[count], ", ")))
	}
	return strings.Join(each, "; ")
}
