package wire

import (
	"context"
	"io"
	"net"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// routed is one of kafka-go's own messages on its way to a broker of our choice.
type routed struct {
	protocol.Message
	broker   int32
	clientID string
	version  int16
}

// Send sends one of kafka-go's messages to a broker, and returns its answer.
func Send(ctx context.Context, transport *kafka.Transport, addr net.Addr, broker int32, message protocol.Message) (protocol.Message, error) {
	return transport.RoundTrip(ctx, addr, &routed{Message: message, broker: broker, clientID: transport.ClientID})
}

// Broker chooses the broker, before kafka-go would look for a coordinator.
func (r *routed) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	return brokerOf(cluster, r.broker)
}

// Required takes over from kafka-go, which can write only what it knows by type.
func (r *routed) Required(versions map[protocol.ApiKey]int16) bool {
	r.version = versions[r.ApiKey()]
	if r.ApiKey() == protocol.Heartbeat {
		r.version = 0 // of later answers kafka-go v0.4.51 takes the throttle time, which comes first, for the error
	}
	return true
}

// RawExchange is what kafka-go would have done.
func (r *routed) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	return protocol.RoundTrip(rw, r.version, correlationID, r.clientID, r.Message)
}
