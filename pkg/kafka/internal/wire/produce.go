package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// ProduceRequest appends batches to partitions that one broker leads, a batch for each. It asks for acks=all.
type ProduceRequest struct {
	Broker          int32
	ClientID        string
	TransactionalID string        // "" for none
	Timeout         time.Duration // how long the broker may wait for its replicas
	Batches         []ProduceBatch
}

// ProduceBatch is one batch, those of a topic next to each other.
type ProduceBatch struct {
	Partition
	Bytes []byte
}

// ProduceAnswer is what became of one batch: code is kafka-go's error number, 0 for none.
type ProduceAnswer struct {
	Partition
	Code       int16
	BaseOffset int64
	Message    string
}

type produceResponse struct {
	api
	answers []ProduceAnswer
}

// ProduceVersion is the only version of the request that is written here (Kafka 2.4).
const ProduceVersion = 8

// Produce sends a request, written into buffer, which is the caller's again when there is no error. After an error nobody
// knows what became of the request, and buffer must not be used any more.
func Produce(ctx context.Context, transport *kafka.Transport, addr net.Addr, r ProduceRequest, buffer []byte) ([]ProduceAnswer, []byte, error) {
	request := r.appendTo(buffer[:0])
	answer, err := transport.RoundTrip(ctx, addr, &exchange{
		api: api(protocol.Produce), version: ProduceVersion, broker: r.Broker, request: request, decode: decodeProduce,
	})
	if err != nil {
		return nil, nil, err
	}
	response, ok := answer.(produceResponse)
	if !ok {
		return nil, nil, errors.New("produce: the answer is to another request")
	}
	return response.answers, request, nil
}

func (r ProduceRequest) appendTo(b []byte) []byte {
	const allReplicas = 0xffff // -1
	b = slices.Grow(b, r.size())
	b = appendHeader(b, protocol.Produce, ProduceVersion, r.ClientID)
	b = appendNullable(b, r.TransactionalID)
	b = binary.BigEndian.AppendUint16(b, allReplicas)
	b = binary.BigEndian.AppendUint32(b, uint32(r.Timeout.Milliseconds()))
	topics := byTopic(r.Batches)
	b = binary.BigEndian.AppendUint32(b, uint32(len(topics)))
	for _, batches := range topics {
		b = appendString(b, batches[0].Topic)
		b = binary.BigEndian.AppendUint32(b, uint32(len(batches)))
		for _, batch := range batches {
			b = binary.BigEndian.AppendUint32(b, uint32(batch.ID))
			b = binary.BigEndian.AppendUint32(b, uint32(len(batch.Bytes)))
			b = append(b, batch.Bytes...)
		}
	}
	return finish(b)
}

// size is a little more than what the request has.
func (r ProduceRequest) size() int {
	const frame = 64
	size := frame + len(r.ClientID) + len(r.TransactionalID)
	for _, batch := range r.Batches {
		size += frame + len(batch.Topic) + len(batch.Bytes)
	}
	return size
}

func decodeProduce(body []byte) (protocol.Message, error) {
	r := reader{rest: body}
	response := produceResponse{api: api(protocol.Produce)}
	r.array(func() {
		topic := r.string()
		r.array(func() {
			answer := ProduceAnswer{Partition: Partition{Topic: topic, ID: r.int32()}, Code: r.int16(), BaseOffset: r.int64()}
			_, _ = r.int64(), r.int64() // log append time, log start offset
			r.array(func() { _, _ = r.int32(), r.string() })
			answer.Message = r.string()
			response.answers = append(response.answers, answer)
		})
	})
	return response, r.err()
}
