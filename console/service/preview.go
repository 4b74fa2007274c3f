package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/flowedit"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// drafted returns a flow with the changes of a draft.
func (s *Service) drafted(ctx context.Context, store string, key flow.Key, d Draft) (*Store, flow.Flow, error) {
	found, err := s.flowOf(store, key)
	if err != nil {
		return nil, flow.Flow{}, err
	}
	rows, err := s.rows(ctx)
	if err != nil {
		return nil, flow.Flow{}, err
	}
	flows, err := settings.FlowsOf(rows, store)
	if err != nil {
		return nil, flow.Flow{}, err
	}
	return found, d.Apply(flows[flowedit.IndexOf(flows, key)].Definition()), nil
}

// PreviewFlow renders a draft with samples or with the last trigger of a customer, without saving it. Faults of the draft are in the result.
func (s *Service) PreviewFlow(ctx context.Context, store string, key flow.Key, request PreviewRequest) (FlowPreview, error) {
	price, err := flow.ParsePrice(request.Price)
	if err != nil {
		return FlowPreview{}, invalid("price", "%s", err)
	}
	found, drafted, err := s.drafted(ctx, store, key, request.Draft)
	if err != nil {
		return FlowPreview{}, err
	}
	result := FlowPreview{Texts: []PreviewText{}, Faults: []Fault{}, Warnings: faultsOf(flow.Warnings([]flow.Flow{drafted})), Rendered: !found.Shop.OwnTexts}
	drafted.Active = true
	if err := found.editor().Check(drafted); err != nil {
		result.Faults = faulty(err).Faults
	}
	if !result.Rendered || slices.ContainsFunc(result.Faults, func(f Fault) bool { return f.Field == "text" }) {
		return result, nil
	}
	texts, err := s.previews(ctx, found, drafted, request)
	if err != nil {
		return FlowPreview{}, err
	}
	for _, text := range texts {
		if text.Cost = price.Cost(max(text.Parts, text.OptOutParts)); text.Cost != "" {
			text.Currency = found.Currency
		}
		result.Texts = append(result.Texts, text)
	}
	return result, nil
}

// previews renders a draft without faults in its text.
func (s *Service) previews(ctx context.Context, store *Store, drafted flow.Flow, request PreviewRequest) (texts []PreviewText, err error) {
	if request.Customer != "" {
		text, err := s.previewFor(ctx, store, drafted, request)
		return []PreviewText{text}, err
	}
	previews, err := flow.Previews(drafted, store.Shop)
	if err != nil {
		return nil, invalid("text", "%s", err)
	}
	for _, p := range previews {
		texts = append(texts, PreviewText{Preview: p})
	}
	return texts, nil
}

const (
	// maxCustomerID is longer than any of Recharge's IDs.
	maxCustomerID = 64
	// triggersFor is how long the topic has triggers.
	triggersFor = 30 * day
)

// previewFor renders a draft for a customer. Unless personal data is revealed nothing of the result comes from it, also no size and no error: a
// condition in the draft could ask for each letter of a name.
func (s *Service) previewFor(ctx context.Context, store *Store, drafted flow.Flow, request PreviewRequest) (PreviewText, error) {
	if len(request.Customer) > maxCustomerID || strings.Contains(request.Customer, "/") {
		return PreviewText{}, invalid("customer", "is not the ID of a customer at Recharge")
	}
	last, err := s.lastTrigger(ctx, store.Name, request.Customer, drafted.Key)
	if err != nil {
		return PreviewText{}, err
	}
	if last == nil {
		return PreviewText{}, fmt.Errorf("%w: nothing has triggered this flow for customer %s in the last 30 days", ErrNotFound, request.Customer)
	}
	text := PreviewText{Customer: last.RechargeCustomerID, OccurredAt: last.OccurredAt, Masked: !request.Reveal}
	about, values := aboutOf(last), last.Variables(store.Shop)
	if text.Masked {
		text.Preview = maskedPreview(drafted, about, values)
		return text, nil
	}
	text.Preview, err = flow.PreviewOf(drafted, about, values)
	if errors.Is(err, flow.ErrEmpty) || errors.Is(err, flow.ErrTooLong) {
		return PreviewText{}, invalid("text", "%s", err)
	}
	return text, err
}

// notShown stands for a text that can't be rendered without personal data.
const notShown = "***"

// maskedPreview renders a draft without personal data.
func maskedPreview(drafted flow.Flow, about flow.Resource, values flow.Variables) flow.Preview {
	p, err := flow.PreviewOf(drafted, about, values.Masked())
	if err != nil {
		encoding, parts := flow.Segments(notShown)
		return flow.Preview{About: about, Text: notShown, Encoding: encoding, Characters: len(notShown), Parts: parts}
	}
	return p
}

// aboutOf returns what a trigger is about.
func aboutOf(t *subscriber.Trigger) flow.Resource {
	switch {
	case t.Subscription != nil:
		return flow.AboutSubscription
	case t.Charge != nil:
		return flow.AboutCharge
	case t.Order != nil:
		return flow.AboutOrder
	}
	return flow.AboutCustomer
}

// trialTimeout limits the call of a provider.
const trialTimeout = 30 * time.Second

// SendTest sends one text with samples to a number. It is no text of a customer: recharge.messages has nothing of it, and a report of its delivery
// is not taken up. A number that the store may not text gets none, at any hour; quiet hours, limits and pauses do not matter to a test.
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
	if len(request.Key) > maxTrialKey {
		return TestSent{}, invalid("key", "has %d bytes, at most %d are possible", len(request.Key), maxTrialKey)
	}
	if err := s.mayTest(ctx, found, number); err != nil {
		return TestSent{}, err
	}
	text, err := found.trial(drafted, number, s.cfg.Now())
	if err != nil {
		return TestSent{}, err
	}
	text.SendKey = trialID(who, request.Key, text)
	trial, begun, wait := s.jobs.trials.take(who, request.Key, text)
	switch {
	case wait > 0:
		return TestSent{}, &LimitedError{Problem: fmt.Sprintf("%d tests in a minute are enough: wait a little", trialsPerMinute), RetryAfter: wait}
	case begun:
		return trial.answer(ctx)
	}
	defer close(trial.done)
	trial.sent = s.sendTrial(context.WithoutCancel(ctx), who, found, text)
	return trial.sent, nil
}

// sendTrial calls the provider, also if who asked for it does not wait for the answer.
func (s *Service) sendTrial(ctx context.Context, who string, found *Store, text sms.Message) TestSent {
	ctx, cancel := context.WithTimeout(ctx, trialTimeout)
	defer cancel()
	receipt, err := found.Send(ctx, text)
	sent := found.answered(text, receipt, err)
	said := "test text sent"
	if err != nil {
		said = "test text not accepted"
	}
	s.cfg.Log.Info(said, zap.String("store", found.Name), zap.String("flow", text.Flow), zap.String("by", who), zap.String("to", sent.To),
		zap.Bool("accepted", sent.Accepted), zap.String("class", sent.Class), zap.String("code", sent.Code))
	return sent
}

// mayTest returns why a number gets no test.
func (s *Service) mayTest(ctx context.Context, store *Store, number string) error {
	status, err := s.statusOf(ctx, store.Name, number)
	if err != nil {
		return err
	}
	switch why, may := store.Asks.May(status); {
	case may:
		return nil
	case why == reason.OptedOut:
		return fmt.Errorf("%w: %s has opted out of texts of this store", ErrForbidden, sms.Mask(number))
	}
	return fmt.Errorf("%w: %s has not opted in to texts of this store", ErrForbidden, sms.Mask(number))
}

// statusOf returns what a number in E.164 has decided, "" for nothing.
func (s *Service) statusOf(ctx context.Context, store, number string) (consent.Status, error) {
	if s.cfg.Consent != nil {
		if !s.knowsConsent() {
			return "", errNoConsent()
		}
		return s.cfg.Consent.Status(store, number), nil
	}
	rows, err := s.consents(ctx)
	if err != nil {
		return "", err
	}
	if history := consent.History(rows, store, number); len(history) > 0 {
		return history[0].Status, nil
	}
	return "", nil
}

// trial returns the text of a test, or the values of one that the destination renders.
func (s Store) trial(drafted flow.Flow, number string, now time.Time) (sms.Message, error) {
	m := sms.Message{To: number, From: s.Sends.From, Store: s.Name, Flow: string(drafted.Key)}
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
