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

// ProduceRequest writes one batch to each of several partitions that one broker leads, with acks=all.
type ProduceRequest struct {
	Broker          int32
	ClientID        string
	TransactionalID string        // "" for none
	Timeout         time.Duration // how long the broker waits for its replicas
	Batches         []ProduceBatch
}

// ProduceBatch is the batch of one partition. Batches must be grouped by topic.
type ProduceBatch struct {
	Partition
	Bytes []byte
}

// ProduceResult is the result of one batch. Code is Kafka's error code, 0 for none.
type ProduceResult struct {
	Partition
	Code       int16
	BaseOffset int64
	Message    string
}

type produceResponse struct {
	api
	results []ProduceResult
}

// ProduceVersion is the version of produce requests (Kafka 2.4).
const ProduceVersion = 8

// Produce sends a produce request, encoded into buffer, and returns the buffer for reuse. After an error the outcome of the
// request is unknown, and buffer must not be used again.
func Produce(ctx context.Context, transport *kafka.Transport, addr net.Addr, r ProduceRequest, buffer []byte) ([]ProduceResult, []byte, error) {
	request := r.appendTo(buffer[:0])
	answer, err := transport.RoundTrip(ctx, addr, &exchange{
		api: api(protocol.Produce), version: ProduceVersion, broker: r.Broker, request: request, decode: decodeProduce,
	})
	if err != nil {
		return nil, nil, err
	}
	response, ok := answer.(produceResponse)
	if !ok {
		return nil, nil, errors.New("produce: unexpected response type")
	}
	return response.results, request, nil
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

// size returns an upper limit for the size of the request.
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
			answer := ProduceResult{Partition: Partition{Topic: topic, ID: r.int32()}, Code: r.int16(), BaseOffset: r.int64()}
			_, _ = r.int64(), r.int64() // log append time, log start offset
			r.array(func() { _, _ = r.int32(), r.string() })
			answer.Message = r.string()
			response.results = append(response.results, answer)
		})
	})
	return response, r.err()
}
