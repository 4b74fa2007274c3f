package kafka

import (
	"context"
	"fmt"
	"sync"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/initproducerid"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

// producerID is a producer id and its epoch, assigned by a broker. The zero value is none.
type producerID struct {
	id    int64
	epoch int16
	valid bool
}

const noID = -1

// producerIDs holds the producer's current id. A partition whose id is invalid gets a new one; the others keep theirs.
type producerIDs struct {
	pool *conn.Pool

	mutex   sync.Mutex
	current producerID
}

// replace returns a producer id other than an invalid one. It requests one from a broker if there is none.
func (i *producerIDs) replace(ctx context.Context, broker int32, invalid producerID) (producerID, error) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.current.valid && i.current != invalid {
		return i.current, nil
	}
	answer, err := i.pool.Send(ctx, broker, &initproducerid.Request{ProducerID: noID, ProducerEpoch: noID})
	if err != nil {
		return producerID{}, fmt.Errorf("init producer id: %w", err)
	}
	response, ok := answer.(*initproducerid.Response)
	switch {
	case !ok:
		return producerID{}, fmt.Errorf("init producer id: %w", conn.ErrUnexpectedResponse)
	case response.ErrorCode != 0:
		return producerID{}, fmt.Errorf("init producer id: %w", i.pool.Explain(kafka.Error(response.ErrorCode), conn.IdempotentWriteRight()))
	}
	i.current = producerID{id: response.ProducerID, epoch: response.ProducerEpoch, valid: true}
	return i.current, nil
}
