package telemetry

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Lag is how far a consumer group is behind in one partition.
type Lag struct {
	Group     string
	Topic     string
	Partition int
	// Committed is the group's offset, -1 when it never committed one.
	Committed int64
	// Records is how many offsets the group has not committed yet, Age how long ago the oldest of their records was written.
	Records int64
	Age     time.Duration
}

// LagReport is the lag in all partitions that one process has, at one time.
type LagReport struct {
	Cluster string // the id that the brokers have given themselves
	Lags    []Lag
}

// Lags exports what read returns at each scrape, under the names of kafka-lag-exporter, which dashboards look for
// (https://github.com/seglo/kafka-lag-exporter). A partition that is no longer in it is no longer exported. read must answer
// at once.
func (m *Metrics) Lags(read func() LagReport) { m.registry.MustRegister(newLagCollector(read)) }

// lagCollector makes numbers of a report when it is asked, so that none of a partition that has gone stays behind.
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
		lag:        desc("lag", "Offsets that the group has not committed yet, of a partition that this process has.", "topic", "partition"),
		seconds:    desc("lag_seconds", "How long ago the oldest record was written that the group has not committed; 0 when there is none.", "topic", "partition"),
		offset:     desc("offset", "The offset that the group has committed; -1 when it never did.", "topic", "partition"),
		maxSeconds: desc("max_lag_seconds", "The greatest lag in seconds of the partitions that this process has."),
		topic:      desc("topic_sum_lag", "Offsets that the group has not committed yet, of the topic's partitions that this process has.", "topic"),
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
