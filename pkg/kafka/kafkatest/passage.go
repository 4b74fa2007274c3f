package kafkatest

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

// largestMessage is more than any broker or client of a test sends at once, in bytes.
const largestMessage = 128 << 20

// passage is one connection through a Proxy. A message of Kafka's protocol is its length (int32) and so many bytes; a
// request begins with its key (int16), version (int16) and number (int32), an answer with that number
// (https://kafka.apache.org/protocol#protocol_messages).
type passage struct {
	client, broker net.Conn
	// lingers says that a broker whose client is gone keeps its connection until it has answered what it was asked.
	lingers bool

	mutex sync.Mutex
	asked map[uint32]int16 // the keys of requests under way, by number
}

func newPassage(client, broker net.Conn, lingers bool) *passage {
	return &passage{client: client, broker: broker, lingers: lingers, asked: make(map[uint32]int16)}
}

func (p *passage) end() {
	_ = p.client.Close() // both may be closed already
	if !p.owed() {
		_ = p.broker.Close()
	}
}

// owed tells whether the broker is to answer although there is nobody to hear it.
func (p *passage) owed() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.lingers && len(p.asked) > 0
}

// forward passes requests on until the connection ends.
func (p *passage) forward() error {
	for {
		message, err := read(p.client)
		if err != nil {
			return err
		}
		if len(message) >= 12 {
			p.mutex.Lock()
			p.asked[binary.BigEndian.Uint32(message[8:])] = int16(binary.BigEndian.Uint16(message[4:]))
			p.mutex.Unlock()
		}
		if _, err := p.broker.Write(message); err != nil {
			return err
		}
	}
}

// answer passes answers back until the connection ends, each when wait has returned.
func (p *passage) answer(wait func(*passage, int16)) error {
	for {
		message, err := read(p.broker)
		if err != nil {
			return err
		}
		if len(message) >= 8 {
			wait(p, p.keyOf(binary.BigEndian.Uint32(message[4:])))
		}
		if _, err := p.client.Write(message); err != nil && !p.owed() {
			return err
		}
	}
}

func (p *passage) keyOf(number uint32) int16 {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	key, ok := p.asked[number]
	if !ok {
		return -1
	}
	delete(p.asked, number)
	return key
}

// read returns one message, its length included.
func read(from io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(from, length[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(length[:])
	if size > largestMessage {
		return nil, fmt.Errorf("not a message of Kafka: %d bytes", size)
	}
	message := make([]byte, 4+size)
	copy(message, length[:])
	_, err := io.ReadFull(from, message[4:])
	return message, err
}
