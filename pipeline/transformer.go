package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Transformer makes of a raw webhook what it means.
//
//	in         recharge.webhooks
//	out        recharge.events, recharge.sms-triggers
//	guarantee  every webhook ends as outputs, a skip or a dead letter, in one
//	           transaction with its offset: none is lost, none written twice
//	on failure Recharge's API down or refusing our token, a store that this
//	           process doesn't know yet: the partition waits
type Transformer struct {
	topics    Topics
	metrics   Metrics
	stores    map[string]subscriber.Settings
	decoder   *recharge.Decoder
	customers *Customers
}

// NewTransformer takes the settings of each store by name.
func NewTransformer(run Runtime, stores map[string]subscriber.Settings, customers *Customers) (*Transformer, error) {
	decoder, err := recharge.NewDecoder()
	if err != nil {
		return nil, err
	}
	return &Transformer{topics: run.Topics, metrics: run.Metrics, stores: stores, decoder: decoder, customers: customers}, nil
}

// Handle works through the batch until one record has to wait.
func (t *Transformer) Handle(ctx context.Context, records []kafka.Record) ([]Result, error) {
	results := make([]Result, 0, len(records))
	for _, r := range records {
		result, err := t.transform(ctx, r)
		if err != nil {
			return results, err
		}
		results = append(results, result)
	}
	return results, nil
}

func (t *Transformer) transform(ctx context.Context, raw kafka.Record) (Result, error) {
	settings, known := t.stores[raw.Header(HeaderStore)]
	if !known { // the gateway knows it, so this process has an older configuration, or a newer one without it
		return Result{}, fmt.Errorf("store %q is not in the configuration of this process: restart it with the one the gateway has", raw.Header(HeaderStore))
	}
	topic := recharge.Topic(raw.Header(HeaderTopic))
	switch {
	case !topic.Known(): // a mistyped registration would lose its events unnoticed
		return Result{Fate: Skip(ReasonTopicUnknown)}, nil
	case !subscriber.Uses(topic):
		return Result{Fate: Skip(ReasonTopicNotUsed)}, nil
	}
	webhook, err := t.decoder.Decode(topic, raw.Value)
	if err != nil {
		return rejected(ReasonMalformed, err), nil
	}
	t.forgetChanged(settings.Store, webhook)
	decision, err := t.decide(ctx, settings, webhook, raw)
	switch {
	case errors.Is(err, subscriber.ErrCustomerUnknown):
		return rejected(ReasonCustomerUnknown, err), nil
	case errors.Is(err, recharge.ErrUnreadable):
		return rejected(ReasonCustomerUnreadable, err), nil
	case err != nil:
		return Result{}, err
	case decision.Empty():
		return Result{Fate: Skip(Reason(decision.Skip))}, nil
	}
	return t.outputs(decision, raw), nil
}

// decide asks the API where the webhook doesn't say who the customer is.
func (t *Transformer) decide(ctx context.Context, s subscriber.Settings, w recharge.Webhook, raw kafka.Record) (subscriber.Decision, error) {
	at, err := receivedAt(raw)
	if err != nil {
		at = raw.Time
	}
	decision, err := subscriber.Decide(s, w, at, nil)
	var needed *subscriber.LookupNeeded
	if !errors.As(err, &needed) {
		return decision, err
	}
	looked, err := t.customers.Lookup(ctx, s.Store, *needed)
	var answer *recharge.APIError
	if !errors.As(err, &answer) {
		answer = &recharge.APIError{}
	}
	t.metrics.Paused(string(RoleTransformer), s.Store, answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden)
	if err != nil {
		return subscriber.Decision{}, kafka.Pause(fmt.Errorf("look up customer: %w", err), answer.RetryAfter)
	}
	return subscriber.Decide(s, w, at, &looked)
}

// forgetChanged keeps the cache from outliving an address that just changed.
func (t *Transformer) forgetChanged(store string, w recharge.Webhook) {
	if w.Topic.Resource() == "customer" {
		t.customers.Forget(store, w.Customer.ID)
	}
}

func (t *Transformer) outputs(d subscriber.Decision, raw kafka.Record) Result {
	result := Result{Fate: Done()}
	for _, o := range outputs(t.topics, d) {
		record, err := o.record(raw)
		if err != nil {
			return rejected(ReasonMalformed, err)
		}
		result.Outputs = append(result.Outputs, record)
	}
	return result
}

func rejected(why Reason, err error) Result { return Result{Fate: Reject(why, err)} }
