package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

const (
	// requestRetryTimeout limits the retries of one request. After that the whole transaction is retried.
	requestRetryTimeout = 10 * time.Second
	// concurrentFirst and concurrentMax are the pauses while the previous transaction is ending.
	concurrentFirst = time.Millisecond
	concurrentMax   = 20 * time.Millisecond
)

// request sends a request to a coordinator and retries it. It must be safe to arrive twice, and in the next transaction.
func (t *txnManager) request(ctx context.Context, to conn.CoordinatorKey, request protocol.Message, code errorCodeOf) error {
	return t.sendWithRetry(ctx, to, request, code, true)
}

// requestOnce sends a request without a retry, because a late retry could apply to the next transaction. After an unknown outcome
// the caller calls initProducerID, whose new epoch makes brokers reject the late request. (Since Kafka 4.0 clients can get a new
// epoch after each transaction, KIP-890; kafka-go can't.)
func (t *txnManager) requestOnce(ctx context.Context, to conn.CoordinatorKey, request protocol.Message, code errorCodeOf) error {
	return t.sendWithRetry(ctx, to, request, code, false)
}

// errorCodeOf returns the error code of a response, 0 for none. ok is false for a response of another type.
type errorCodeOf func(protocol.Message) (code int16, ok bool)

// sendWithRetry retries transient errors. With retryUnknown it also retries a request that may have been received.
func (t *txnManager) sendWithRetry(ctx context.Context, to conn.CoordinatorKey, request protocol.Message, code errorCodeOf, retryUnknown bool) error {
	return t.retry(ctx, retryUnknown, func(ctx context.Context) (known bool, err error) { return t.send(ctx, to, request, code) })
}

func (t *txnManager) retry(ctx context.Context, retryUnknown bool, send func(context.Context) (known bool, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, requestRetryTimeout)
	defer cancel()
	usual := conn.RequestBackoff()
	concurrent := conn.Backoff{First: concurrentFirst, Max: concurrentMax}
	for {
		known, err := send(ctx)
		backoff := &usual
		switch {
		case err == nil:
			return nil
		case errors.Is(err, kafka.ConcurrentTransactions): // the previous transaction is still ending
			backoff = &concurrent
		case !conn.Transient(err) || !known && !retryUnknown:
			return err
		}
		if !backoff.Wait(ctx) {
			return errors.Join(ctx.Err(), err)
		}
	}
}

// send sends a request once. known is true if its outcome is known: there was a response, or it was not sent.
func (t *txnManager) send(ctx context.Context, to conn.CoordinatorKey, request protocol.Message, code errorCodeOf) (known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, produceTimeout)
	defer cancel()
	answer, err := t.pool.SendToCoordinator(ctx, to, request)
	if err != nil {
		if ctx.Err() == nil {
			t.pool.RefreshMetadata(ctx)
		}
		return errors.Is(err, conn.ErrFindCoordinator), fmt.Errorf("%s: %w", apiOf(request), t.explain(err))
	}
	number, ok := code(answer)
	if !ok {
		return false, fmt.Errorf("%s: %w", apiOf(request), conn.ErrUnexpectedResponse)
	}
	if number == 0 {
		return true, nil
	}
	if conn.CoordinatorMoved(kafka.Error(number)) {
		t.pool.ForgetCoordinator(to)
	}
	return true, fmt.Errorf("%s: %w", apiOf(request), t.explain(kafka.Error(number)))
}

// explain names the right to transactions or to the group if it is missing.
func (t *txnManager) explain(err error) error {
	return t.pool.Explain(err, conn.TransactionsRight(t.member.group), conn.GroupRight(t.member.group))
}

func apiOf(m protocol.Message) string { return m.ApiKey().String() }
