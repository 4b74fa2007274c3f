package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Texts is how one store sends its texts.
type Texts struct {
	Shop          subscriber.Shop
	Flows         []flow.Flow
	Driver        sms.Driver
	From          string
	DefaultRegion string // ISO 3166 code, for numbers without a country
}

// SMS sends the texts of one store's switched-on flows.
//
//	in         recharge.sms-triggers, this store's records only
//	out        the store's SMS driver
//	guarantee  a trigger is texted at most once: the ledger is told before the
//	           provider is, and a text whose answer was unclear is never repeated
//	on failure not taken by the provider: the partition waits; refused: dead letter
type SMS struct {
	store   string
	texts   Texts
	ledger  ledger.Ledger
	metrics Metrics
	now     func() time.Time
}

// NewSMS is the sink of one store.
func NewSMS(store string, texts Texts, l ledger.Ledger, run Runtime) *SMS {
	return &SMS{store: store, texts: texts, ledger: l, metrics: run.Metrics, now: run.Now}
}

// Handle works through the batch until one text has to wait.
func (s *SMS) Handle(ctx context.Context, records []kafka.Record) ([]Result, error) {
	results := make([]Result, 0, len(records))
	for _, r := range records {
		fate, err := s.settle(ctx, r)
		if err != nil {
			return results, err
		}
		results = append(results, Result{Fate: fate})
	}
	return results, nil
}

func (s *SMS) settle(ctx context.Context, r kafka.Record) (Fate, error) {
	if r.Header(HeaderStore) != s.store {
		return passOver(), nil
	}
	if r.Header(HeaderType) == TypeRevocation {
		return Skip(ReasonNothingHeld), nil // texts go out at once: none is waiting to be taken back
	}
	var t subscriber.Trigger
	if err := json.Unmarshal(r.Value, &t); err != nil {
		return Reject(ReasonMalformed, fmt.Errorf("decode trigger: %w", err)), nil
	}
	message, fate := s.message(t)
	if fate.Outcome != "" {
		return fate, nil
	}
	_, again := deadletter.RedriveOf(r)
	return s.once(ctx, t, message, again)
}

// message is the text of a trigger, or the fate of a trigger that gets none.
func (s *SMS) message(t subscriber.Trigger) (sms.Message, Fate) {
	f, known := flowOf(s.texts.Flows, t.Flow)
	if !known {
		return sms.Message{}, Reject(ReasonMalformed, fmt.Errorf("flow %q is none of the twelve", t.Flow))
	}
	if !f.Active {
		return sms.Message{}, Skip(ReasonFlowInactive)
	}
	if !s.now().Before(t.StaleAt) {
		return sms.Message{}, Skip(ReasonStale)
	}
	if t.Recipient.Phone == "" {
		return sms.Message{}, Skip(ReasonNoPhone)
	}
	to, err := sms.Normalize(t.Recipient.Phone, s.texts.region(t.Recipient.Country))
	if err != nil {
		return sms.Message{}, Skip(ReasonPhoneInvalid)
	}
	body, err := flow.Render(f, t.Variables(s.texts.Shop))
	if err != nil {
		return sms.Message{}, Reject(ReasonTextNotRendered, err)
	}
	return sms.Message{To: to, From: s.texts.From, Body: body, Store: t.Store, Flow: string(t.Flow)}, Fate{}
}

func flowOf(flows []flow.Flow, key flow.Key) (flow.Flow, bool) {
	for _, f := range flows {
		if f.Key == key {
			return f, true
		}
	}
	return flow.Flow{}, false
}

// region is where a number without a country code is taken to be from.
func (t Texts) region(country string) string {
	if region := sms.Region(country); region != "" {
		return region
	}
	return t.DefaultRegion
}

// once sends the text if the ledger has never let it out before; again, also if the
// gateway refused it.
func (s *SMS) once(ctx context.Context, t subscriber.Trigger, m sms.Message, again bool) (Fate, error) {
	claim, err := s.ledger.Claim(ctx, ledger.Trigger{
		ID: t.ID, Store: t.Store, Flow: string(t.Flow), Cause: t.Cause, CustomerID: t.RechargeCustomerID, OccurredAt: t.OccurredAt, Again: again,
	})
	if errors.Is(err, ledger.ErrTrigger) {
		return Reject(ReasonMalformed, err), nil
	}
	if err != nil {
		return Fate{}, fmt.Errorf("claim text: %w", err)
	}
	switch claim.Outcome {
	case ledger.Claimed:
		return s.send(ctx, claim, m)
	case ledger.AlreadyRejected: // its dead letter may not have been written
		return Reject(ReasonRefused, errors.New("the sms gateway refused this text before")), nil
	case ledger.Unknown:
		return Skip(ReasonOutcomeUnknown), nil
	case ledger.InFlight:
		return Fate{}, errors.New("claim text: another process is sending it")
	}
	return Skip(ReasonAlreadySent), nil
}

// send hands a claimed text over. A stop must not cut it off from its answer.
func (s *SMS) send(ctx context.Context, claim ledger.Claim, m sms.Message) (Fate, error) {
	ctx = context.WithoutCancel(ctx)
	m.SendKey = claim.SendKey
	receipt, err := s.texts.Driver.Send(ctx, m)
	if err != nil {
		return s.failed(ctx, claim, err)
	}
	s.metrics.Paused(string(RoleSMS), s.store, false)
	return Done(), s.noted(s.ledger.Accept(ctx, claim.MessageID, receipt.ProviderID))
}

// failed decides by what is known of the text: only one that was surely not
// taken may be tried again.
func (s *SMS) failed(ctx context.Context, claim ledger.Claim, cause error) (Fate, error) {
	failure := &sms.SendError{Class: sms.Unknown, Code: "no_class", Err: cause}
	errors.As(cause, &failure)
	s.metrics.Paused(string(RoleSMS), s.store, failure.Class == sms.Config)
	switch failure.Class {
	case sms.NotSent, sms.Config:
		if err := s.ledger.Release(ctx, claim); err != nil {
			return Fate{}, s.noted(err)
		}
		return Fate{}, kafka.Pause(cause, failure.RetryAfter)
	case sms.Rejected:
		return Reject(ReasonRefused, cause), s.noted(s.ledger.Reject(ctx, claim.MessageID, failure.Code))
	}
	return Skip(ReasonOutcomeUnknown), s.noted(s.ledger.MarkUnknown(ctx, claim.MessageID, failure.Code))
}

// noted wraps the ledger's failure to note an answer. The record comes again,
// and the ledger, which still has the claim, lets nothing out twice.
func (s *SMS) noted(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("note text in ledger: %w", err)
}
