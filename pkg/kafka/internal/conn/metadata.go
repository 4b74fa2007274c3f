package conn

import (
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// metadataMaxAge is how long the pool's own copy of the metadata is used. kafka-go refreshes its copy within metadataTTL.
const metadataMaxAge = 250 * time.Millisecond

// cachedMetadata is the last known metadata and when it was read.
type cachedMetadata struct {
	cluster protocol.Cluster
	at      time.Time
}

func (m *cachedMetadata) fresh() bool { return m != nil && time.Since(m.at) < metadataMaxAge }

// Cached returns the metadata without waiting. ok is false if it is missing or too old.
func (p *Pool) Cached() (cluster protocol.Cluster, ok bool) {
	if last := p.metadata.Load(); last.fresh() {
		return last.cluster, true
	}
	return protocol.Cluster{}, false
}

// Metadata returns the cluster's brokers, topics and leaders, at most a moment old.
func (p *Pool) Metadata(ctx context.Context) (protocol.Cluster, error) {
	if cluster, ok := p.Cached(); ok {
		return cluster, nil
	}
	if p.closed.Load() {
		return protocol.Cluster{}, ErrClosed
	}
	cluster, err := p.fetchMetadata(ctx)
	if p.closed.Load() { // closed meanwhile, and kafka-go has connected again
		p.transport.CloseIdleConnections()
		return protocol.Cluster{}, ErrClosed
	}
	return cluster, err
}

func (p *Pool) fetchMetadata(ctx context.Context) (protocol.Cluster, error) {
	cluster, err := wire.Metadata(ctx, p.transport, p.addr)
	if err != nil {
		return protocol.Cluster{}, fmt.Errorf("fetch metadata: %w", err)
	}
	if len(cluster.Brokers) == 0 { // no broker has answered yet
		return p.lastMetadata(ctx)
	}
	p.metadata.Store(&cachedMetadata{cluster: cluster, at: time.Now()})
	return cluster, nil
}

// lastMetadata returns the metadata from before the brokers stopped answering. If there is none the error says why they
// don't answer.
func (p *Pool) lastMetadata(ctx context.Context) (protocol.Cluster, error) {
	if last := p.metadata.Load(); last != nil {
		return last.cluster, nil
	}
	if _, err := Plain(p.Client().Metadata(ctx, &kafka.MetadataRequest{})); err != nil {
		return protocol.Cluster{}, fmt.Errorf("fetch metadata: %w", err)
	}
	return protocol.Cluster{}, nil
}

// Leader returns the broker that leads a partition, by the last known metadata. It does not wait.
func (p *Pool) Leader(topic string, partition int32) (int32, error) {
	last := p.metadata.Load()
	if last == nil {
		return 0, protocol.NewErrNoLeader(topic, partition)
	}
	leader := last.cluster.Topics[topic].Partitions[partition].Leader
	if _, ok := last.cluster.Brokers[leader]; !ok {
		return 0, protocol.NewErrNoLeader(topic, partition)
	}
	return leader, nil
}

// HasBroker reports whether a broker is in the last known metadata.
func (p *Pool) HasBroker(id int32) bool {
	last := p.metadata.Load()
	if last == nil {
		return false
	}
	_, ok := last.cluster.Brokers[id]
	return ok
}

// ExpireMetadata makes kafka-go read the metadata again, at most once a second. On its own it learns of a moved leader only
// when its copy expires (https://github.com/segmentio/kafka-go/issues/1413).
func (p *Pool) ExpireMetadata() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if time.Since(p.expired) < expireInterval {
		return
	}
	p.expired = time.Now()
	p.transport.CloseIdleConnections()
}

// RefreshMetadata reads the metadata again because it has proved wrong. It waits DialTimeout at most. A failure is not
// reported: the next request fails in the same way.
func (p *Pool) RefreshMetadata(ctx context.Context) {
	p.ExpireMetadata()
	ctx, cancel := context.WithTimeout(ctx, DialTimeout)
	defer cancel()
	if last := p.metadata.Load(); last != nil {
		p.metadata.Store(&cachedMetadata{cluster: last.cluster})
	}
	_, _ = p.Metadata(ctx)
}
