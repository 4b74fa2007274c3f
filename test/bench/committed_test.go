//go:build bench

package bench

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	segmentio "github.com/segmentio/kafka-go"
)

// progress reads how far a consumer group has come in a topic.
type progress struct {
	client       *segmentio.Client
	group, topic string
}

func newProgress(t *testing.T, on target, group, topic string) progress {
	t.Helper()
	transport := &segmentio.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return progress{&segmentio.Client{Addr: segmentio.TCP(on.brokers...), Transport: transport, Timeout: patience}, group, topic}
}

// offsets are those of a topic by partition.
type offsets [partitions]int64

func (o offsets) sum() (n int64) {
	for _, each := range o {
		n += each
	}
	return n
}

// allFrom reports whether each offset is at least the other.
func (o offsets) allFrom(other offsets) bool {
	for p := range o {
		if o[p] < other[p] {
			return false
		}
	}
	return true
}

// anyFrom reports whether some offset is at least the other.
func (o offsets) anyFrom(other offsets) bool {
	for p := range o {
		if o[p] >= other[p] {
			return true
		}
	}
	return false
}

// end is where the topic ends now.
func (p progress) end(t *testing.T) (found offsets) {
	t.Helper()
	requests := make([]segmentio.OffsetRequest, partitions)
	for i := range requests {
		requests[i] = segmentio.LastOffsetOf(i)
	}
	answer, err := p.client.ListOffsets(t.Context(), &segmentio.ListOffsetsRequest{Topics: map[string][]segmentio.OffsetRequest{p.topic: requests}})
	require.NoError(t, err)
	for _, each := range answer.Topics[p.topic] {
		require.NoError(t, each.Error)
		found[each.Partition] = each.LastOffset
	}
	return found
}

// committed is what the group has committed, 0 where nothing.
func (p progress) committed(ctx context.Context, t *testing.T) (found offsets) {
	t.Helper()
	numbers := make([]int, partitions)
	for i := range numbers {
		numbers[i] = i
	}
	answer, err := p.client.OffsetFetch(ctx, &segmentio.OffsetFetchRequest{GroupID: p.group, Topics: map[string][]int{p.topic: numbers}})
	require.NoError(t, err)
	require.NoError(t, answer.Error)
	for _, each := range answer.Topics[p.topic] {
		require.NoError(t, each.Error)
		found[each.Partition] = max(0, each.CommittedOffset)
	}
	return found
}

// watch calls see with what is committed, until it returns false.
func (p progress) watch(t *testing.T, see func(at time.Time, committed offsets) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), peerTimeout)
	defer cancel()
	for tick := time.NewTicker(progressEvery); ; <-tick.C {
		committed := p.committed(ctx, t)
		if !see(time.Now(), committed) {
			tick.Stop()
			return
		}
	}
}

// awaitQuiet waits until all records are committed that the topic has now, and then until nothing more is.
func (p progress) awaitQuiet(t *testing.T) {
	t.Helper()
	end := p.end(t)
	var last offsets
	var since time.Time
	p.watch(t, func(at time.Time, committed offsets) bool {
		if committed != last {
			last, since = committed, at
		}
		return !committed.allFrom(end) || at.Sub(since) < quiet
	})
}

const (
	progressEvery = 10 * time.Millisecond
	// quiet is how long nothing is committed after the last record.
	quiet = time.Second
	// peerTimeout limits what a peer does with an input.
	peerTimeout = 3 * time.Minute
)
