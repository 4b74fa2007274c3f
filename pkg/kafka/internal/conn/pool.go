package conn

import (
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
)

const (
	requestTimeout = 15 * time.Second
	metadataTTL    = 2 * time.Second
	expireInterval = time.Second
)

// Pool holds the connections to the brokers of a cluster and caches its metadata. It may be used by many goroutines.
type Pool struct {
	brokers   []string // bootstrap addresses
	rack      string
	addr      net.Addr
	dialer    *Dialer
	transport *kafka.Transport
	metrics   Metrics

	metadata     atomic.Pointer[cachedMetadata]
	closed       atomic.Bool
	coordinators sync.Map // CoordinatorKey to broker id, int32

	mutex   sync.Mutex
	expired time.Time // when ExpireMetadata last did something
}

// Open returns a pool for a cluster. Its metadata covers the given topics, or all topics if none are given. It connects on
// first use.
func Open(cluster Cluster, topics ...string) *Pool {
	dialer := NewDialer(cluster)
	return &Pool{
		rack: cluster.Rack, brokers: slices.Clone(cluster.Brokers), addr: kafka.TCP(cluster.Brokers...), dialer: dialer,
		metrics: cluster.metrics(),
		transport: &kafka.Transport{
			Dial:           dialer.Dial,
			DialTimeout:    DialTimeout,
			ClientID:       cluster.ClientID,
			MetadataTTL:    metadataTTL,
			MetadataTopics: slices.Clone(topics),
		},
	}
}

// Close closes the connections. Requests fail from then on.
func (p *Pool) Close() {
	p.closed.Store(true)
	p.transport.CloseIdleConnections()
}

// Client returns kafka-go's client on the pool's connections.
func (p *Pool) Client() *kafka.Client {
	return &kafka.Client{Addr: p.addr, Transport: p.transport, Timeout: requestTimeout}
}

// Rack returns Cluster.Rack.
func (p *Pool) Rack() string { return p.rack }
