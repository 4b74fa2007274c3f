package telemetry

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Lag is the lag of a consumer group in one partition.
type Lag struct {
	Group     string
	Topic     string
	Partition int
	// Committed is the group's committed offset, -1 if it has none.
	Committed int64
	// Records is the number of uncommitted offsets, Age the age of the oldest record among them.
	Records int64
	Age     time.Duration
}

// LagReport holds the lags of one process's partitions at one time.
type LagReport struct {
	Cluster string // the id of the cluster
	Lags    []Lag
}

// Lags exports the report that read returns at each scrape, under the names of kafka-lag-exporter, for its dashboards
// (https://github.com/seglo/kafka-lag-exporter). Partitions that are not in the report are not exported. read must not block.
func (m *Metrics) Lags(read func() LagReport) { m.registry.MustRegister(newLagCollector(read)) }

// lagCollector collects from the report at each scrape, so that partitions that are no longer owned are not exported.
type lagCollector struct {
	read                                    func() LagReport
	lag, seconds, offset, maxSeconds, topic *prometheus.Desc
}

func newLagCollector(read func() LagReport) lagCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("kafka_consumergroup_group_"+name, help, append([]string{"cluster_name", "group"}, labels...), nil)
	}
	return lagCollector{
		read:       read,
		lag:        desc("lag", "Uncommitted offsets of the group, in a partition of this process.", "topic", "partition"),
		seconds:    desc("lag_seconds", "Age of the oldest uncommitted record of the group in seconds; 0 without one.", "topic", "partition"),
		offset:     desc("offset", "Committed offset of the group; -1 if it never committed.", "topic", "partition"),
		maxSeconds: desc("max_lag_seconds", "Largest lag in seconds among the partitions of this process."),
		topic:      desc("topic_sum_lag", "Uncommitted offsets of the group, in the partitions of the topic that this process has.", "topic"),
	}
}

// Describe is part of prometheus.Collector.
func (c lagCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.lag, c.seconds, c.offset, c.maxSeconds, c.topic} {
		out <- d
	}
}

// Collect is part of prometheus.Collector.
func (c lagCollector) Collect(out chan<- prometheus.Metric) {
	report := c.read()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{report.Cluster}, labels...)...)
	}
	oldest, sums := map[string]time.Duration{}, map[[2]string]int64{}
	for _, l := range report.Lags {
		partition := strconv.Itoa(l.Partition)
		gauge(c.lag, float64(l.Records), l.Group, l.Topic, partition)
		gauge(c.seconds, l.Age.Seconds(), l.Group, l.Topic, partition)
		gauge(c.offset, float64(l.Committed), l.Group, l.Topic, partition)
		oldest[l.Group] = max(oldest[l.Group], l.Age)
		sums[[2]string{l.Group, l.Topic}] += l.Records
	}
	for group, age := range oldest {
		gauge(c.maxSeconds, age.Seconds(), group)
	}
	for of, records := range sums {
		gauge(c.topic, float64(records), of[0], of[1])
	}
}
