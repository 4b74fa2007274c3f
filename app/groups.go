package app

import (
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/config"
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
