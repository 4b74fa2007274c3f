package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/segmentio/kafka-go"
)

// Requirements is what must be there before work begins.
type Requirements struct {
	// Topics must exist, all with the same number of partitions, whichever that is, since what has one key has one
	// partition number everywhere. Replication and min.insync.replicas are the least that will do, cleanup.policy is as it
	// must be; other settings are not looked at.
	Topics []TopicSpec
}

// Unmet is the error of Check when brokers answer and something is not as it must be. Each finding says what to do.
type Unmet struct {
	// Awaited is what may still come while a process waits, as by `rechargeflow topics apply`.
	Awaited []string
	// Final is what waiting does not mend.
	Final []string
}

// Error has all findings, the final ones first, on one line.
func (u *Unmet) Error() string {
	return "kafka is not ready for us: " + strings.Join(append(slices.Clone(u.Final), u.Awaited...), "; ")
}

// Check asks every broker for the versions of requests it takes, and looks at the topics. It changes nothing. The error is
// an *Unmet with everything that is missing, or says why brokers could not be asked: ErrAccess when only another
// configuration can mend that.
func Check(ctx context.Context, cluster Cluster, need Requirements) error {
	if err := cluster.validate(); err != nil {
		return fmt.Errorf("check kafka: %w", err)
	}
	connections := cluster.connect()
	defer connections.close()
	brokers, err := connections.brokers(ctx)
	if err != nil {
		return fmt.Errorf("check kafka: %w", err)
	}
	unmet := &Unmet{}
	if unmet.Final, err = cluster.misfits(ctx, brokers); err != nil {
		return fmt.Errorf("check kafka: %w", err)
	}
	if err := connections.checkTopics(ctx, need.Topics, unmet); err != nil {
		return fmt.Errorf("check kafka: %w", err)
	}
	if len(unmet.Final)+len(unmet.Awaited) == 0 {
		return nil
	}
	return unmet
}

func (c *connections) brokers(ctx context.Context) ([]kafka.Broker, error) {
	answer, err := c.client().Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return nil, fmt.Errorf("ask for brokers: %w", err)
	}
	return answer.Brokers, nil
}

func (c *connections) checkTopics(ctx context.Context, wanted []TopicSpec, unmet *Unmet) error {
	existing, err := c.existing(ctx, Spec{Topics: wanted})
	if err != nil {
		return err
	}
	configs, err := c.configs(ctx, slices.Sorted(maps.Keys(existing)))
	if err != nil {
		return err
	}
	counts := make(map[int][]string)
	for _, want := range wanted {
		topic, ok := existing[want.Name]
		if !ok {
			unmet.Awaited = append(unmet.Awaited, fmt.Sprintf("topic %s is missing: `rechargeflow topics apply` makes it", want.Name))
			continue
		}
		counts[len(topic.Partitions)] = append(counts[len(topic.Partitions)], want.Name)
		unmet.Final = append(unmet.Final, tooFewReplicas(want, topic)...)
		unmet.Awaited = append(unmet.Awaited, wrongConfigs(want, configs[want.Name])...)
	}
	if len(counts) > 1 {
		unmet.Final = append(unmet.Final, fmt.Sprintf(
			"topics have different numbers of partitions (%s), and must have the same: rebuild into fresh topics", tally(counts)))
	}
	return nil
}

func tooFewReplicas(want TopicSpec, topic kafka.Topic) []string {
	for _, partition := range topic.Partitions {
		if have := len(partition.Replicas); have < want.Replication {
			return []string{fmt.Sprintf(
				"partition %d of topic %s has %d replicas, not %d: add some with kafka-reassign-partitions, or ask for less (kafka.durability)",
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

// number is 0 for what is none.
func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// tally is such as "6: a, b; 12: c".
func tally(counts map[int][]string) string {
	var each []string
	for _, count := range slices.Sorted(maps.Keys(counts)) {
		each = append(each, fmt.Sprintf("%d: %s", count, strings.Join(counts[count], ", ")))
	}
	return strings.Join(each, "; ")
}
