package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"net"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// offsetsVersion is the first version with an isolation level.
const offsetsVersion = 2

// EndOffset is the end of a partition: the high watermark, or the last stable offset.
type EndOffset struct {
	Partition
	Code   int16
	Offset int64
}

type offsetsResponse struct {
	api
	ends []EndOffset
}

// EndOffsets fetches the ends of a broker's partitions in one request; kafka-go sends one for each. stable asks for the last stable offsets,
// otherwise it returns the high watermarks.
func EndOffsets(ctx context.Context, transport *kafka.Transport, addr net.Addr, broker int32, partitions []Partition, stable bool) ([]EndOffset, error) {
	answer, err := transport.RoundTrip(ctx, addr, &exchange{
		api: api(protocol.ListOffsets), version: offsetsVersion, broker: broker,
		request: encodeOffsets(transport.ClientID, partitions, stable), decode: decodeOffsets,
	})
	if err != nil {
		return nil, err
	}
	response, ok := answer.(offsetsResponse)
	if !ok {
		return nil, errors.New("list offsets: unexpected response type")
	}
	return response.ends, nil
}

func encodeOffsets(clientID string, partitions []Partition, stable bool) []byte {
	b := appendHeader(nil, protocol.ListOffsets, offsetsVersion, clientID)
	b = binary.BigEndian.AppendUint32(b, 0xffffffff) // no replica
	var isolation byte
	if stable {
		isolation = 1
	}
	b = append(b, isolation)
	b = binary.BigEndian.AppendUint32(b, uint32(len(partitions)))
	for _, p := range partitions { // a topic may be named again
		b = appendString(b, p.Topic)
		b = binary.BigEndian.AppendUint32(b, 1)
		b = binary.BigEndian.AppendUint32(b, uint32(p.ID))
		b = binary.BigEndian.AppendUint64(b, 0xffffffffffffffff) // the latest
	}
	return finish(b)
}

func decodeOffsets(body []byte) (protocol.Message, error) {
	r := reader{rest: body}
	_ = r.int32() // throttle time
	response := offsetsResponse{api: api(protocol.ListOffsets)}
	r.array(func() {
		topic := r.string()
		r.array(func() {
			end := EndOffset{Partition: Partition{Topic: topic, ID: r.int32()}, Code: r.int16()}
			_ = r.int64() // timestamp
			end.Offset = r.int64()
			response.ends = append(response.ends, end)
		})
	})
	return response, r.err()
}
