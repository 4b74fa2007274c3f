package kafkatest

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

// maxMessage limits the bytes of a message, beyond what tests send.
const maxMessage = 128 << 20

// proxyConn is one connection through a Proxy. A message of Kafka's protocol is its length (int32) and as many bytes. A request
// begins with its API key (int16), version (int16) and correlation id (int32), a response with that id
// (https://kafka.apache.org/protocol#protocol_messages).
type proxyConn struct {
	client, broker net.Conn
	// lingers keeps the broker's connection open after the client has disconnected, until outstanding responses have arrived.
	lingers bool

	mutex   sync.Mutex
	pending map[uint32]int16 // API keys of outstanding requests, by correlation id
}

func newProxyConn(client, broker net.Conn, lingers bool) *proxyConn {
	return &proxyConn{client: client, broker: broker, lingers: lingers, pending: make(map[uint32]int16)}
}

func (p *proxyConn) close() {
	_ = p.client.Close() // may be closed already
	if !p.answering() {
		_ = p.broker.Close()
	}
}

// answering reports whether the connection lingers for outstanding responses.
func (p *proxyConn) answering() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.lingers && len(p.pending) > 0
}

// forwardRequests forwards requests until the connection ends.
func (p *proxyConn) forwardRequests() error {
	for {
		message, err := readMessage(p.client)
		if err != nil {
			return err
		}
		if len(message) >= 12 {
			p.mutex.Lock()
			p.pending[binary.BigEndian.Uint32(message[8:])] = int16(binary.BigEndian.Uint16(message[4:]))
			p.mutex.Unlock()
		}
		if _, err := p.broker.Write(message); err != nil {
			return err
		}
	}
}

// forwardResponses forwards responses until the connection ends, each after wait has returned.
func (p *proxyConn) forwardResponses(wait func(*proxyConn, int16)) error {
	for {
		message, err := readMessage(p.broker)
		if err != nil {
			return err
		}
		if len(message) >= 8 {
			wait(p, p.keyOf(binary.BigEndian.Uint32(message[4:])))
		}
		if _, err := p.client.Write(message); err != nil && !p.answering() {
			return err
		}
	}
}

func (p *proxyConn) keyOf(number uint32) int16 {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	key, ok := p.pending[number]
	if !ok {
		return -1
	}
	delete(p.pending, number)
	return key
}

// readMessage returns one message with its length.
func readMessage(from io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(from, length[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(length[:])
	if size > maxMessage {
		return nil, fmt.Errorf("invalid size of a Kafka message: %d bytes", size)
	}
	message := make([]byte, 4+size)
	copy(message, length[:])
	_, err := io.ReadFull(from, message[4:])
	return message, err
}
