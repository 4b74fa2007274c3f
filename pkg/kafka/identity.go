package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/initproducerid"
)

// identity is a producer id that a broker gave out, and its epoch. The zero value is none: epochs are told apart by given.
type identity struct {
	producer int64
	epoch    int16
	given    bool
}

const noID = -1

// identities is the producer's identity. A partition whose broker forgot it takes a new one; the others keep theirs.
type identities struct {
	connections *connections

	mutex   sync.Mutex
	current identity
}

// after returns an identity other than the one that is of no use any more. It asks a broker when there is none.
func (i *identities) after(ctx context.Context, broker int32, useless identity) (identity, error) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.current.given && i.current != useless {
		return i.current, nil
	}
	answer, err := i.connections.send(ctx, broker, &initproducerid.Request{ProducerID: noID, ProducerEpoch: noID})
	if err != nil {
		return identity{}, fmt.Errorf("ask for a producer id: %w", err)
	}
	response, ok := answer.(*initproducerid.Response)
	switch {
	case !ok:
		return identity{}, errors.New("ask for a producer id: the answer is to another request")
	case response.ErrorCode != 0:
		return identity{}, fmt.Errorf("ask for a producer id: %w", kafka.Error(response.ErrorCode))
	}
	i.current = identity{producer: response.ProducerID, epoch: response.ProducerEpoch, given: true}
	return i.current, nil
}
