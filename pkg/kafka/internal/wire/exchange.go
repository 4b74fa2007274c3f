package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/segmentio/kafka-go/protocol"
)

// ErrNoBroker says that a broker is not part of the cluster, as far as is known.
var ErrNoBroker = errors.New("broker is not in the cluster")

// maxAnswer is the greatest answer we are ready for: a fetch asks for a few MiB, and gets more only where one batch has.
const maxAnswer = 512 << 20

// api names the kind of a request or an answer.
type api protocol.ApiKey

// ApiKey makes what embeds an api a protocol.Message.
func (a api) ApiKey() protocol.ApiKey { return protocol.ApiKey(a) } //nolint:revive // the name is kafka-go's

// exchange is a request whose bytes, and whose answer's, are ours. kafka-go runs one request at a time over a connection,
// so that its correlation id needs not be unique.
type exchange struct {
	api
	version int16 // the only one that request and decode know
	broker  int32
	request []byte // whole, made by header and finish
	decode  func(body []byte) (protocol.Message, error)

	offered int16
}

// Broker chooses the broker, before kafka-go would.
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

// Required takes over from kafka-go, and is told what the broker speaks.
func (e *exchange) Required(versions map[protocol.ApiKey]int16) bool {
	e.offered = versions[e.ApiKey()]
	return true
}

const correlationID = 1

// RawExchange writes the request and reads its answer.
func (e *exchange) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if e.offered < e.version {
		return nil, fmt.Errorf("broker %d speaks %s up to version %d only, and %d is needed: Kafka 2.4 or later", e.broker, e.ApiKey(), e.offered, e.version)
	}
	if _, err := rw.Write(e.request); err != nil {
		return nil, err
	}
	answer, err := readAnswer(rw)
	if err != nil {
		return nil, err
	}
	return e.decode(answer)
}

// appendHeader begins a request with its size, which finish fills in, and a header of version 1.
func appendHeader(b []byte, kind protocol.ApiKey, version int16, clientID string) []byte {
	b = binary.BigEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(kind))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, correlationID)
	return appendString(b, clientID)
}

func finish(request []byte) []byte {
	binary.BigEndian.PutUint32(request, uint32(len(request)-4))
	return request
}

// readAnswer returns an answer's body.
func readAnswer(r io.Reader) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := int64(int32(binary.BigEndian.Uint32(head[:]))) - 4
	if size < 0 || size > maxAnswer {
		return nil, fmt.Errorf("the broker's answer says it has %d bytes", size)
	}
	if id := binary.BigEndian.Uint32(head[4:]); id != correlationID {
		return nil, fmt.Errorf("the broker's answer is to request %d, not %d", id, correlationID)
	}
	return readBody(r, int(size))
}

// readBody takes memory as bytes come, not as they are announced.
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

// appendNullable writes "" as nothing.
func appendNullable(b []byte, s string) []byte {
	if s == "" {
		return binary.BigEndian.AppendUint16(b, 0xffff)
	}
	return appendString(b, s)
}
