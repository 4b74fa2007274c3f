package kafka_test

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// lossy breaks a broker's connections before a response: the request was processed, and the client does not know.
type lossy struct {
	mutex sync.Mutex
	left  map[int16]int // responses to lose, by API key
	lost  int
}

// faultyAndLossy is faulty with connections that can lose responses.
func faultyAndLossy(t *testing.T) (*kfake.Cluster, kafka.Cluster, *lossy) {
	t.Helper()
	l := &lossy{left: make(map[int16]int)}
	listen := func(network, address string) (net.Listener, error) {
		listener, err := net.Listen(network, address)
		return lossyListener{listener, l}, err
	}
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "t"), kfake.ListenFn(listen))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	return fake, kafka.Cluster{Brokers: fake.ListenAddrs()}, l
}

// lose breaks the connection instead of each of the next count responses to an API key.
func (l *lossy) lose(key kmsg.Key, count int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.left[int16(key)] += count
}

func (l *lossy) losses() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.lost
}

func (l *lossy) loses(key int16) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.left[key] == 0 {
		return false
	}
	l.left[key]--
	l.lost++
	return true
}

type lossyListener struct {
	net.Listener
	lossy *lossy
}

func (l lossyListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return &lossyConn{Conn: conn, lossy: l.lossy}, err
}

// lossyConn tracks outstanding requests. The broker writes each response at once and in order.
type lossyConn struct {
	net.Conn
	lossy *lossy

	head []byte // size and API key of the current request
	left int    // bytes of it still to be read

	mutex sync.Mutex
	asked []int16
}

func (c *lossyConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	for rest := b[:n]; len(rest) > 0; {
		if len(c.head) < 6 {
			missing := min(6-len(c.head), len(rest))
			c.head, rest = append(c.head, rest[:missing]...), rest[missing:]
			if len(c.head) == 6 {
				c.left = int(binary.BigEndian.Uint32(c.head)) - 2
				c.mutex.Lock()
				c.asked = append(c.asked, int16(binary.BigEndian.Uint16(c.head[4:])))
				c.mutex.Unlock()
			}
		}
		passing := min(c.left, len(rest))
		c.left, rest = c.left-passing, rest[passing:]
		if len(c.head) == 6 && c.left == 0 {
			c.head = nil
		}
	}
	return n, err
}

func (c *lossyConn) Write(b []byte) (int, error) {
	c.mutex.Lock()
	key := c.asked[0]
	c.asked = c.asked[1:]
	c.mutex.Unlock()
	if c.lossy.loses(key) {
		_ = c.Close() // the injected fault
		return 0, errors.New("the connection broke")
	}
	return c.Conn.Write(b)
}
