package wire

import (
	"context"
	"errors"
	"net"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// errSeen ends a request that wanted only to see the layout.
var errSeen = errors.New("seen")

// sight is a request that is never sent: asked for its broker, it is shown the cluster.
type sight struct {
	api
	cluster protocol.Cluster
}

// Broker is where kafka-go shows what it knows.
func (s *sight) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	s.cluster = cluster
	return protocol.Broker{}, errSeen
}

// Layout returns what the Transport knows of the cluster: brokers, topics, leaders. It waits for the first answer to its
// request for metadata; after that it costs nothing and may be as old as the Transport's MetadataTTL. It must not be
// changed. Empty where no broker ever answered.
func Layout(ctx context.Context, transport *kafka.Transport, addr net.Addr) (protocol.Cluster, error) {
	s := &sight{api: api(protocol.Metadata)}
	if _, err := transport.RoundTrip(ctx, addr, s); err != nil && !errors.Is(err, errSeen) {
		return protocol.Cluster{}, err
	}
	return s.cluster, nil
}
