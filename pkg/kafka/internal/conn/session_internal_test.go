package conn

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestMessageCount: messages and their ends are recognized whatever pieces a stream comes in.
func TestMessageCount(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		var stream []byte
		ends := map[int]bool{0: true}
		for range 20 {
			size := random.IntN(9)
			stream = binary.BigEndian.AppendUint32(stream, uint32(size))
			stream = append(stream, make([]byte, size)...)
			ends[len(stream)] = true
		}
		var m messages
		ended, at := int64(0), 0
		for at < len(stream) {
			piece := stream[at:min(len(stream), at+1+random.IntN(7))]
			ended += m.count(piece)
			at += len(piece)
			assert.Equal(t, ends[at], m.between(), "seed %d, byte %d", seed, at)
		}
		assert.EqualValues(t, 20, ended, "seed %d", seed)
	}
}
