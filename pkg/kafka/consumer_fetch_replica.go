package kafka

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// nearFor is how long a partition is fetched from a near replica until the leader is asked again, as metadata.max.age.ms of Kafka's
// own consumer.
const nearFor = 5 * time.Minute

// leaderFor is how long a partition is fetched from its leader after the near replica has failed. Brokers may still reach the
// replica, so the leader would name it again.
const leaderFor = 30 * time.Second

// nearReplica is the replica that a partition's leader has named for the client's rack
// (https://cwiki.apache.org/confluence/display/KAFKA/KIP-392%3A+Allow+consumers+to+fetch+from+closest+replica). The zero value is none.
type nearReplica struct {
	broker      int32
	until       time.Time
	leaderUntil time.Time // the leader must not name a replica
}

// source returns the broker to fetch a partition from: its near replica, or the leader.
func (f *fetcher) source(p *fetchedPartition, now time.Time) (broker int32, near bool, err error) {
	if now.Before(p.near.until) && f.pool.HasBroker(p.near.broker) {
		return p.near.broker, true, nil
	}
	broker, err = f.pool.Leader(p.Topic, p.ID)
	return broker, false, err
}

// otherReplica reports whether an answer means that another replica is fetched from next.
func (f *fetcher) otherReplica(part partitionRequest, answer wire.FetchResult) bool {
	switch {
	case f.pool.Rack() != "" && answer.Code == 0 && answer.PreferredReplica >= 0 && !part.replica:
		f.useReplica(part.fetchedPartition, answer.PreferredReplica)
		return true
	case answer.Code != 0 && part.replica: // also an offset that the replica does not have yet
		f.leaveReplica(part.fetchedPartition)
		f.retryLater(part)
		return true
	}
	return false
}

// useReplica fetches a partition from a near replica from now on.
func (f *fetcher) useReplica(p *fetchedPartition, broker int32) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	p.near = nearReplica{broker: broker, until: time.Now().Add(nearFor)}
}

// leaveReplica goes back to the leader after a near replica has failed.
func (f *fetcher) leaveReplica(p *fetchedPartition) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	p.near = nearReplica{leaderUntil: time.Now().Add(leaderFor)}
}
