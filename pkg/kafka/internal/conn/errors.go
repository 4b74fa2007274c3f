package conn

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

var (
	// ErrAccess means that the brokers reject the configured TLS settings, certificate or credentials. The error names the
	// setting to check; retrying does not help.
	ErrAccess = errors.New("no access to kafka")
	// ErrCredentials means that the password, token, certificate or CA for a connection could not be read. The error names the
	// setting. It may succeed later.
	ErrCredentials = errors.New("credentials for kafka not available")
	// ErrClosed means that the pool was closed.
	ErrClosed = errors.New("connections to kafka are closed")
	// ErrMissingPartition means that a response lacks a partition of the request.
	ErrMissingPartition = errors.New("the broker's response lacks the partition")
	// ErrUnexpectedResponse means that a response is not one to the request. kafka-go excludes that.
	ErrUnexpectedResponse = errors.New("unexpected response type")
	// ErrNoTopic means that a topic does not exist.
	ErrNoTopic = errors.New("topic does not exist, and auto-creation is disabled")
)

// Transient reports whether the same request may succeed a moment later: the leader moved, the broker restarts, the
// connection broke. kafka-go's own list lacks io.EOF (https://github.com/segmentio/kafka-go/issues/1352) and partitions
// without a leader.
func Transient(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, ErrAccess) {
		return false
	}
	var code kafka.Error
	if errors.As(err, &code) { // before net.Error, whose methods it has too
		return code.Temporary()
	}
	var network net.Error
	return errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrCredentials) ||
		errors.Is(err, wire.ErrNoBroker) || errors.Is(err, protocol.ErrNoLeader) || errors.Is(err, protocol.ErrNoTopic)
}
