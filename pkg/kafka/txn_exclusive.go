package kafka

import (
	"context"
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

// Exclusive publishes records in transactions of a transactional id that one process at a time can use: TakeOver fences all others. A
// process that calls TakeOver, reads a topic to its end and then calls Commit knows that no other Exclusive of the id has written in
// between. It is not for concurrent use.
type Exclusive struct {
	manager *txnManager
}

// NewExclusive returns an Exclusive. Its transactional id is the name and "-0". topics are those that it writes. It connects on first
// use.
func NewExclusive(cluster Cluster, name string, topics ...string) *Exclusive {
	return &Exclusive{manager: &txnManager{
		pool: conn.Open(cluster), id: name + "-0", member: groupMember{group: name}, buffers: &bufferPool{}, faultPoint: func(string) {},
		outputs: topics,
	}}
}

// TakeOver fences the other users of the transactional id, and ends an open transaction: when it returns, each earlier transaction is
// committed and readable, or aborted.
func (e *Exclusive) TakeOver(ctx context.Context) error {
	for {
		if err := e.manager.takeOver(ctx, false); !fenced(err) {
			return err
		} // another process has taken over meanwhile
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("take over %s: %w", e.manager.id, err)
		}
	}
}

// Commit publishes records in one transaction, which must name their partitions. After an error the outcome is unknown, also if another
// user has called TakeOver: call TakeOver again and read the topic.
func (e *Exclusive) Commit(ctx context.Context, records ...Record) error {
	if err := e.manager.commit(ctx, transaction{outputs: records}); err != nil {
		return fmt.Errorf("commit %d records, the first to %s: %w", len(records), records[0].Topic, err)
	}
	return nil
}

// Close closes the connections.
func (e *Exclusive) Close() { e.manager.pool.Close() }
