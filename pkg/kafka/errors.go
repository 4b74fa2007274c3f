package kafka

import (
	"errors"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

var (
	// ErrTooLarge means that a record exceeds MaxRecordBytes, or a batch the topic's max.message.bytes. Retrying does not help.
	ErrTooLarge = errors.New("record too large")
	// ErrInvalidTimestamp means that the broker refuses a record's time, because the topic's message.timestamp.after.max.ms or
	// message.timestamp.before.max.ms limits it. The clock of the producer or the broker is wrong.
	ErrInvalidTimestamp = errors.New("record timestamp refused")
	// ErrBufferFull means that the producer holds MaxBuffered bytes of unsent records: brokers are too slow or unavailable.
	ErrBufferFull = errors.New("producer buffer is full")
	// ErrPartitionCount means that a topic has another number of partitions than PartitionCount. A record by key is not written
	// then, because it could get another partition than earlier records of its key. Retrying does not help.
	ErrPartitionCount = errors.New("keys would get other partitions, so nothing is written by key")
	// ErrAccess means that the brokers reject the configured TLS settings, certificate or credentials. The error names the
	// setting to check; retrying does not help.
	ErrAccess = conn.ErrAccess
	// ErrTakeOver is returned by a Transform or Punctuate, wrapped, when its state of the partition is not valid any more.
	// Transactions.TakeOver is called before the records are delivered again.
	ErrTakeOver = errors.New("state of the partition is invalid, takeover required")

	errHandlerTimeout  = errors.New("handler exceeded handler_timeout and did not return")
	errNoGeneration    = errors.New("no generation of the consumer group")
	errNotOwner        = errors.New("another group member owns the partition")
	errNothingFinished = errors.New("handler finished no record and returned no error")
)
