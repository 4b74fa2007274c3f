package sender

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// call calls the provider, and sets what came of it. It returns why the text was not accepted, nil if it was.
func (l *lane) call(ctx context.Context, text Text, receipt *message.Receipt) *sms.SendError {
	began := l.now()
	accepted, err := l.driver.Send(ctx, text.SMS)
	if err == nil {
		l.accepts(text, accepted, receipt)
		return nil
	}
	failure := &sms.SendError{Class: sms.Unknown, Code: "no_class", Err: err}
	errors.As(err, &failure)
	receipt.Code, receipt.Error = failure.Code, words(failure)
	switch failure.Class {
	case sms.Rejected, sms.OptedOut:
		receipt.Outcome = message.Rejected
	case sms.NotSent:
		receipt.Outcome, receipt.RetryAt = message.Planned, l.fails(failure, failure.RetryAfter)
		l.problems.Failed(failure, "the text waits", "after a pause of at most 30s, or after Retry-After")
	case sms.Config, sms.Forbidden:
		l.refused(text.SMS.SendKey, failure, receipt)
	default:
		l.unclear(ctx, text, began, failure, receipt)
	}
	return failure
}

// accepts sets that the provider has a text.
func (l *lane) accepts(text Text, accepted sms.Receipt, receipt *message.Receipt) {
	l.works()
	l.forget(text.SMS.SendKey)
	receipt.Outcome, receipt.ProviderID, receipt.Code, receipt.Error = message.Accepted, accepted.ProviderID, "", ""
}

// unclear sets what came of a call that perhaps sent the text. It is sent again only if the provider drops a second one.
func (l *lane) unclear(ctx context.Context, text Text, began time.Time, failure *sms.SendError, receipt *message.Receipt) {
	if l.abilities.Deduplicates {
		receipt.Outcome, receipt.RetryAt = message.Planned, l.fails(failure, 0)
		l.problems.Failed(failure, "the text may have been sent", "after a pause of at most 30s, because the provider drops a second one")
		return
	}
	if accepted, found := l.find(ctx, text, began); found {
		l.accepts(text, accepted, receipt)
		receipt.LookedUp = true
		return
	}
	receipt.Outcome = message.Unknown
	l.fails(failure, 0)
	l.problems.Failed(failure, "the text may have been sent", "never, because it could be a second text")
}

// find asks a provider that can look up texts whether it has one.
func (l *lane) find(ctx context.Context, text Text, began time.Time) (accepted sms.Receipt, found bool) {
	finder, ok := l.driver.(sms.Finder)
	if !ok || !l.abilities.LooksUp {
		return sms.Receipt{}, false
	}
	accepted, found, err := finder.Find(ctx, text.SMS, began)
	if err != nil {
		l.log.Warn("look up of a text failed, outcome unknown", zap.String("role", l.role), zap.String("store", l.store),
			zap.String("message", text.Claim.ID), zap.Error(err))
	}
	return accepted, found && err == nil
}

// words returns the provider's own words.
func words(failure *sms.SendError) string {
	if failure.Err == nil {
		return ""
	}
	return failure.Err.Error()
}

// refused handles a refusal that may be of this number or of all.
func (l *lane) refused(id string, failure *sms.SendError, receipt *message.Receipt) {
	l.mutex.Lock()
	now := l.now()
	alone := l.refusals.alone(id, now) && failure.Class == sms.Forbidden
	several := l.refusals.several()
	l.mutex.Unlock()
	if alone {
		l.forget(id)
		receipt.Outcome = message.Rejected
		return
	}
	receipt.Outcome, receipt.RetryAt = message.Planned, l.fails(failure, 0)
	if again := now.Add(aloneAfter); failure.Class == sms.Forbidden && again.After(receipt.RetryAt) {
		receipt.RetryAt = again
	}
	l.metrics.Paused(l.role, l.store, failure.Class == sms.Config || several)
	l.problems.Failed(failure, "the text waits", "after a pause of at most 30s; other texts are tried")
}

// optedOut passes on that a number has opted out at the provider. If that fails, the next text to the number is refused, too.
func (s *Sender) optedOut(ctx context.Context, l *lane, text Text, failure *sms.SendError) {
	if s.config.OptedOut == nil {
		return
	}
	if err := s.config.OptedOut(ctx, text, failure.Code); err != nil {
		s.config.Log.Warn("write opt-out failed, texts to the number are refused by the provider", zap.String("role", l.role), zap.String("store", l.store),
			zap.String("message", text.Claim.ID), zap.Error(err))
	}
}
