package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// kafkaMetrics are the metrics of requests to Kafka.
type kafkaMetrics struct {
	seconds *prometheus.HistogramVec
	records *prometheus.CounterVec
	bytes   *prometheus.CounterVec
}

func newKafkaMetrics(r *prometheus.Registry) kafkaMetrics {
	k := kafkaMetrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rechargeflow_kafka_operation_seconds",
			Help: "Time of produce and fetch requests and of transactions. A fetch includes up to 0.5 s in which the broker waits for records.",
			Buckets: []float64{
				0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 10, 30,
			},
		}, []string{"operation", "outcome"}),
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_kafka_records_total",
			Help: "Records that brokers have written or returned. A record is counted for each consumer group that fetches it.",
		}, []string{"operation", "topic"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rechargeflow_kafka_bytes_total",
			Help: "Bytes of these records as they were sent, compressed.",
		}, []string{"operation", "topic"}),
	}
	r.MustRegister(k.seconds, k.records, k.bytes)
	return k
}

// KafkaOperation observes a request to Kafka, or a transaction. Both labels are from the closed lists of kafka.Metrics.
func (m *Metrics) KafkaOperation(operation, outcome string, took time.Duration) {
	m.kafka.seconds.WithLabelValues(operation, outcome).Observe(took.Seconds())
}

// KafkaTransfer counts the records and bytes of one topic in a request. The topic is one of the pipeline's.
func (m *Metrics) KafkaTransfer(operation, topic string, records, bytes int) {
	m.kafka.records.WithLabelValues(operation, topic).Add(float64(records))
	m.kafka.bytes.WithLabelValues(operation, topic).Add(float64(bytes))
}
