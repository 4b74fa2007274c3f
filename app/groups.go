package app

import (
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
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

// memberInfo returns what a process shows to other processes as a member of a role's groups.
func memberInfo(cfg config.Config, role topology.Role, version telemetry.Version, began time.Time) kafka.MemberInfo {
	return kafka.MemberInfo{Version: version.Name(), Configuration: cfg.Fingerprint(string(role)), Started: began.UTC().Truncate(time.Second)}
}
