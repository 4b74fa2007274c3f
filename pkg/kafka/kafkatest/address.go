package kafkatest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// firstPort and ports are where brokers of tests listen: below the ports that Linux gives to connections that go out
// (32768 to 60999, ip_local_port_range in ip(7)), lest one of them takes a broker's port while the broker is down.
const (
	firstPort = 10_000
	ports     = 22_000
)

// listen listens on a port of this machine that was free.
func listen() (net.Listener, error) {
	var failed error
	for range 50 {
		addr := fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(ports))
		listener, err := net.Listen("tcp", addr) //nolint:noctx // a loopback port needs no context
		if err == nil {
			return listener, nil
		}
		failed = err
	}
	return nil, fmt.Errorf("find a free port: %w", failed)
}

// freeAddrs returns different addresses of this machine that nothing listens on right now.
func freeAddrs(n int) (addrs []string, err error) {
	for range n {
		listener, failed := listen()
		if failed != nil {
			return nil, errors.Join(err, failed)
		}
		defer func() { err = errors.Join(err, listener.Close()) }()
		addrs = append(addrs, listener.Addr().String())
	}
	return addrs, nil
}

// freeAddr returns an address of this machine that nothing listens on right now.
func freeAddr() (string, error) {
	addrs, err := freeAddrs(1)
	if err != nil {
		return "", err
	}
	return addrs[0], nil
}
