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
		if role == topology.RoleConsole {
			add(shows(cfg)...)
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

// shows returns what the console needs to change settings and to show the lag of the groups.
func shows(cfg config.Config) (all []kafka.Right) {
	all = append(all, kafka.TransactionsRight(live.New(cfg.Kafka.TopicPrefix).Writer))
	for _, group := range Groups(cfg) {
		all = append(all, kafka.GroupRight(group.Name))
		if group.Membership != "" {
			all = append(all, kafka.GroupRight(group.Membership))
		}
	}
	return all
}

// readByConsole returns the topics that the console reads: for its read model, the tables of what is set, and timelines.
func readByConsole(topics topology.Topics) []string {
	names := []string{
		topics.Settings(), topics.Consent(), topics.Webhooks(), topics.Events(), topics.Facts(), topics.Triggers(), topics.Messages(), topics.MessageTexts(),
		topics.Customers(), topics.Subscriptions(), topics.Charges(), topics.SegmentMembers(), topics.State(),
	}
	for _, role := range topology.Consumers() {
		names = append(names, topics.DeadLetters(role), topics.Redrive(role))
	}
	return names
}

// tables returns the topics that a role reads as a whole, without a consumer group.
func tables(prefix string, role topology.Role) []string {
	switch topics := (topology.Topics{Prefix: prefix}); role {
	case topology.RoleSMS:
		return []string{live.New(prefix).Name, topics.Consent()}
	case topology.RoleLinks:
		return []string{topics.Links()}
	case topology.RoleConsole:
		return readByConsole(topics)
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
