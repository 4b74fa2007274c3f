package kafkatest

import (
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Proxy stands between a broker and its clients and lets them down as networks do. What clients send is passed on, what
// the broker answers is passed back, both in whole Kafka messages, until it is told otherwise.
type Proxy struct {
	t        testing.TB
	addr     string
	upstream string
	lingers  bool // its passages do
	passing  sync.WaitGroup

	mutex    sync.Mutex
	changed  *sync.Cond
	listener net.Listener // nil while refusing
	open     map[*passage]bool
	hold     func(key int16) bool
	held     int
}

// startProxy listens at addr, until the end of the test, for the broker at upstream.
func startProxy(t testing.TB, addr, upstream string) *Proxy {
	t.Helper()
	return startOf(&Proxy{t: t, addr: addr, upstream: upstream})
}

// startLingering is startProxy for an embedded broker, which does not learn that a client is gone before it has answered
// it: kfake never gives up a member whose connection it finds closed when it answers its JoinGroup, and such a member, as
// the leader, holds the group up for all of the rebalance timeout. Kafka gives it up after its session timeout.
func startLingering(t testing.TB, addr, upstream string) *Proxy {
	t.Helper()
	return startOf(&Proxy{t: t, addr: addr, upstream: upstream, lingers: true})
}

func startOf(p *Proxy) *Proxy {
	p.t.Helper()
	p.open, p.hold = make(map[*passage]bool), nothing
	p.changed = sync.NewCond(&p.mutex)
	p.Accept()
	p.t.Cleanup(func() {
		p.Refuse()
		p.passing.Wait()
	})
	return p
}

func nothing(int16) bool { return false }

// Addr returns where clients find the broker, host:port.
func (p *Proxy) Addr() string { return p.addr }

// Cut ends all connections at once. Answers that are held never arrive. New connections are taken.
func (p *Proxy) Cut() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.cut()
}

func (p *Proxy) cut() {
	for open := range p.open {
		open.end()
	}
	clear(p.open)
	p.changed.Broadcast()
}

// Refuse ends all connections and refuses new ones, as if nothing listened there.
func (p *Proxy) Refuse() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.listener != nil {
		_ = p.listener.Close() // nothing is lost with it
	}
	p.listener = nil
	p.cut()
}

// Accept takes connections again.
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
	p.passing.Go(func() { p.serve(listener) })
}

// Hold passes requests on and keeps back the answers to those of the given kinds (their keys in Kafka's protocol, 0 for
// Produce; see https://kafka.apache.org/protocol#protocol_api_keys), of every kind when none is given, and what comes
// after them on the same connection: the broker has done what was asked, and the client does not learn it. Release lets
// the answers go; Cut drops them.
func (p *Proxy) Hold(keys ...int16) {
	p.setHold(func(key int16) bool { return len(keys) == 0 || slices.Contains(keys, key) })
}

// Release ends Hold.
func (p *Proxy) Release() { p.setHold(nothing) }

func (p *Proxy) setHold(hold func(int16) bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.hold = hold
	p.changed.Broadcast()
}

// Held returns how many answers are kept back right now, of connections that the client has not given up.
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
		broker, err := net.DialTimeout("tcp", p.upstream, lookTimeout) //nolint:noctx // it lasts as long as the connection
		if err != nil {
			_ = client.Close() // the broker is down; its client is to see that
			continue
		}
		p.pass(listener, newPassage(client, broker, p.lingers))
	}
}

// pass carries messages both ways, unless the proxy has begun to refuse meanwhile.
func (p *Proxy) pass(listener net.Listener, open *passage) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.listener != listener {
		open.end()
		return
	}
	p.open[open] = true
	p.passing.Go(func() {
		_ = open.forward() // it ends with the connection
		p.close(open)
	})
	p.passing.Go(func() {
		_ = open.answer(p.wait) // it ends with the connection
		p.close(open)
	})
}

// close ends a connection of which one way has ended.
func (p *Proxy) close(open *passage) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	open.end()
	delete(p.open, open)
	p.changed.Broadcast()
}

// wait returns when an answer may go to its client, or when there is no connection any more for it to go by.
func (p *Proxy) wait(open *passage, key int16) {
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
