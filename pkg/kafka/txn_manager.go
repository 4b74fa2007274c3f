package kafka

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/addoffsetstotxn"
	"github.com/segmentio/kafka-go/protocol/addpartitionstotxn"
	"github.com/segmentio/kafka-go/protocol/endtxn"
	"github.com/segmentio/kafka-go/protocol/initproducerid"
	"github.com/segmentio/kafka-go/protocol/txnoffsetcommit"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

const (
	// transactionTimeout is when a broker aborts an open transaction. Until then consumers of its partitions wait.
	transactionTimeout = 30 * time.Second
	// topicWait limits the wait for topics that are not in the metadata.
	topicWait = 3 * time.Second
	// endingTimeout limits the end of a hanging transaction.
	endingTimeout = 20 * time.Second
	// notAttempted is OPERATION_NOT_ATTEMPTED, for which kafka-go has no name: another partition of the request was rejected.
	notAttempted = 55
)

// transaction is the records and offsets that are committed together.
type transaction struct {
	outputs []Record
	offsets map[wire.Partition]committed // none for a transaction outside of a consumer group
}

// txnManager runs the transactions of one transactional id, one after the other. Only the last producer that has called
// initProducerID can commit; it fences all others.
type txnManager struct {
	pool        *conn.Pool
	id          string
	member      groupMember
	count       PartitionCount
	compression Compression
	buffers     *bufferPool
	faultPoint  func(string)
	outputs     []string // the topics that transactions may write, to find those that hang
	before      string   // the state of the transactional id before it was taken over, until what hangs is ended

	producerID producerID
	sequences  map[wire.Partition]int32
	maxBytes   int // of a batch; zero until a broker rejects one as too large
}

// initProducerID gets a producer id and epoch. An open transaction of the transactional id is committed or aborted first. With
// resume it keeps the current producer id, and fails if the producer was fenced; without, it fences all other producers.
func (t *txnManager) initProducerID(ctx context.Context, resume bool) error {
	request := &initproducerid.Request{
		TransactionalID: t.id, TransactionTimeoutMs: int32(transactionTimeout.Milliseconds()), ProducerID: noID, ProducerEpoch: noID,
	}
	if resume {
		request.ProducerID, request.ProducerEpoch = t.producerID.id, t.producerID.epoch
	}
	var id producerID
	err := t.retry(ctx, true, func(ctx context.Context) (known bool, err error) {
		if err := t.describe(ctx); err != nil {
			return false, err
		}
		return t.send(ctx, conn.TransactionKey(t.id), request, func(answer protocol.Message) (int16, bool) {
			response, ok := answer.(*initproducerid.Response)
			if !ok {
				return 0, false
			}
			id = producerID{id: response.ProducerID, epoch: response.ProducerEpoch, valid: true}
			return response.ErrorCode, true
		})
	})
	if err != nil {
		return fmt.Errorf("take over transactional id %s: %w", t.id, err)
	}
	t.producerID, t.sequences = id, make(map[wire.Partition]int32)
	return nil
}

// commit commits a transaction. After an error its outcome is unknown, and initProducerID must be called next.
//
// Outputs and offsets are written one after the other: brokers verify both with the transaction's coordinator, and reject one
// of two concurrent requests. Seen on 4.3: one in four offset commits beside a produce request failed with
// COORDINATOR_LOAD_IN_PROGRESS.
func (t *txnManager) commit(ctx context.Context, tx transaction) error {
	if err := validateRecords(tx.outputs); err != nil {
		return err
	}
	partitions, err := partitioner{pool: t.pool, count: t.count, maxWait: topicWait}.assign(ctx, tx.outputs)
	if err != nil {
		return err
	}
	if err := t.addPartitions(ctx, partitions); err != nil {
		return err
	}
	t.faultPoint("partitions added")
	if len(tx.offsets) > 0 {
		if err := t.addOffsets(ctx); err != nil {
			return err
		}
	}
	t.faultPoint("offsets added")
	if err := t.produce(ctx, partitions, tx.outputs); err != nil {
		return err
	}
	t.faultPoint("outputs written")
	if err := t.commitOffsets(ctx, tx.offsets); err != nil {
		return err
	}
	t.faultPoint("offsets written")
	if err := t.requestOnce(ctx, conn.TransactionKey(t.id), t.ending(true), endCode); err != nil {
		return err
	}
	t.faultPoint("transaction ended")
	return nil
}

func (t *txnManager) addPartitions(ctx context.Context, partitions []wire.Partition) error {
	if len(partitions) == 0 {
		return nil
	}
	request := &addpartitionstotxn.Request{TransactionalID: t.id, ProducerID: t.producerID.id, ProducerEpoch: t.producerID.epoch}
	for topic, ids := range idsByTopic(unique(partitions)) {
		request.Topics = append(request.Topics, addpartitionstotxn.RequestTopic{Name: topic, Partitions: ids})
	}
	var rejected string // the topic that code is about
	err := t.request(ctx, conn.TransactionKey(t.id), request, func(answer protocol.Message) (int16, bool) {
		response, ok := answer.(*addpartitionstotxn.Response)
		if !ok {
			return 0, false
		}
		var code int16
		for _, topic := range response.Results {
			for _, p := range topic.Results { // if one is rejected the others have notAttempted
				if code == 0 || code == notAttempted {
					code, rejected = cmp.Or(p.ErrorCode, code), topic.Name
				}
			}
		}
		return code, true
	})
	return t.pool.Explain(err, conn.TopicRight(conn.OperationWrite, rejected))
}

func (t *txnManager) addOffsets(ctx context.Context) error {
	request := &addoffsetstotxn.Request{
		TransactionalID: t.id, ProducerID: t.producerID.id, ProducerEpoch: t.producerID.epoch, GroupID: t.member.group,
	}
	return t.request(ctx, conn.TransactionKey(t.id), request, func(answer protocol.Message) (int16, bool) {
		response, ok := answer.(*addoffsetstotxn.Response)
		if !ok {
			return 0, false
		}
		return response.ErrorCode, true
	})
}

func (t *txnManager) commitOffsets(ctx context.Context, offsets map[wire.Partition]committed) error {
	if len(offsets) == 0 {
		return nil
	}
	topics := make(map[string][]txnoffsetcommit.RequestPartition)
	for at, o := range offsets {
		topics[at.Topic] = append(topics[at.Topic], txnoffsetcommit.RequestPartition{
			Partition: at.ID, CommittedOffset: o.offset, CommittedLeaderEpoch: noID, CommittedMetadata: o.metadata,
		})
	}
	request := &txnoffsetcommit.Request{
		TransactionalID: t.id, GroupID: t.member.group, ProducerID: t.producerID.id, ProducerEpoch: t.producerID.epoch,
		GenerationID: t.member.generation, MemberID: t.member.member,
	}
	for topic, partitions := range topics {
		request.Topics = append(request.Topics, txnoffsetcommit.RequestTopic{Name: topic, Partitions: partitions})
	}
	var rejected string // the topic that the code is about
	err := t.requestOnce(ctx, conn.GroupKey(t.member.group), request, func(answer protocol.Message) (int16, bool) {
		response, ok := answer.(*txnoffsetcommit.Response)
		if !ok {
			return 0, false
		}
		for _, topic := range response.Topics {
			for _, p := range topic.Partitions {
				if p.ErrorCode != 0 {
					rejected = topic.Name
					return p.ErrorCode, true
				}
			}
		}
		return 0, true
	})
	return t.pool.Explain(err, conn.TopicRight(conn.OperationRead, rejected))
}

// ending returns the request that commits or aborts a transaction.
func (t *txnManager) ending(commit bool) *endtxn.Request {
	return &endtxn.Request{TransactionalID: t.id, ProducerID: t.producerID.id, ProducerEpoch: t.producerID.epoch, Committed: commit}
}

func endCode(answer protocol.Message) (int16, bool) {
	response, ok := answer.(*endtxn.Response)
	if !ok {
		return 0, false
	}
	return response.ErrorCode, true
}

// unique returns the partitions without duplicates, in order.
func unique(at []wire.Partition) []wire.Partition {
	seen := make(map[wire.Partition]bool, len(at))
	var distinct []wire.Partition
	for _, p := range at {
		if !seen[p] {
			seen[p] = true
			distinct = append(distinct, p)
		}
	}
	return distinct
}
