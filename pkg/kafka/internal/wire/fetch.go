package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
)

// FetchRequest reads partitions that one broker leads.
type FetchRequest struct {
	Broker   int32
	ClientID string
	// Wait is how long the broker holds back an answer without records.
	Wait time.Duration
	// MaxBytes bounds the answer; its first batch comes whole however large it is.
	MaxBytes int32
	// ReadCommitted stops before transactions that are still open, and names those that were aborted.
	ReadCommitted bool
	// Partitions are those of a topic next to each other.
	Partitions []FetchPartition
}

// FetchPartition says where to read on.
type FetchPartition struct {
	Partition
	Offset   int64
	MaxBytes int32
}

// FetchAnswer is what one partition has: Code is kafka-go's error number, 0 for none.
type FetchAnswer struct {
	Partition
	Code          int16
	HighWatermark int64 // behind the last record that all in-sync replicas have
	LastStable    int64 // where the first open transaction begins, else the high watermark
	LogStart      int64
	Aborted       []batch.Aborted
	Set           []byte // for batch.Decode
}

type fetchResponse struct {
	api
	code    int16
	answers []FetchAnswer
}

// FetchVersion is the only version of the request that is written here (Kafka 2.3).
const FetchVersion = 11

// Fetch sends a request and returns an answer for each partition, in any order.
func Fetch(ctx context.Context, transport *kafka.Transport, addr net.Addr, r FetchRequest) ([]FetchAnswer, error) {
	answer, err := transport.RoundTrip(ctx, addr, &exchange{
		api: api(protocol.Fetch), version: FetchVersion, broker: r.Broker, request: r.encode(), decode: decodeFetch,
	})
	if err != nil {
		return nil, err
	}
	response, ok := answer.(fetchResponse)
	switch {
	case !ok:
		return nil, errors.New("fetch: the answer is to another request")
	case response.code != 0:
		return nil, kafka.Error(response.code)
	}
	return response.answers, nil
}

func (r FetchRequest) encode() []byte {
	b := appendHeader(nil, protocol.Fetch, FetchVersion, r.ClientID)
	var isolation byte
	if r.ReadCommitted {
		isolation = 1
	}
	none := uint32(0xffffffff)                 // of a replica id, a session epoch, a leader epoch
	b = binary.BigEndian.AppendUint32(b, none) // we are no replica
	b = binary.BigEndian.AppendUint32(b, uint32(r.Wait.Milliseconds()))
	b = binary.BigEndian.AppendUint32(b, 1) // at least a byte, or wait
	b = binary.BigEndian.AppendUint32(b, uint32(r.MaxBytes))
	b = append(b, isolation)
	b = binary.BigEndian.AppendUint32(b, 0)    // no session
	b = binary.BigEndian.AppendUint32(b, none) // nor a new one
	topics := byTopic(r.Partitions)
	b = binary.BigEndian.AppendUint32(b, uint32(len(topics)))
	for _, partitions := range topics {
		b = appendString(b, partitions[0].Topic)
		b = binary.BigEndian.AppendUint32(b, uint32(len(partitions)))
		for _, p := range partitions {
			b = binary.BigEndian.AppendUint32(b, uint32(p.ID))
			b = binary.BigEndian.AppendUint32(b, none) // any leader epoch
			b = binary.BigEndian.AppendUint64(b, uint64(p.Offset))
			b = binary.BigEndian.AppendUint64(b, 0xffffffffffffffff) // log start: for replicas
			b = binary.BigEndian.AppendUint32(b, uint32(p.MaxBytes))
		}
	}
	b = binary.BigEndian.AppendUint32(b, 0) // nothing forgotten
	b = appendString(b, "")                 // no rack
	return finish(b)
}

func decodeFetch(body []byte) (protocol.Message, error) {
	r := reader{rest: body}
	_ = r.int32() // throttled for
	response := fetchResponse{api: api(protocol.Fetch), code: r.int16()}
	_ = r.int32() // session
	r.array(func() {
		topic := r.string()
		r.array(func() {
			answer := FetchAnswer{
				Partition: Partition{Topic: topic, ID: r.int32()}, Code: r.int16(),
				HighWatermark: r.int64(), LastStable: r.int64(), LogStart: r.int64(),
			}
			r.array(func() {
				answer.Aborted = append(answer.Aborted, batch.Aborted{ProducerID: r.int64(), FirstOffset: r.int64()})
			})
			_ = r.int32() // preferred replica
			answer.Set = r.bytes()
			response.answers = append(response.answers, answer)
		})
	})
	return response, r.err()
}
