package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// Texts is how one store sends its texts.
type Texts struct {
	Shop flow.Shop
	// Flow returns a flow as it is set now; false for an unknown one.
	Flow          func(flow.Key) (flow.Flow, bool)
	Driver        sms.Driver
	From          string
	DefaultRegion string // ISO 3166 code, for numbers without a country
}

// SMS sends the texts of one store's active flows.
//
//	in         recharge.sms-triggers, this store's records only
//	out        the store's SMS driver
//	guarantee  one text per trigger at most: the ledger has its claim before the
//	           provider has the text, and an unclear response is never repeated
//	on failure not accepted by the provider: the partition waits; refused: dead letter;
//	           refused as if all texts were: waits, others go on
type SMS struct {
	store    string
	unowned  bool // rejects the records that name no store
	texts    Texts
	ledger   ledger.Ledger
	metrics  Metrics
	now      func() time.Time
	refusals *stage.Refusals
	trouble  *telemetry.Trouble
}

// NewSMS is the sink of one store.
func NewSMS(store string, texts Texts, l ledger.Ledger, run Runtime) *SMS {
	fields := []zap.Field{zap.String("role", string(RoleSMS)), zap.String("store", store)}
	return &SMS{
		store: store, texts: texts, ledger: l, metrics: run.Metrics, now: run.Now, refusals: stage.NewRefusals(run.Now),
		trouble: &telemetry.Trouble{Name: "sms gateway", Log: run.Log, Now: run.Now, Fields: fields},
	}
}

// Handle sends the texts of a batch, up to the first one that must wait. A text that is refused as if all were blocks no other.
func (s *SMS) Handle(ctx context.Context, records []kafka.Record) ([]stage.Result, error) {
	return s.refusals.Handle(ctx, records, s.handle)
}

func (s *SMS) handle(ctx context.Context, r kafka.Record) (stage.Outcome, error) {
	switch store, err := envelope.Store(r); {
	case err != nil && s.unowned:
		return stage.Reject(reason.Malformed, err), nil
	case store != s.store:
		return stage.PassOver(), nil
	}
	switch kind := r.Header(envelope.HeaderCEType); kind {
	case envelope.TypeTrigger:
	case envelope.TypeRevocation:
		return stage.Skip(reason.NothingToRevoke), nil // texts are sent at once: none waits
	default:
		return stage.Reject(reason.Malformed, envelope.HeaderError(envelope.HeaderCEType, kind)), nil
	}
	var t subscriber.Trigger
	if err := json.Unmarshal(r.Value, &t); err != nil {
		return stage.Reject(reason.Malformed, fmt.Errorf("decode trigger: %w", err)), nil
	}
	message, outcome := s.message(t)
	if outcome.Kind != "" {
		return outcome, nil
	}
	_, redriven := deadletter.RedriveOf(r)
	return s.sendOnce(ctx, r, t, message, redriven)
}

// message renders the text of a trigger. If there is nothing to send it returns the outcome instead.
func (s *SMS) message(t subscriber.Trigger) (sms.Message, stage.Outcome) {
	f, known := s.texts.Flow(t.Flow)
	if !known {
		return sms.Message{}, stage.Reject(reason.Malformed, fmt.Errorf("flow %q is unknown", t.Flow))
	}
	if !f.Active {
		return sms.Message{}, stage.Skip(reason.FlowInactive)
	}
	if !s.now().Before(t.StaleAt) {
		return sms.Message{}, stage.Skip(reason.Stale)
	}
	to, err := sms.Number(t.Recipient.Phone, cmp.Or(t.Recipient.PhoneCountry, t.Recipient.Country), s.texts.DefaultRegion)
	if err != nil {
		return sms.Message{}, stage.Skip(phoneReason(err))
	}
	body, err := flow.Render(f, t.Variables(s.texts.Shop))
	if err != nil {
		return sms.Message{}, stage.Reject(reason.TextNotRendered, err)
	}
	hash := t.Recipient.PortalHash
	return sms.Message{
		To: to, From: s.texts.From, Body: body, Store: t.Store, Flow: string(t.Flow), Secrets: []string{hash, url.PathEscape(hash)},
	}, stage.Outcome{}
}

func phoneReason(err error) reason.Reason {
	switch {
	case errors.Is(err, sms.ErrNoNumber):
		return reason.NoPhone
	case errors.Is(err, sms.ErrCountryUnknown):
		return reason.CountryUnknown
	}
	return reason.PhoneInvalid
}

// sendOnce sends the text unless the ledger has it as sent or possibly sent, or as refused and the record is not a redrive.
func (s *SMS) sendOnce(ctx context.Context, r kafka.Record, t subscriber.Trigger, m sms.Message, redriven bool) (stage.Outcome, error) {
	claim, err := s.ledger.Claim(ctx, ledger.Trigger{
		ID: t.ID, Store: t.Store, Flow: string(t.Flow), Cause: t.Cause, CustomerID: t.RechargeCustomerID, OccurredAt: t.OccurredAt, Again: redriven,
	})
	if errors.Is(err, ledger.ErrTrigger) {
		return stage.Reject(reason.Malformed, err), nil
	}
	if err != nil {
		return stage.Outcome{}, fmt.Errorf("claim text: %w", err)
	}
	switch claim.Outcome {
	case ledger.Claimed:
		return s.send(ctx, r, claim, m)
	case ledger.AlreadyRejected: // its dead letter may not have been written
		return stage.Reject(reason.Refused, errors.New("sms gateway refused this text earlier")), nil
	case ledger.Unknown:
		return stage.Skip(reason.OutcomeUnknown), nil
	case ledger.InFlight:
		return stage.Outcome{}, errors.New("claim text: another process is sending it")
	}
	return stage.Skip(reason.AlreadySent), nil
}

// send sends a claimed text. A shutdown does not cancel it, because the response would be lost.
func (s *SMS) send(ctx context.Context, r kafka.Record, claim ledger.Claim, m sms.Message) (stage.Outcome, error) {
	ctx = context.WithoutCancel(ctx)
	m.SendKey = claim.SendKey
	receipt, err := s.texts.Driver.Send(ctx, m)
	if err != nil {
		return s.failed(ctx, r, claim, err)
	}
	s.refusals.Accept()
	s.trouble.Over()
	s.metrics.Paused(string(RoleSMS), s.store, false)
	return stage.Done(), ledgerError(s.ledger.Accept(ctx, claim.MessageID, receipt.ProviderID))
}

// failed handles a failed send by the class of the error: a text is retried only if it was certainly not sent.
func (s *SMS) failed(ctx context.Context, r kafka.Record, claim ledger.Claim, cause error) (stage.Outcome, error) {
	failure := &sms.SendError{Class: sms.Unknown, Code: "no_class", Err: cause}
	errors.As(cause, &failure)
	forAll := failure.Class == sms.Config || failure.Class == sms.Forbidden
	if forAll && s.refusals.Alone(r) && failure.Class == sms.Forbidden {
		return s.refused(ctx, claim, failure)
	}
	s.metrics.Paused(string(RoleSMS), s.store, failure.Class == sms.Config || failure.Class == sms.Forbidden && s.refusals.Several())
	switch {
	case forAll:
		return s.release(ctx, claim, &stage.RefusedForAll{Err: cause}, 0)
	case failure.Class == sms.NotSent:
		return s.release(ctx, claim, cause, failure.RetryAfter)
	case failure.Class == sms.Rejected:
		return s.refused(ctx, claim, failure)
	}
	s.trouble.Failed(cause, "the text may have been sent", "never, because it could be a second text")
	outcome := stage.Skip(reason.OutcomeUnknown)
	outcome.Err = cause
	return outcome, ledgerError(s.ledger.MarkUnknown(ctx, claim.MessageID, failure.Code))
}

// release gives up the claim of a text that was not sent. Its record waits.
func (s *SMS) release(ctx context.Context, claim ledger.Claim, why error, after time.Duration) (stage.Outcome, error) {
	s.trouble.Failed(why, "the text waits", "after a backoff of at most 30s, or after Retry-After")
	if err := s.ledger.Release(ctx, claim); err != nil {
		return stage.Outcome{}, ledgerError(err)
	}
	return stage.Outcome{}, kafka.RetryAfter(why, after)
}

// refused rejects a text that the provider refused alone.
func (s *SMS) refused(ctx context.Context, claim ledger.Claim, failure *sms.SendError) (stage.Outcome, error) {
	return stage.Reject(reason.Refused, failure), ledgerError(s.ledger.Reject(ctx, claim.MessageID, failure.Code))
}

// ledgerError wraps an error of writing a response to the ledger. The record is handled again; the claim in the ledger prevents
// a second text.
func ledgerError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("record outcome in ledger: %w", err)
}
