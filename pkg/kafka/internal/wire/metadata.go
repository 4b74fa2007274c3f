package wire

import (
	"context"
	"errors"
	"net"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// errNotSent ends metadataRequest before it is sent.
var errNotSent = errors.New("not sent")

// metadataRequest is never sent. Transport passes it the cluster's metadata to choose a broker, and it stores them.
type metadataRequest struct {
	api
	cluster protocol.Cluster
}

// Broker is called by Transport with its metadata.
func (m *metadataRequest) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	m.cluster = cluster
	return protocol.Broker{}, errNotSent
}

// Metadata returns the Transport's copy of the cluster's metadata: brokers, topics, leaders. It waits for the first metadata
// response; after that it is free and may be as old as the Transport's MetadataTTL. It must not be changed. It is empty if no
// broker has ever answered.
func Metadata(ctx context.Context, transport *kafka.Transport, addr net.Addr) (protocol.Cluster, error) {
	m := &metadataRequest{api: api(protocol.Metadata)}
	if _, err := transport.RoundTrip(ctx, addr, m); err != nil && !errors.Is(err, errNotSent) {
		return protocol.Cluster{}, err
	}
	return m.cluster, nil
}
