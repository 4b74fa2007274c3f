package wire

import (
	"context"
	"io"
	"net"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// routed is one of kafka-go's requests to a given broker.
type routed struct {
	protocol.Message
	broker   int32
	clientID string
	version  int16
}

// Send sends one of kafka-go's requests to a broker and returns the response.
func Send(ctx context.Context, transport *kafka.Transport, addr net.Addr, broker int32, message protocol.Message) (protocol.Message, error) {
	answer, err := transport.RoundTrip(ctx, addr, &routed{Message: message, broker: broker, clientID: transport.ClientID})
	if wrapped, ok := answer.(routedAnswer); ok {
		return wrapped.Message, err
	}
	return answer, err
}

// routedAnswer hides the type of a response from Transport, which would convert the request to that of a Metadata response and
// panic (transport.go of v0.4.51, roundTrip).
type routedAnswer struct{ protocol.Message }

// Broker selects the broker. kafka-go would look for a coordinator.
func (r *routed) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	return brokerOf(cluster, r.broker)
}

// Required returns true so that RawExchange is called, because kafka-go can't encode this type.
func (r *routed) Required(versions map[protocol.ApiKey]int16) bool {
	r.version = versions[r.ApiKey()]
	if r.ApiKey() == protocol.Heartbeat {
		r.version = 0 // kafka-go v0.4.51 decodes the throttle time of later versions as the error code
	}
	return true
}

// RawExchange writes the request and reads the response as kafka-go does.
func (r *routed) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	answer, err := protocol.RoundTrip(rw, r.version, correlationID, r.clientID, r.Message)
	if err != nil {
		return nil, err
	}
	return routedAnswer{answer}, nil
}
