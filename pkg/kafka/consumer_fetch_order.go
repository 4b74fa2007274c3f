package kafka

import (
	"cmp"
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// A broker fills a fetch response in the order of the request until the response is full. A partition late in each request
// would starve while those before it have records, so partitions that were served move to the end
// (https://cwiki.apache.org/confluence/display/KAFKA/KIP-74%3A+Add+Fetch+Response+Size+Limit+in+Bytes).

// moveToEnd moves partitions behind all others, in their order. The mutex is held.
func (f *fetcher) moveToEnd(served []*fetchedPartition) {
	f.turn++
	for _, p := range served {
		p.turn = f.turn
	}
	slices.SortStableFunc(f.partitions, func(a, b *fetchedPartition) int { return cmp.Compare(a.turn, b.turn) })
}

// groupByTopic puts the partitions of a topic next to each other, as a request requires, in the order of their first
// partitions.
func groupByTopic(partitions []wire.FetchPartition) {
	first := make(map[string]int)
	for i, p := range partitions {
		if _, known := first[p.Topic]; !known {
			first[p.Topic] = i
		}
	}
	slices.SortStableFunc(partitions, func(a, b wire.FetchPartition) int { return cmp.Compare(first[a.Topic], first[b.Topic]) })
}

// mayBeFull reports whether a response may have had no space for a partition that it lacks. Kafka includes such a partition
// without records; kfake does not.
func mayBeFull(answers []wire.FetchResult) bool {
	return slices.ContainsFunc(answers, func(a wire.FetchResult) bool { return len(a.Set) > 0 })
}

// leftOut reports whether a partition has records for which the response had no space.
func leftOut(answer wire.FetchResult, offset int64) bool {
	return answer.Code == 0 && len(answer.Set) == 0 && offset < answer.LastStable
}
