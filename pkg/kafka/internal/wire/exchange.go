package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/segmentio/kafka-go/protocol"
)

// ErrNoBroker means that a broker is not in the cluster's metadata.
var ErrNoBroker = errors.New("broker is not in the cluster")

// maxResponse limits a response. A fetch requests a few MiB and gets more only for a single larger batch.
const maxResponse = 512 << 20

// api is the API key of a request or response.
type api protocol.ApiKey

// ApiKey implements protocol.Message.
func (a api) ApiKey() protocol.ApiKey { return protocol.ApiKey(a) } //nolint:revive // the name is kafka-go's

// exchange is a request and its response as bytes. kafka-go sends one request at a time over a connection, so the correlation id
// need not be unique.
type exchange struct {
	api
	version int16 // of request and decode
	broker  int32
	request []byte // made by appendHeader and finish
	decode  func(body []byte) (protocol.Message, error)

	supported int16
}

// Broker selects the broker, in place of kafka-go.
func (e *exchange) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	return brokerOf(cluster, e.broker)
}

func brokerOf(cluster protocol.Cluster, id int32) (protocol.Broker, error) {
	broker, ok := cluster.Brokers[id]
	if !ok {
		return protocol.Broker{ID: -1}, fmt.Errorf("broker %d: %w", id, ErrNoBroker)
	}
	return broker, nil
}

// Required stores the version that the broker supports, and returns true so that RawExchange is called.
func (e *exchange) Required(versions map[protocol.ApiKey]int16) bool {
	e.supported = versions[e.ApiKey()]
	return true
}

const correlationID = 1

// RawExchange writes the request and reads the response.
func (e *exchange) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if e.supported < e.version {
		return nil, fmt.Errorf("broker %d supports %s up to version %d only, %d is required: use Kafka 2.4 or later", e.broker, e.ApiKey(), e.supported, e.version)
	}
	if _, err := rw.Write(e.request); err != nil {
		return nil, err
	}
	answer, err := readResponse(rw)
	if err != nil {
		return nil, err
	}
	return e.decode(answer)
}

// appendHeader appends the size of a request, which finish sets, and a request header of version 1.
func appendHeader(b []byte, kind protocol.ApiKey, version int16, clientID string) []byte {
	b = binary.BigEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(kind))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, correlationID)
	return appendString(b, clientID)
}

// finish sets the size of a request.
func finish(request []byte) []byte {
	binary.BigEndian.PutUint32(request, uint32(len(request)-4))
	return request
}

// readResponse returns the body of a response.
func readResponse(r io.Reader) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := int64(int32(binary.BigEndian.Uint32(head[:]))) - 4
	if size < 0 || size > maxResponse {
		return nil, fmt.Errorf("invalid response size of %d bytes", size)
	}
	if id := binary.BigEndian.Uint32(head[4:]); id != correlationID {
		return nil, fmt.Errorf("response has correlation id %d, not %d", id, correlationID)
	}
	return readBody(r, int(size))
}

// readBody allocates memory as bytes arrive, not by the announced size.
func readBody(r io.Reader, size int) ([]byte, error) {
	const atOnce = 1 << 20
	body := make([]byte, min(size, atOnce))
	for have := 0; ; {
		if _, err := io.ReadFull(r, body[have:]); err != nil {
			return nil, errors.Join(io.ErrUnexpectedEOF, err)
		}
		have = len(body)
		if have == size {
			return body, nil
		}
		body = slices.Grow(body, min(have, size-have))[:min(2*have, size)]
	}
}

func appendString(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
	return append(b, s...)
}

// appendNullable appends a string, null for "".
func appendNullable(b []byte, s string) []byte {
	if s == "" {
		return binary.BigEndian.AppendUint16(b, 0xffff)
	}
	return appendString(b, s)
}
