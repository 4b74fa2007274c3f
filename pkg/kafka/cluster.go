package kafka

import "github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"

// Cluster holds what is needed to connect to a Kafka cluster: addresses, TLS settings, credentials.
type Cluster = conn.Cluster

// Metrics counts and times requests: see [Cluster].
type Metrics = conn.Metrics

// OffsetRange is a range of offsets in a partition: from First on, End excluded.
type OffsetRange = conn.OffsetRange
