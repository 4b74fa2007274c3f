package admin

import (
	"context"
	"fmt"
	"strconv"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

// Kind is what is wrong with a topic.
type Kind string

// The kinds.
const (
	KindMissing    Kind = "missing"    // the topic does not exist
	KindPartitions Kind = "partitions" // it has another number of partitions
	KindReplicas   Kind = "replicas"   // a partition has fewer replicas
	KindConfig     Kind = "config"     // a setting keeps less than it must
	KindRights     Kind = "rights"     // this client may not read, write or describe it as it must
)

// Kinds lists the kinds.
func Kinds() []Kind { return []Kind{KindMissing, KindPartitions, KindReplicas, KindConfig, KindRights} }

// Finding is something that is wrong with a topic. The text names the topic and says what to do.
type Finding struct {
	Topic string // empty for missing rights to a group, to transactions or to the cluster
	Kind  Kind
	Text  string
}

// Inspect compares topics with requirements, like Check, while a process runs: with two metadata requests, one for the settings, and
// one for each right to something else than a topic. It also compares retention.
func Inspect(ctx context.Context, cluster kafka.Cluster, need Requirements) ([]Finding, error) {
	if err := cluster.Validate(); err != nil {
		return nil, fmt.Errorf("inspect topics: %w", err)
	}
	pool := conn.Open(cluster)
	defer pool.Close()
	seen, err := survey(ctx, pool, need)
	if err != nil {
		return nil, fmt.Errorf("inspect topics: %w", err)
	}
	findings := missingRights(pool, seen.missing)
	for _, want := range seen.visible {
		add := func(kind Kind, texts ...string) {
			for _, text := range texts {
				findings = append(findings, Finding{Topic: want.Name, Kind: kind, Text: text})
			}
		}
		topic, ok := seen.existing[want.Name]
		if !ok {
			add(KindMissing, missing(want))
			continue
		}
		if wrong := wrongCount(want, topic, need.Partitions); wrong != "" {
			add(KindPartitions, wrong)
		}
		add(KindReplicas, tooFewReplicas(want, topic)...)
		if have, ok := seen.configs[want.Name]; ok {
			add(KindConfig, append(wrongConfigs(want, have), shorter(want, have)...)...)
		}
	}
	return findings, nil
}

// shorter returns the settings of a topic that keep records for less time or in less space than they should. More is no harm.
func shorter(want TopicSpec, have map[string]string) (found []string) {
	for _, key := range []string{"retention.ms", "retention.bytes", "delete.retention.ms"} {
		if least, is := amount(want.Configs[key]), amount(have[key]); want.Configs[key] != "" && is < least {
			found = append(found, fmt.Sprintf("topic %s has %s %q, not %q: `rechargeflow topics apply` changes it", want.Name, key, have[key], want.Configs[key]))
		}
	}
	return found
}

// amount parses a setting whose value -1 means that there is no limit.
func amount(text string) uint64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return uint64(n) // -1 is the largest number
}
