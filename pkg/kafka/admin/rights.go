package admin

import (
	"context"
	"maps"
	"slices"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

// surveyed is what the brokers say about the requirements.
type surveyed struct {
	missing  []kafka.Right // rights
	visible  []TopicSpec   // required topics that may be seen
	existing map[string]kafkago.Topic
	configs  map[string]map[string]string // of topics whose settings may be seen
}

// survey asks the brokers for topics, settings and rights.
func survey(ctx context.Context, pool *conn.Pool, need Requirements) (surveyed, error) {
	access, err := pool.TopicAccess(ctx, topicsOf(need)...)
	if err != nil {
		return surveyed{}, err
	}
	s := surveyed{missing: missingOf(need.Rights, access)}
	s.visible = slices.DeleteFunc(slices.Clone(need.Topics), func(t TopicSpec) bool { return access[t.Name].Denied })
	if s.existing, err = existing(ctx, pool, Spec{Topics: s.visible}); err != nil {
		return surveyed{}, err
	}
	var without []string
	if s.configs, without, err = pool.TopicConfigs(ctx, namesOf(need.Topics)...); err != nil {
		return surveyed{}, err
	}
	for _, topic := range without {
		s.missing = append(s.missing, conn.TopicRight(conn.OperationDescribeConfigs, topic))
	}
	others, err := pool.MissingRights(ctx, otherRights(need.Rights, s.missing)...)
	s.missing = append(s.missing, others...)
	return s, err
}

// missingOf returns the rights to read or write topics that are missing.
func missingOf(rights []kafka.Right, access map[string]conn.TopicAccess) (missing []kafka.Right) {
	for _, right := range rights {
		asked := right.Resource == conn.ResourceTopic && right.Operation != conn.OperationDescribeConfigs
		if asked && access[right.Name].Lacks(right.Operation) {
			missing = append(missing, right)
		}
	}
	return missing
}

// otherRights returns the rights to something else than topics. With Write on a topic, idempotent writes are among them, unless
// they are missing because Write is.
func otherRights(rights, missing []kafka.Right) (others []kafka.Right) {
	writes := func(r kafka.Right) bool {
		return r.Resource == conn.ResourceTopic && r.Operation == conn.OperationWrite
	}
	for _, right := range rights {
		if right.Resource != conn.ResourceTopic {
			others = append(others, right)
		}
	}
	if slices.ContainsFunc(rights, writes) && !slices.ContainsFunc(missing, writes) {
		others = append(others, conn.IdempotentWriteRight())
	}
	return others
}

// missingRights returns a finding for each missing right.
func missingRights(pool *conn.Pool, missing []kafka.Right) (findings []Finding) {
	for _, right := range missing {
		f := Finding{Kind: KindRights, Text: pool.Denied(right, nil).Error()}
		if right.Resource == conn.ResourceTopic {
			f.Topic = right.Name
		}
		findings = append(findings, f)
	}
	return findings
}

// topicsOf returns the names of all topics of the requirements.
func topicsOf(need Requirements) []string {
	names := make(map[string]bool)
	for _, name := range namesOf(need.Topics) {
		names[name] = true
	}
	for _, right := range need.Rights {
		if right.Resource == conn.ResourceTopic {
			names[right.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func namesOf(topics []TopicSpec) (names []string) {
	for _, topic := range topics {
		names = append(names, topic.Name)
	}
	return names
}
