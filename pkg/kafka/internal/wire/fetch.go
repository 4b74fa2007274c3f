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

// FetchRequest fetches partitions of which one broker has a replica.
type FetchRequest struct {
	Broker   int32
	ClientID string
	// Wait is how long the broker waits for records before it sends an empty response.
	Wait time.Duration
	// MaxBytes limits the response. Its first batch is complete however large it is.
	MaxBytes int32
	// ReadCommitted ends the response at the last stable offset and returns aborted transactions.
	ReadCommitted bool
	// Rack is where the client is, "" if it does not matter. A leader may name a nearer replica, and then returns no records.
	Rack string
	// Partitions must be grouped by topic.
	Partitions []FetchPartition
}

// FetchPartition is a partition and the offset to fetch from.
type FetchPartition struct {
	Partition
	Offset   int64
	MaxBytes int32
}

// FetchResult is the result of one partition. Code is Kafka's error code, 0 for none.
type FetchResult struct {
	Partition
	Code          int16
	HighWatermark int64 // end of the records that all in-sync replicas have
	LastStable    int64 // start of the first open transaction, or the high watermark
	LogStart      int64
	// PreferredReplica is the broker to fetch from instead, below zero for none.
	PreferredReplica int32
	Aborted          []batch.Aborted
	Set              []byte // for batch.Decode
}

type fetchResponse struct {
	api
	code    int16
	results []FetchResult
}

// FetchVersion is the version of fetch requests (Kafka 2.3).
const FetchVersion = 11

// Fetch sends a fetch request and returns the results of its partitions in any order.
func Fetch(ctx context.Context, transport *kafka.Transport, addr net.Addr, r FetchRequest) ([]FetchResult, error) {
	answer, err := transport.RoundTrip(ctx, addr, &exchange{
		api: api(protocol.Fetch), version: FetchVersion, broker: r.Broker, request: r.encode(), decode: decodeFetch,
	})
	if err != nil {
		return nil, err
	}
	response, ok := answer.(fetchResponse)
	switch {
	case !ok:
		return nil, errors.New("fetch: unexpected response type")
	case response.code != 0:
		return nil, kafka.Error(response.code)
	}
	return response.results, nil
}

func (r FetchRequest) encode() []byte {
	b := appendHeader(nil, protocol.Fetch, FetchVersion, r.ClientID)
	var isolation byte
	if r.ReadCommitted {
		isolation = 1
	}
	none := uint32(0xffffffff)                 // for replica id, session epoch, leader epoch
	b = binary.BigEndian.AppendUint32(b, none) // replica id
	b = binary.BigEndian.AppendUint32(b, uint32(r.Wait.Milliseconds()))
	b = binary.BigEndian.AppendUint32(b, 1) // min bytes
	b = binary.BigEndian.AppendUint32(b, uint32(r.MaxBytes))
	b = append(b, isolation)
	b = binary.BigEndian.AppendUint32(b, 0)    // session id
	b = binary.BigEndian.AppendUint32(b, none) // session epoch
	topics := byTopic(r.Partitions)
	b = binary.BigEndian.AppendUint32(b, uint32(len(topics)))
	for _, partitions := range topics {
		b = appendString(b, partitions[0].Topic)
		b = binary.BigEndian.AppendUint32(b, uint32(len(partitions)))
		for _, p := range partitions {
			b = binary.BigEndian.AppendUint32(b, uint32(p.ID))
			b = binary.BigEndian.AppendUint32(b, none) // leader epoch
			b = binary.BigEndian.AppendUint64(b, uint64(p.Offset))
			b = binary.BigEndian.AppendUint64(b, 0xffffffffffffffff) // log start offset, for replicas
			b = binary.BigEndian.AppendUint32(b, uint32(p.MaxBytes))
		}
	}
	b = binary.BigEndian.AppendUint32(b, 0) // no forgotten topics
	b = appendString(b, r.Rack)
	return finish(b)
}

func decodeFetch(body []byte) (protocol.Message, error) {
	r := reader{rest: body}
	_ = r.int32() // throttle time
	response := fetchResponse{api: api(protocol.Fetch), code: r.int16()}
	_ = r.int32() // session
	r.array(func() {
		topic := r.string()
		r.array(func() {
			answer := FetchResult{
				Partition: Partition{Topic: topic, ID: r.int32()}, Code: r.int16(),
				HighWatermark: r.int64(), LastStable: r.int64(), LogStart: r.int64(),
			}
			r.array(func() {
				answer.Aborted = append(answer.Aborted, batch.Aborted{ProducerID: r.int64(), FirstOffset: r.int64()})
			})
			answer.PreferredReplica = r.int32()
			answer.Set = r.bytes()
			response.results = append(response.results, answer)
		})
	})
	return response, r.err()
}
