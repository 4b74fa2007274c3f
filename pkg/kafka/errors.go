package kafka

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/rechargeflow/rechargeflow/pkg/folder"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

var (
	// ErrTooLarge says that a record weighs more than MaxRecordBytes; sending it again is of no use.
	ErrTooLarge = errors.New("record too large")
	// ErrFull says that the producer holds as many bytes as it may: Kafka takes them more slowly than they come, or not.
	ErrFull = errors.New("too many bytes on their way to kafka already")
	// ErrRefused says that the topics of a cluster can't be made what the topics file says; nothing was changed.
	ErrRefused = errors.New("topics refused")
	// ErrLocked says that another process has the folder of an embedded broker.
	ErrLocked = folder.ErrLocked
	// ErrAccess says that the brokers don't let us in as we are configured: TLS, a certificate or a login. The error says
	// what to check; waiting does not help.
	ErrAccess = errors.New("no access to kafka")
	// ErrTakeOver is for a Transform or Sweep to return, wrapped: what it remembers of its partition is not to be relied on
	// any more. Transactions.TakeOver is called before the records come again.
	ErrTakeOver = errors.New("partition must be taken over anew")

	errClosed       = errors.New("connections to kafka are closed")
	errNoAnswer     = errors.New("the broker's answer lacks the partition")
	errWedged       = errors.New("handler does not come back")
	errNoGeneration = errors.New("the group has no generation")
	errNotOurs      = errors.New("partition is another member's")
	errNothingDone  = errors.New("handler finished no record and gave no error")
	errNoTopic      = errors.New("topic does not exist, and is never made by using it")
)

// transient tells whether the same request may succeed a moment later: a leader that moved, a broker that restarts, a
// connection that broke. kafka-go's own list lacks io.EOF (https://github.com/segmentio/kafka-go/issues/1352) and a
// partition without a leader.
func transient(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, ErrAccess) {
		return false
	}
	var code kafka.Error
	if errors.As(err, &code) { // before net.Error, whose methods it has too
		return code.Temporary()
	}
	var network net.Error
	return errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, wire.ErrNoBroker) || errors.Is(err, protocol.ErrNoLeader) || errors.Is(err, protocol.ErrNoTopic)
}
