package kafka

import (
	"fmt"
	"net"
)

// listenFunc is what kfake calls to listen. It passes an address of its own choice.
type listenFunc func(network, address string) (net.Listener, error)

// listening listens where the embedded broker is to listen, and says where it is to be found: kfake tells clients the
// address that its listener names.
func listening(config EmbeddedConfig) (listenFunc, error) {
	listen, err := loopback(config.Listen)
	if err != nil {
		return nil, err
	}
	var found *net.TCPAddr
	if config.Advertise != "" {
		advertise, err := loopback(config.Advertise)
		if err != nil {
			return nil, err
		}
		if found, err = net.ResolveTCPAddr("tcp", advertise); err != nil {
			return nil, fmt.Errorf("resolve address %q: %w", advertise, err)
		}
	}
	return func(network, _ string) (net.Listener, error) {
		listener, err := net.Listen(network, listen) //nolint:noctx // kfake gives no context, and a loopback port needs none
		if err != nil || found == nil {
			return listener, err
		}
		return advertised{listener, found}, nil
	}, nil
}

// advertised is a listener that says it is to be found elsewhere.
type advertised struct {
	net.Listener
	at *net.TCPAddr
}

func (a advertised) Addr() net.Addr { return a.at }

// loopback refuses addresses that other machines could reach: the embedded broker asks nobody who they are.
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
	return "", fmt.Errorf("listen address %q is not loopback: use 127.0.0.1, or real brokers (kafka.brokers)", listen)
}
