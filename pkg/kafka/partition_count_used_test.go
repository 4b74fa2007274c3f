package kafka_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

func TestUsedPartitions(t *testing.T) {
	for _, tt := range []struct {
		count      kafka.PartitionCount
		have, want int
	}{
		{kafka.PartitionCount{}, 24, 24},
		{kafka.PartitionCount{Count: 12}, 24, 24},
		{kafka.PartitionCount{Count: 12, IgnoreExtra: true}, 24, 12},
		{kafka.PartitionCount{Count: 12, IgnoreExtra: true}, 6, 6},
		{kafka.PartitionCount{IgnoreExtra: true}, 24, 24},
	} {
		assert.Equal(t, tt.want, tt.count.Used(tt.have), "%+v", tt)
	}
}

// Java's default partitioner gives these keys these partitions. Extra partitions have no keys.
func TestPartitionOfKey(t *testing.T) {
	assert.Equal(t, 0, kafka.PartitionCount{}.Of([]byte("acme/246936001"), 12))
	assert.Equal(t, 0, kafka.PartitionCount{Count: 12, IgnoreExtra: true}.Of([]byte("acme/246936001"), 24))
	assert.Equal(t, 0, kafka.PartitionCount{Count: 12}.Of([]byte("acme/246936001"), 12))
}
