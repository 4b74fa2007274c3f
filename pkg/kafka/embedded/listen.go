package embedded

import (
	"fmt"
	"net"
)

// listenFunc is kfake's hook to listen. kfake passes an address of its own choice.
type listenFunc func(network, address string) (net.Listener, error)

// listener returns a hook that listens on the configured address. kfake advertises the address that the listener returns.
func listener(config Config) (listenFunc, error) {
	listen, err := loopback(config.Listen)
	if err != nil {
		return nil, err
	}
	var advertise *net.TCPAddr
	if config.Advertise != "" {
		address, err := loopback(config.Advertise)
		if err != nil {
			return nil, err
		}
		if advertise, err = net.ResolveTCPAddr("tcp", address); err != nil {
			return nil, fmt.Errorf("resolve address %q: %w", address, err)
		}
	}
	return func(network, _ string) (net.Listener, error) {
		l, err := net.Listen(network, listen) //nolint:noctx // kfake passes no context, and a loopback port needs none
		if err != nil || advertise == nil {
			return l, err
		}
		return advertised{l, advertise}, nil
	}, nil
}

// advertised is a listener that returns another address than its own.
type advertised struct {
	net.Listener
	addr *net.TCPAddr
}

func (a advertised) Addr() net.Addr { return a.addr }

// loopback rejects addresses that other machines can reach: the embedded broker has no authentication.
func loopback(listen string) (string, error) {
	if listen == "" {
		return "127.0.0.1:0", nil
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("listen address %q is not host:port: %w", listen, err)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return listen, nil
	}
	return "", fmt.Errorf("listen address %q is not loopback: use 127.0.0.1, or configure brokers (kafka.brokers)", listen)
}
