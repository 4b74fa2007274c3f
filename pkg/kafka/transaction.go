package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/addoffsetstotxn"
	"github.com/segmentio/kafka-go/protocol/addpartitionstotxn"
	"github.com/segmentio/kafka-go/protocol/endtxn"
	"github.com/segmentio/kafka-go/protocol/initproducerid"
	"github.com/segmentio/kafka-go/protocol/txnoffsetcommit"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

const (
	// transactionTimeout is after how long a broker aborts a transaction that nobody ends. Until then readers of its
	// partitions wait.
	transactionTimeout = 30 * time.Second
	// transactionPatience is how long one step may be tried again; then the whole transaction is.
	transactionPatience = 10 * time.Second
	placePatience       = 3 * time.Second
	concurrentFirst     = time.Millisecond
	concurrentMost      = 20 * time.Millisecond
	// notAttempted is what partitions get that came with one that was refused (OPERATION_NOT_ATTEMPTED, which kafka-go has no
	// name for).
	notAttempted = 55
)

// transaction is what becomes visible together or not at all.
type transaction struct {
	outputs []Record
	offsets map[wire.Partition]committed
}

// transactor runs the transactions of one transactional id, one after the other. Whoever inits an id fences all others
// that have it.
type transactor struct {
	connections *connections
	id          string
	by          membership
	compression Compression
	step        func(string)

	identity  identity
	sequences map[wire.Partition]int32
	most      int // bytes of a batch; zero until a broker found one too large
	sender    batchSender
}

// init gets a producer id and epoch, after ending what the last owner of the id left open. With resume it does so as
// that owner, and fails where another took over meanwhile; without it fences whoever has the id.
func (t *transactor) init(ctx context.Context, resume bool) error {
	request := &initproducerid.Request{
		TransactionalID: t.id, TransactionTimeoutMs: int32(transactionTimeout.Milliseconds()), ProducerID: noID, ProducerEpoch: noID,
	}
	if resume {
		request.ProducerID, request.ProducerEpoch = t.identity.producer, t.identity.epoch
	}
	var given identity
	err := t.coordinated(ctx, ofTransaction(t.id), request, func(answer protocol.Message) (int16, bool) {
		response, ok := answer.(*initproducerid.Response)
		if !ok {
			return 0, false
		}
		given = identity{producer: response.ProducerID, epoch: response.ProducerEpoch, given: true}
		return response.ErrorCode, true
	})
	if err != nil {
		return fmt.Errorf("take over transactional id %s: %w", t.id, err)
	}
	t.identity, t.sequences = given, make(map[wire.Partition]int32)
	return nil
}

// commit makes a transaction visible. After an error nobody knows whether it is, and init must come next.
//
// Outputs and offsets are written one after the other: a broker verifies both with the transaction's coordinator, and of two
// that it verifies at once it refuses one. Seen on 4.3: one in four offset commits beside a produce request was answered with
// COORDINATOR_LOAD_IN_PROGRESS.
func (t *transactor) commit(ctx context.Context, tx transaction) error {
	at, err := t.place(ctx, tx.outputs)
	if err != nil {
		return err
	}
	if err := t.addPartitions(ctx, at); err != nil {
		return err
	}
	t.step("partitions added")
	if err := t.addOffsets(ctx); err != nil {
		return err
	}
	t.step("offsets added")
	if err := t.produce(ctx, at, tx.outputs); err != nil {
		return err
	}
	t.step("outputs written")
	if err := t.commitOffsets(ctx, tx.offsets); err != nil {
		return err
	}
	t.step("offsets written")
	if err := t.end(ctx); err != nil {
		return err
	}
	t.step("transaction ended")
	return nil
}

// place waits a little for topics that nobody knows yet.
func (t *transactor) place(ctx context.Context, outputs []Record) ([]wire.Partition, error) {
	if err := producible(outputs); err != nil {
		return nil, err
	}
	return t.connections.place(ctx, placePatience, outputs)
}

func (t *transactor) addPartitions(ctx context.Context, at []wire.Partition) error {
	if len(at) == 0 {
		return nil
	}
	request := &addpartitionstotxn.Request{TransactionalID: t.id, ProducerID: t.identity.producer, ProducerEpoch: t.identity.epoch}
	for topic, ids := range idsByTopic(unique(at)) {
		request.Topics = append(request.Topics, addpartitionstotxn.RequestTopic{Name: topic, Partitions: ids})
	}
	return t.coordinated(ctx, ofTransaction(t.id), request, func(answer protocol.Message) (int16, bool) {
		response, ok := answer.(*addpartitionstotxn.Response)
		if !ok {
			return 0, false
		}
		var code int16
		for _, topic := range response.Results {
			for _, p := range topic.Results { // one that is refused spoils the others, which do not say why
				if code == 0 || code == notAttempted {
					code = cmp.Or(p.ErrorCode, code)
				}
			}
		}
		return code, true
	})
}

func (t *transactor) addOffsets(ctx context.Context) error {
	request := &addoffsetstotxn.Request{
		TransactionalID: t.id, ProducerID: t.identity.producer, ProducerEpoch: t.identity.epoch, GroupID: t.by.group,
	}
	return t.coordinated(ctx, ofTransaction(t.id), request, func(answer protocol.Message) (int16, bool) {
		response, ok := answer.(*addoffsetstotxn.Response)
		if !ok {
			return 0, false
		}
		return response.ErrorCode, true
	})
}

func (t *transactor) commitOffsets(ctx context.Context, offsets map[wire.Partition]committed) error {
	topics := make(map[string][]txnoffsetcommit.RequestPartition)
	for at, o := range offsets {
		topics[at.Topic] = append(topics[at.Topic], txnoffsetcommit.RequestPartition{
			Partition: at.ID, CommittedOffset: o.offset, CommittedLeaderEpoch: noID, CommittedMetadata: o.metadata,
		})
	}
	request := &txnoffsetcommit.Request{
		TransactionalID: t.id, GroupID: t.by.group, ProducerID: t.identity.producer, ProducerEpoch: t.identity.epoch,
		GenerationID: t.by.generation, MemberID: t.by.member,
	}
	for topic, partitions := range topics {
		request.Topics = append(request.Topics, txnoffsetcommit.RequestTopic{Name: topic, Partitions: partitions})
	}
	return t.coordinatedOnce(ctx, ofGroup(t.by.group), request, func(answer protocol.Message) (int16, bool) {
		response, ok := answer.(*txnoffsetcommit.Response)
		if !ok {
			return 0, false
		}
		for _, topic := range response.Topics {
			for _, p := range topic.Partitions {
				if p.ErrorCode != 0 {
					return p.ErrorCode, true
				}
			}
		}
		return 0, true
	})
}

func (t *transactor) end(ctx context.Context) error {
	request := &endtxn.Request{TransactionalID: t.id, ProducerID: t.identity.producer, ProducerEpoch: t.identity.epoch, Committed: true}
	return t.coordinatedOnce(ctx, ofTransaction(t.id), request, func(answer protocol.Message) (int16, bool) {
		response, ok := answer.(*endtxn.Response)
		if !ok {
			return 0, false
		}
		return response.ErrorCode, true
	})
}

// coordinated sends a request until a coordinator has answered it for good. It may arrive twice, and late: brokers take the
// second for the first, and in the next transaction it does no harm.
func (t *transactor) coordinated(ctx context.Context, by coordination, request protocol.Message, code codeOf) error {
	return t.insist(ctx, by, request, code, true)
}

// coordinatedOnce is coordinated for a request that would do harm if it arrived in the next transaction: while its answer is
// unclear it is not sent again, and the caller fails. init comes next, and from then on brokers refuse what may be on its way
// still, by its epoch. (From Kafka 4.0 on clients can have a new epoch after each transaction, KIP-890; kafka-go can't.)
func (t *transactor) coordinatedOnce(ctx context.Context, by coordination, request protocol.Message, code codeOf) error {
	return t.insist(ctx, by, request, code, false)
}

// codeOf is the error that an answer holds, 0 for none; false when it is an answer to another request.
type codeOf func(protocol.Message) (int16, bool)

func (t *transactor) insist(ctx context.Context, by coordination, request protocol.Message, code codeOf, again bool) error {
	ctx, cancel := context.WithTimeout(ctx, transactionPatience)
	defer cancel()
	moved := backoff{first: retryFirst, most: retryMost}
	concurrent := backoff{first: concurrentFirst, most: concurrentMost}
	for {
		known, err := t.once(ctx, by, request, code)
		pause := &moved
		switch {
		case err == nil:
			return nil
		case errors.Is(err, kafka.ConcurrentTransactions): // the one before is still being ended
			pause = &concurrent
		case !transient(err) || !known && !again:
			return err
		}
		if !pause.wait(ctx) {
			return errors.Join(ctx.Err(), err)
		}
	}
}

// once sends a request. known says that it is known what became of it: it was answered, or never sent.
func (t *transactor) once(ctx context.Context, by coordination, request protocol.Message, code codeOf) (known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, produceTimeout)
	defer cancel()
	answer, err := t.connections.coordinate(ctx, by, request)
	if err != nil {
		if ctx.Err() == nil {
			t.connections.relearn(ctx)
		}
		return errors.Is(err, errFindCoordinator), fmt.Errorf("%s: %w", apiOf(request), err)
	}
	number, ok := code(answer)
	if !ok {
		return false, fmt.Errorf("%s: the answer is to another request", apiOf(request))
	}
	if number == 0 {
		return true, nil
	}
	if coordinatorMoved(kafka.Error(number)) {
		t.connections.forgetCoordinator(by)
	}
	return true, fmt.Errorf("%s: %w", apiOf(request), kafka.Error(number))
}

func apiOf(m protocol.Message) string { return m.ApiKey().String() }

func unique(at []wire.Partition) []wire.Partition {
	seen := make(map[wire.Partition]bool, len(at))
	var once []wire.Partition
	for _, p := range at {
		if !seen[p] {
			seen[p] = true
			once = append(once, p)
		}
	}
	return once
}
