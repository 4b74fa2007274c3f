package app

import (
	"slices"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/config"
)

// Groups lists the consumer groups of processes with this configuration.
func Groups(cfg config.Config) []pipeline.Group {
	return pipeline.Topics{Prefix: cfg.Kafka.TopicPrefix}.Groups(func(role pipeline.Role) (names []string) {
		for _, store := range cfg.Stores {
			if slices.Contains(sinksOf(store), role) {
				names = append(names, store.Name)
			}
		}
		return names
	})
}
