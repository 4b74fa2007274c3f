package conn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/findcoordinator"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// coordinatorTimeout limits the wait for a response that may be lost with its connection.
const coordinatorTimeout = 5 * time.Second

// ErrFindCoordinator means that a request was not sent because its coordinator is unknown.
var ErrFindCoordinator = errors.New("find coordinator")

// CoordinatorKey names what a broker coordinates: a consumer group or a transactional id.
type CoordinatorKey struct {
	kind int8
	key  string
}

// GroupKey returns the key of a consumer group.
func GroupKey(id string) CoordinatorKey {
	return CoordinatorKey{kind: int8(kafka.CoordinatorKeyTypeConsumer), key: id}
}

// TransactionKey returns the key of a transactional id.
func TransactionKey(id string) CoordinatorKey {
	return CoordinatorKey{kind: int8(kafka.CoordinatorKeyTypeTransaction), key: id}
}

// SendToCoordinator sends a request to a coordinator. It remembers the coordinator: call ForgetCoordinator when a response
// says that it has moved.
func (p *Pool) SendToCoordinator(ctx context.Context, of CoordinatorKey, request protocol.Message) (protocol.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, coordinatorTimeout)
	defer cancel()
	broker, err := p.coordinator(ctx, of)
	if err != nil {
		return nil, fmt.Errorf("%w of %s: %w", ErrFindCoordinator, of.key, err)
	}
	answer, err := p.Send(ctx, broker, request)
	if err != nil {
		p.ForgetCoordinator(of)
	}
	return answer, err
}

// TransactionState returns the state of a transactional id, such as Ongoing or CompleteCommit; "" if it has none.
func (p *Pool) TransactionState(ctx context.Context, id string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, coordinatorTimeout)
	defer cancel()
	of := TransactionKey(id)
	broker, err := p.coordinator(ctx, of)
	if err != nil {
		return "", fmt.Errorf("%w of %s: %w", ErrFindCoordinator, id, err)
	}
	state, err := wire.TransactionState(ctx, p.transport, p.addr, broker, id)
	if err != nil {
		p.ForgetCoordinator(of)
		return "", fmt.Errorf("describe transaction: %w", err)
	}
	return state, nil
}

func (p *Pool) coordinator(ctx context.Context, of CoordinatorKey) (int32, error) {
	known, _ := p.coordinators.Load(of)
	if broker, ok := known.(int32); ok {
		return broker, nil
	}
	if _, err := p.Metadata(ctx); err != nil {
		return 0, err
	}
	answer, err := p.transport.RoundTrip(ctx, p.addr, &findcoordinator.Request{Key: of.key, KeyType: of.kind})
	if err != nil {
		return 0, err
	}
	response, ok := answer.(*findcoordinator.Response)
	switch {
	case !ok:
		return 0, ErrUnexpectedResponse
	case response.ErrorCode != 0:
		return 0, kafka.Error(response.ErrorCode)
	}
	p.coordinators.Store(of, response.NodeID)
	return response.NodeID, nil
}

// ForgetCoordinator makes the next request look for the coordinator again.
func (p *Pool) ForgetCoordinator(of CoordinatorKey) { p.coordinators.Delete(of) }

// CoordinatorMoved reports whether an error means that another broker is the coordinator, or will be in a moment.
func CoordinatorMoved(code kafka.Error) bool {
	return code == kafka.NotCoordinatorForGroup || code == kafka.GroupCoordinatorNotAvailable || code == kafka.GroupLoadInProgress
}
