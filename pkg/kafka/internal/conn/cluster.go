package conn

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
)

// Cluster holds what is needed to connect to a Kafka cluster.
type Cluster struct {
	// Brokers are the bootstrap addresses, host:port. The other brokers are discovered from them.
	Brokers []string
	// ClientID identifies this client in the brokers' logs and quotas.
	ClientID string
	// Rack is where this client is, as broker.rack of the brokers; "" if it does not matter. Consumers read from a replica there if
	// the brokers have a replica selector (KIP-392).
	Rack string
	// TLS returns the TLS settings of a new connection; nil for plain text. TLSFiles loads it from files. Without a ServerName
	// each broker's host is verified.
	TLS func() (*tls.Config, error)
	// SASL holds the credentials, if brokers require authentication.
	SASL SASL
	// Metrics, if set, counts and times all produce and fetch requests and transactions.
	Metrics Metrics
}

// Validate checks the addresses and the credentials without connecting.
func (c Cluster) Validate() error {
	if len(c.Brokers) == 0 {
		return errors.New("no Kafka brokers configured: set at least one host:port in kafka.brokers")
	}
	for _, broker := range c.Brokers {
		if _, _, err := net.SplitHostPort(broker); err != nil {
			return fmt.Errorf("broker address %q in kafka.brokers is not host:port: %w", broker, err)
		}
	}
	return c.SASL.validate()
}
