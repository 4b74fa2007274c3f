package app

import (
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// Groups lists the consumer groups of processes with this configuration.
func Groups(cfg config.Config) []topology.Group {
	return topology.Topics{Prefix: cfg.Kafka.TopicPrefix}.Groups(func(role topology.Role) (names []string) {
		for _, store := range cfg.Stores {
			if slices.Contains(SinksOf(store), role) {
				names = append(names, store.Name)
			}
		}
		return names
	})
}

// rights returns what roles must be allowed to do by brokers that use ACLs, each right once. docs/kafka.md lists them.
// DescribeConfigs of each topic is among them.
func rights(cfg config.Config, roles []topology.Role) []kafka.Right {
	topics := topology.Topics{Prefix: cfg.Kafka.TopicPrefix}
	var all []kafka.Right
	add := func(rights ...kafka.Right) {
		for _, right := range rights {
			if !slices.Contains(all, right) {
				all = append(all, right)
			}
		}
	}
	for _, role := range roles {
		reads := append(topics.Reads(role), tables(cfg.Kafka.TopicPrefix, role)...)
		if role == topology.RoleTransformer {
			reads = append(reads, topics.State())
		}
		for _, topic := range reads {
			add(kafka.TopicRight(kafka.OperationRead, topic), kafka.TopicRight(kafka.OperationDescribeConfigs, topic))
		}
		for _, topic := range topics.Writes(role) {
			add(kafka.TopicRight(kafka.OperationWrite, topic), kafka.TopicRight(kafka.OperationDescribeConfigs, topic))
		}
		for _, group := range groupsOf(cfg, role) {
			add(kafka.GroupRight(group))
			if role == topology.RoleTransformer {
				add(kafka.TransactionsRight(group))
			}
		}
	}
	return all
}

// tables returns the topics that a role has as tables in memory.
func tables(prefix string, role topology.Role) []string {
	switch topics := (topology.Topics{Prefix: prefix}); role {
	case topology.RoleSMS:
		return []string{live.New(prefix).Name, topics.Consent()}
	case topology.RoleLinks:
		return []string{topics.Links()}
	}
	return nil
}

// groupsOf returns the consumer groups that a role joins and those that it commits offsets to.
func groupsOf(cfg config.Config, role topology.Role) (names []string) {
	for _, group := range Groups(cfg) {
		if !slices.Equal(group.Topics, topology.Topics{Prefix: cfg.Kafka.TopicPrefix}.Reads(role)) {
			continue
		}
		if group.Membership != "" {
			names = append(names, group.Membership)
		}
		names = append(names, group.Name)
	}
	return names
}
