package batch_test

import (
	"slices"
	"testing"

	"github.com/segmentio/kafka-go/compress"
	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
)

// Records are counted by the headers of their batches, compressed or not: no marker, and no batch that was cut off.
func TestCount(t *testing.T) {
	r := batch.Record{Value: []byte("x")}
	three := encode(t, batch.None, batch.Producer{ID: -1}, r, r, r)
	two := encode(t, compress.Zstd, batch.Producer{ID: -1}, r, r)
	set := slices.Concat(three, marker(1, 3, true), two)
	assert.Equal(t, 5, batch.Count(set))
	assert.Equal(t, 3, batch.Count(set[:len(set)-1]))
	assert.Zero(t, batch.Count(nil))
	assert.Zero(t, batch.Count(make([]byte, 100)), "not a batch")
}

// A producer's transaction is open until its marker, whatever others write.
func TestOpen(t *testing.T) {
	r := batch.Record{Value: []byte("x")}
	of := func(id int64, transactional bool) []byte {
		return encode(t, batch.None, batch.Producer{ID: id, Transactional: transactional}, r)
	}
	assert.True(t, batch.Open(of(1, true), 1))
	assert.True(t, batch.Open(slices.Concat(of(1, true), of(2, true), marker(2, 3, true)), 1))
	assert.False(t, batch.Open(slices.Concat(of(2, true), of(1, true), marker(1, 3, true)), 1))
	assert.False(t, batch.Open(of(2, true), 1))
	assert.False(t, batch.Open(of(1, false), 1))
	assert.False(t, batch.Open(nil, 1))
}
