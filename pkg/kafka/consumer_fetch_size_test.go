package kafka_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// largestFetch is the number of records of the largest fetch response.
type largestFetch struct{ *counted }

func (l largestFetch) KafkaTransfer(operation, _ string, records, _ int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.count[operation] = max(l.count[operation], records)
}

// TestFetchesOfCompressedRecords: a fetch is limited by what its records have when they are decompressed.
func TestFetchesOfCompressedRecords(t *testing.T) {
	const total, size = 4000, 2000 // 8 MB, of which compression leaves less than one fetch
	_, cluster := faulty(t)
	compression, err := kafka.ParseCompression("snappy")
	require.NoError(t, err)
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{Compression: compression})
	for first := 0; first < total; first += 100 {
		var records []kafka.Record
		for i := range 100 {
			records = append(records, kafka.Record{Topic: "t", Value: append(fmt.Appendf(nil, "%06d", first+i), bytes.Repeat([]byte("x"), size)...)})
		}
		require.NoError(t, producer.Produce(t.Context(), records...))
	}
	require.NoError(t, producer.Close())
	largest := largestFetch{newCounted()}
	cluster.Metrics = largest
	for i, r := range consumeAll(t, cluster, quick("g", "t"), total) {
		require.Equal(t, fmt.Sprintf("%06d", i), string(r.Value[:6]))
	}
	assert.Less(t, largest.of("fetch")*size, 4<<20, "of 8 MB")
}
