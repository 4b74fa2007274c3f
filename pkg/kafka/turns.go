package kafka

import (
	"cmp"
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// A broker fills its answer in the order of the request until the answer is full. Who comes late in each request would get
// nothing for as long as those before have something, so whoever had a turn goes behind all others
// (https://cwiki.apache.org/confluence/display/KAFKA/KIP-74%3A+Add+Fetch+Response+Size+Limit+in+Bytes).

// hadTurns puts feeds behind all others, in their order. The prefetch's mutex is held.
func (p *prefetch) hadTurns(served []*feed) {
	p.turn++
	for _, f := range served {
		f.turn = p.turn
	}
	slices.SortStableFunc(p.feeds, func(a, b *feed) int { return cmp.Compare(a.turn, b.turn) })
}

// inTurn brings the partitions of each topic together, as a request must have them, that of the first partition first.
func inTurn(partitions []wire.FetchPartition) {
	first := make(map[string]int)
	for i, p := range partitions {
		if _, known := first[p.Topic]; !known {
			first[p.Topic] = i
		}
	}
	slices.SortStableFunc(partitions, func(a, b wire.FetchPartition) int { return cmp.Compare(first[a.Topic], first[b.Topic]) })
}

// full tells whether answers may have had no room for a partition that is not among them. Kafka names such a partition,
// without records; kfake does not.
func full(answers []wire.FetchAnswer) bool {
	return slices.ContainsFunc(answers, func(a wire.FetchAnswer) bool { return len(a.Set) > 0 })
}

// passedOver tells whether there was something for a partition, and no room for it.
func passedOver(answer wire.FetchAnswer, offset int64) bool {
	return answer.Code == 0 && len(answer.Set) == 0 && offset < answer.LastStable
}
