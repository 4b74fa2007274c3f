package service

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// trialTimeout limits the call of a provider.
const trialTimeout = 30 * time.Second

// SendTest sends one text with samples to a number. It is no text of a customer: recharge.messages has nothing of it, and a report of its delivery
// is not taken up. A number that has opted out gets none.
func (s *Service) SendTest(ctx context.Context, who, store string, key flow.Key, request TestRequest) (TestSent, error) {
	found, drafted, err := s.drafted(ctx, store, key, request.Draft)
	if err != nil {
		return TestSent{}, err
	}
	if found.Send == nil {
		return TestSent{}, fmt.Errorf("%w: the store sends no texts: sms.driver is not set", ErrForbidden)
	}
	number, err := sms.Canonical(request.Number)
	if err != nil {
		return TestSent{}, invalid("number", "is not a number with its country code, such as +14155552671")
	}
	if err := s.mayTest(ctx, store, number); err != nil {
		return TestSent{}, err
	}
	text, err := found.trial(drafted, number, s.cfg.Now())
	if err != nil {
		return TestSent{}, err
	}
	if wait := s.trials.take(who); wait > 0 {
		return TestSent{}, &LimitedError{Problem: fmt.Sprintf("%d tests in a minute are enough: wait a little", trialsPerMinute), RetryAfter: wait}
	}
	ctx, cancel := context.WithTimeout(ctx, trialTimeout)
	defer cancel()
	receipt, err := found.Send(ctx, text)
	sent := found.answered(text, receipt, err)
	s.cfg.Log.Info("test text sent", zap.String("store", store), zap.String("flow", string(key)), zap.String("by", who), zap.String("to", sent.To),
		zap.Bool("accepted", sent.Accepted), zap.String("class", sent.Class), zap.String("code", sent.Code))
	return sent, nil
}

// mayTest returns why a number gets no test.
func (s *Service) mayTest(ctx context.Context, store, number string) error {
	rows, err := s.consents(ctx)
	if err != nil {
		return err
	}
	if history := consent.History(rows, store, number); len(history) > 0 && history[0].Status == consent.OptedOut {
		return fmt.Errorf("%w: %s has opted out of texts of this store", ErrForbidden, sms.Mask(number))
	}
	return nil
}

// trial returns the text of a test, or the values of one that the destination renders.
func (s Store) trial(drafted flow.Flow, number string, now time.Time) (sms.Message, error) {
	id := make([]byte, 32)
	_, _ = rand.Read(id) // it never fails
	m := sms.Message{SendKey: hex.EncodeToString(id), To: number, From: s.Sends.From, Store: s.Name, Flow: string(drafted.Key)}
	values := s.Shop.Sample(drafted.Key.Resources()[0])
	if s.Shop.OwnTexts {
		m.Values = &sms.Values{Variables: values.Values(), OccurredAt: now.UTC()}
		m.Values.Variables["is_sample"] = "true"
		return m, nil
	}
	drafted.Active = false // a link that the store lacks has a sample's address
	if err := s.editor().Check(drafted); err != nil {
		return m, faulty(err)
	}
	var err error
	if m.Body, err = flow.Render(drafted, values); err != nil {
		return m, invalid("text", "%s", err)
	}
	return m, nil
}

// answered puts the provider's answer into words.
func (s Store) answered(m sms.Message, receipt sms.Receipt, err error) TestSent {
	sent := TestSent{
		Store: s.Name, Flow: flow.Key(m.Flow), To: sms.Mask(m.To), Driver: s.Driver, DryRun: s.DryRun, Accepted: err == nil, ProviderID: receipt.ProviderID,
		Text: m.Body, Answer: s.Driver + " has accepted it",
	}
	if m.Body != "" {
		_, sent.Parts = flow.Segments(m.Body)
	}
	if s.DryRun {
		sent.Answer = "the driver " + s.Driver + " writes texts to the log, and sends none"
	}
	var failed *sms.SendError
	switch {
	case err == nil:
	case errors.As(err, &failed):
		sent.Class, sent.Code, sent.Answer = string(failed.Class), failed.Code, answerOf(s.Driver, failed)
	default:
		sent.Class, sent.Answer = string(sms.Unknown), "it is not known whether it was sent"
	}
	return sent
}

// answerOf explains why a provider has not accepted a text.
func answerOf(driver string, failed *sms.SendError) string {
	answer := map[sms.Class]string{
		sms.NotSent:   driver + " has not accepted it now",
		sms.Rejected:  driver + " has refused it",
		sms.OptedOut:  driver + " has refused it: the number has opted out there",
		sms.Config:    driver + " has not accepted it: address or credentials seem wrong",
		sms.Forbidden: driver + " has refused it, because of the number or of the account",
		sms.Unknown:   "it is not known whether " + driver + " has accepted it",
	}[failed.Class]
	answer += " (" + failed.Code + ")"
	if failed.Err != nil {
		answer += ": " + timeline.NewMasker(false).Text(failed.Err.Error())
	}
	return answer
}

// trialsPerMinute is how many tests a person may send in a minute.
const trialsPerMinute = 3

// trials counts the tests of each person.
type trials struct {
	now   func() time.Time
	mutex sync.Mutex
	sent  map[string][]time.Time
}

func newTrials(now func() time.Time) *trials {
	return &trials{now: now, sent: map[string][]time.Time{}}
}

// take counts a test, or returns how long to wait for the next one.
func (t *trials) take(who string) time.Duration {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	now := t.now()
	for name, sent := range t.sent {
		if t.sent[name] = slices.DeleteFunc(sent, func(at time.Time) bool { return !now.Before(at.Add(time.Minute)) }); len(t.sent[name]) == 0 {
			delete(t.sent, name)
		}
	}
	if sent := t.sent[who]; len(sent) >= trialsPerMinute {
		return sent[0].Add(time.Minute).Sub(now)
	}
	t.sent[who] = append(t.sent[who], now)
	return 0
}
