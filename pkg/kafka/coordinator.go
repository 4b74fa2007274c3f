package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/findcoordinator"
)

// coordinateTimeout bounds the wait for an answer that may have got lost with its connection.
const coordinateTimeout = 5 * time.Second

// errFindCoordinator says that nobody was asked, since it is not known whom.
var errFindCoordinator = errors.New("find coordinator")

// coordination names who needs a coordinator: a consumer group or a transactional id.
type coordination struct {
	kind int8
	key  string
}

func ofGroup(id string) coordination {
	return coordination{kind: int8(kafka.CoordinatorKeyTypeConsumer), key: id}
}

func ofTransaction(id string) coordination {
	return coordination{kind: int8(kafka.CoordinatorKeyTypeTransaction), key: id}
}

// coordinate sends a message to a coordinator. It remembers who that is; forgetCoordinator must be called when the answer,
// or its lack, says that it is another.
func (c *connections) coordinate(ctx context.Context, by coordination, message protocol.Message) (protocol.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, coordinateTimeout)
	defer cancel()
	broker, err := c.coordinator(ctx, by)
	if err != nil {
		return nil, fmt.Errorf("%w of %s: %w", errFindCoordinator, by.key, err)
	}
	answer, err := c.send(ctx, broker, message)
	if err != nil {
		c.forgetCoordinator(by)
	}
	return answer, err
}

func (c *connections) coordinator(ctx context.Context, by coordination) (int32, error) {
	known, _ := c.coordinators.Load(by)
	if broker, ok := known.(int32); ok {
		return broker, nil
	}
	if _, err := c.layout(ctx); err != nil {
		return 0, err
	}
	answer, err := c.transport.RoundTrip(ctx, c.addr, &findcoordinator.Request{Key: by.key, KeyType: by.kind})
	if err != nil {
		return 0, err
	}
	response, ok := answer.(*findcoordinator.Response)
	switch {
	case !ok:
		return 0, errors.New("the answer is to another request")
	case response.ErrorCode != 0:
		return 0, kafka.Error(response.ErrorCode)
	}
	c.coordinators.Store(by, response.NodeID)
	return response.NodeID, nil
}

func (c *connections) forgetCoordinator(by coordination) { c.coordinators.Delete(by) }

// coordinatorMoved tells whether an answer means that another broker is to be asked, or the same a little later.
func coordinatorMoved(code kafka.Error) bool {
	return code == kafka.NotCoordinatorForGroup || code == kafka.GroupCoordinatorNotAvailable || code == kafka.GroupLoadInProgress
}
