package kafkatest

import (
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Proxy forwards requests and responses between clients and a broker, in whole messages of Kafka's protocol, and injects network
// faults.
type Proxy struct {
	t          testing.TB
	addr       string
	upstream   string
	lingers    bool // see proxyConn
	forwarding sync.WaitGroup

	mutex    sync.Mutex
	changed  *sync.Cond
	listener net.Listener // nil while refusing
	open     map[*proxyConn]bool
	hold     func(key int16) bool
	held     int
}

// startProxy starts a proxy at addr for the broker at upstream. It stops at the end of the test.
func startProxy(t testing.TB, addr, upstream string) *Proxy {
	t.Helper()
	return startProxyWith(&Proxy{t: t, addr: addr, upstream: upstream})
}

// startLingering is startProxy for an embedded broker, whose connection stays open until outstanding responses have arrived: kfake
// never removes a member whose connection is closed when it sends a JoinGroup response, and such a member, as the leader, blocks
// the group for all of the rebalance timeout. Kafka removes it after its session timeout.
func startLingering(t testing.TB, addr, upstream string) *Proxy {
	t.Helper()
	return startProxyWith(&Proxy{t: t, addr: addr, upstream: upstream, lingers: true})
}

func startProxyWith(p *Proxy) *Proxy {
	p.t.Helper()
	p.open, p.hold = make(map[*proxyConn]bool), holdNone
	p.changed = sync.NewCond(&p.mutex)
	p.Accept()
	p.t.Cleanup(func() {
		p.Refuse()
		p.forwarding.Wait()
	})
	return p
}

func holdNone(int16) bool { return false }

// Addr returns the address for clients, host:port.
func (p *Proxy) Addr() string { return p.addr }

// Cut closes all connections. Held responses are dropped. New connections are accepted.
func (p *Proxy) Cut() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.cut()
}

func (p *Proxy) cut() {
	for open := range p.open {
		open.close()
	}
	clear(p.open)
	p.changed.Broadcast()
}

// Refuse closes all connections and refuses new ones.
func (p *Proxy) Refuse() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.listener != nil {
		_ = p.listener.Close() // only stops listening
	}
	p.listener = nil
	p.cut()
}

// Accept accepts connections again.
func (p *Proxy) Accept() {
	p.t.Helper()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.listener != nil {
		return
	}
	listener, err := net.Listen("tcp", p.addr) //nolint:noctx // a loopback port needs no context
	require.NoError(p.t, err)
	p.listener = listener
	p.forwarding.Go(func() { p.serve(listener) })
}

// Hold forwards requests and holds the responses to the given API keys (0 is Produce; see
// https://kafka.apache.org/protocol#protocol_api_keys), or to all if none is given, and later responses of the same connection:
// the broker has processed the request, and the client does not know. Release forwards them; Cut drops them.
func (p *Proxy) Hold(keys ...int16) {
	p.setHold(func(key int16) bool { return len(keys) == 0 || slices.Contains(keys, key) })
}

// Release ends Hold.
func (p *Proxy) Release() { p.setHold(holdNone) }

func (p *Proxy) setHold(hold func(int16) bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.hold = hold
	p.changed.Broadcast()
}

// Held returns how many responses are held, of connections that are still open.
func (p *Proxy) Held() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.held
}

func (p *Proxy) serve(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil { // Refuse closed it
			return
		}
		broker, err := net.DialTimeout("tcp", p.upstream, queryTimeout) //nolint:noctx // a connection has no context
		if err != nil {
			_ = client.Close() // the broker is down, and the client must notice
			continue
		}
		p.forward(listener, newProxyConn(client, broker, p.lingers))
	}
}

// forward forwards messages both ways, unless Refuse was called meanwhile.
func (p *Proxy) forward(listener net.Listener, open *proxyConn) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.listener != listener {
		open.close()
		return
	}
	p.open[open] = true
	p.forwarding.Go(func() {
		_ = open.forwardRequests() // ends with the connection
		p.close(open)
	})
	p.forwarding.Go(func() {
		_ = open.forwardResponses(p.wait) // ends with the connection
		p.close(open)
	})
}

// close closes a connection after one direction has ended.
func (p *Proxy) close(open *proxyConn) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	open.close()
	delete(p.open, open)
	p.changed.Broadcast()
}

// wait returns when a response may be forwarded, or its connection is closed.
func (p *Proxy) wait(open *proxyConn, key int16) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if !p.hold(key) {
		return
	}
	p.held++
	defer func() { p.held-- }()
	for p.open[open] && p.hold(key) {
		p.changed.Wait()
	}
}
