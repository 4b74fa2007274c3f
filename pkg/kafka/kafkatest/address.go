package kafkatest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// firstPort and ports are the range in which brokers listen, below the ports that Linux assigns to outgoing connections
// (32768 to 60999, ip_local_port_range in ip(7)): otherwise a connection could take the port of a broker that is down.
const (
	firstPort = 10_000
	ports     = 22_000
)

// listen listens on a free loopback port.
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

// freeAddrs returns different free loopback addresses.
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

// freeAddr returns a free loopback address.
func freeAddr() (string, error) {
	addrs, err := freeAddrs(1)
	if err != nil {
		return "", err
	}
	return addrs[0], nil
}
