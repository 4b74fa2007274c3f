package telemetry

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// groups has the counters of consumer groups, which go on when a group's consumer is started anew.
type groups struct {
	mutex sync.Mutex
	past  map[string]int64 // by name and group: of earlier consumers
	read  map[string]func() int64
}

const (
	lostName    = "rechargeflow_lost_records_total"
	lostHelp    = "Records that retention deleted before the group read them. Above 0 is an incident."
	rejoinsName = "rechargeflow_rejoins_total"
	rejoinsHelp = "Times that the process rejoined the group because it got no assignment in time."
)

// Lost exports the number of records of a group's topics that retention deleted before the group read them. Call Lost, Rejoins,
// Stalled and Assigned once per consumer of a group: a further consumer takes the place of the one before.
func (m *Metrics) Lost(group string, read func() int64) { m.count(lostName, lostHelp, group, read) }

// Rejoins exports how often the process rejoined a group because it got no assignment in time.
func (m *Metrics) Rejoins(group string, read func() int64) {
	m.count(rejoinsName, rejoinsHelp, group, read)
}

// Stalled exports the number of a group's partitions in which a handler does not return, or consumption is halted.
func (m *Metrics) Stalled(group string, read func() int) { m.replace(stalled(group, read)) }

// Assigned exports the number of partitions of a group's topics that the process has.
func (m *Metrics) Assigned(group string, read func() int) { m.replace(assigned(group, read)) }

// GroupConfigured exports a consumer group of the configuration.
func (m *Metrics) GroupConfigured(role, group string) {
	m.condition.configured.WithLabelValues(role, group).Set(1)
}

// GroupRemoved ends what GroupConfigured exports, because the configuration no longer has the group.
func (m *Metrics) GroupRemoved(role, group string) {
	m.condition.configured.DeleteLabelValues(role, group)
}

// GroupEnded ends what a group's consumer exports, because no other takes its place.
func (m *Metrics) GroupEnded(group string) {
	m.registry.Unregister(counter(lostName, lostHelp, group, nil))
	m.registry.Unregister(counter(rejoinsName, rejoinsHelp, group, nil))
	m.registry.Unregister(stalled(group, nil))
	m.registry.Unregister(assigned(group, nil))
}

// RoleEnded ends what a role exports about its stores and groups until it is started anew: what it waits for then is exported again.
func (m *Metrics) RoleEnded(role string) {
	m.paused.DeletePartialMatch(prometheus.Labels{"role": role})
	m.waiting.DeletePartialMatch(prometheus.Labels{"role": role})
	if role == "transformer" {
		m.pending.Reset()
		m.registrations.registered.Reset()
	}
}

func stalled(group string, read func() int) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "rechargeflow_stalled_partitions",
		Help:        "Partitions whose handler does not return, or that are halted. /readyz has the cause.",
		ConstLabels: prometheus.Labels{"group": group},
	}, func() float64 { return float64(read()) })
}

func assigned(group string, read func() int) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "rechargeflow_assigned_partitions",
		Help:        "Partitions of the group's topics that are assigned to this process. 0 if it is not a member.",
		ConstLabels: prometheus.Labels{"group": group},
	}, func() float64 { return float64(read()) })
}

func counter(name, help, group string, read func() int64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: name, Help: help, ConstLabels: prometheus.Labels{"group": group},
	}, func() float64 { return float64(read()) })
}

// count exports a counter, which goes on where that of the group's last consumer ended.
func (m *Metrics) count(name, help, group string, read func() int64) {
	g, key := m.groups, name+" "+group
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if last := g.read[key]; last != nil {
		g.past[key] += last()
	}
	past := g.past[key]
	g.read[key] = read
	m.replace(counter(name, help, group, func() int64 { return past + read() }))
}
