package kafka_test

import (
	"testing"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

func TestOnThreeBrokers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three brokers; run without -short")
	}
	conform(t, kafkatest.Three(t).Cluster())
}
