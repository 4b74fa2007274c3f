package sender

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/tracing"
)

// Codes of texts that were not given to the provider.
const (
	CodeStopped = "stopped"    // the process stops
	CodePaused  = "paused"     // an operator has paused the flow after the claim
	CodeLate    = "claim_late" // the process was frozen or overloaded after the claim
	CodeClaims  = "claims"     // the file of claims can't be written
	CodeBefore  = "claimed_before"
)

// send sends a text and writes its receipt. A process that stops gives it back.
func (s *Sender) send(l *lane, text Text, stopped bool) {
	receipt := message.Receipt{
		Store: text.Claim.Store, CustomerID: text.Claim.CustomerID, MessageID: text.Claim.ID, Attempt: text.Claim.Attempt,
	}
	now := s.config.Now()
	switch {
	case stopped:
		receipt.Outcome, receipt.Code, receipt.RetryAt = message.Planned, CodeStopped, now
	case s.config.Paused(text.Claim.Store, text.Claim.Flow):
		receipt.Outcome, receipt.Code, receipt.RetryAt = message.Planned, CodePaused, now
	case tooLate(text.Claim.ClaimedAt, now):
		receipt.Outcome, receipt.Code, receipt.RetryAt = message.Planned, CodeLate, now
	default:
		s.callOnce(l, text, &receipt)
	}
	receipt.At = s.config.Now()
	s.write(text, receipt)
	if receipt.Outcome == message.Accepted {
		s.observe(text, receipt.At)
	}
}

// callOnce calls the provider, unless the file of claims says that it was called for this text before and it does not drop a second one.
func (s *Sender) callOnce(l *lane, text Text, receipt *message.Receipt) {
	s.config.FaultPoint("text due")
	first, err := s.claim(text.Claim.ID)
	switch {
	case err != nil:
		receipt.Outcome, receipt.Code, receipt.RetryAt = message.Planned, CodeClaims, l.fails(err, 0)
		l.problems.Failed(err, "the text waits", "after a pause of at most 30s")
		return
	case !first && !l.abilities.Deduplicates:
		receipt.Outcome, receipt.Code = message.Unknown, CodeBefore
		return
	}
	ctx := s.callContext(text)
	if failure := l.call(ctx, text, receipt); failure != nil && failure.Class == sms.OptedOut {
		s.optedOut(ctx, l, text, failure)
	}
	s.config.FaultPoint("text answered")
	if receipt.Outcome == message.Planned && s.config.Claims != nil {
		if err := s.config.Claims.GiveUp(text.Claim.ID); err != nil { // then it is not sent again
			l.problems.Failed(err, "the text is unknown", "never")
			receipt.Outcome = message.Unknown
		}
	}
}

func (s *Sender) claim(id string) (first bool, err error) {
	if s.config.Claims == nil {
		return true, nil
	}
	return s.config.Claims.Claim(id)
}

// tooLate reports that a call must not begin any more, by the monotonic clock or, in case the machine slept, by the wall clock.
func tooLate(claimed, now time.Time) bool {
	return now.Sub(claimed) >= BeginWithin || now.Round(0).Sub(claimed.Round(0)) >= BeginWithin
}

// callContext returns the context of a call. A shutdown does not cancel it, because the answer would be lost.
func (s *Sender) callContext(text Text) context.Context {
	return tracing.With(context.Background(), text.Claim.Triggers[0].Origin.Traceparent)
}

func (l *lane) forget(id string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.refusals.forget(id)
}

// writeAgain is the wait before a receipt is written again.
const writeAgain = time.Second

// write writes a receipt, again and again until Kafka has it or Close gives up.
func (s *Sender) write(text Text, receipt message.Receipt) {
	for {
		err := s.config.Write(s.ctx, text, receipt)
		if err == nil {
			s.config.FaultPoint("receipt written")
			return
		}
		s.config.Log.Warn("write receipt of a text failed, trying again", zap.String("role", s.config.Role), zap.String("store", receipt.Store),
			zap.String("message", receipt.MessageID), zap.String("outcome", string(receipt.Outcome)), zap.Error(err))
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(writeAgain):
		}
	}
}

// observe measures how long the webhook of a text's first trigger took.
func (s *Sender) observe(text Text, at time.Time) {
	from := text.Claim.Triggers[0].Origin
	if !from.ReceivedAt.IsZero() {
		s.config.Metrics.EndToEnd(s.config.Role, text.Claim.Store, at.Sub(from.ReceivedAt), from.Traceparent)
	}
}
