package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/backtest"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/flowedit"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
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

// previewFor renders a draft for a customer. What it costs is that of the text with the customer's own values; the text that is shown has them masked.
func (s *Service) previewFor(ctx context.Context, store *Store, drafted flow.Flow, request PreviewRequest) (PreviewText, error) {
	if len(request.Customer) > maxCustomerID || strings.Contains(request.Customer, "/") {
		return PreviewText{}, invalid("customer", "is not the ID of a customer at Recharge")
	}
	source := backtest.Source{Cluster: s.cfg.Cluster, Topics: s.cfg.Topics}
	last, err := source.Last(ctx, s.cfg.Partitions, store.Name, request.Customer, drafted.Key, s.cfg.Now().Add(-triggersFor))
	if err != nil {
		return PreviewText{}, unavailable(err)
	}
	if last == nil {
		return PreviewText{}, fmt.Errorf("%w: nothing has triggered this flow for customer %s in the last 30 days", ErrNotFound, request.Customer)
	}
	if last.Recipient.PortalHash != "" {
		last.Recipient.PortalHash = flow.SampleHash
	}
	values := last.Variables(store.Shop)
	p, err := flow.PreviewOf(drafted, aboutOf(last), values)
	if errors.Is(err, flow.ErrEmpty) || errors.Is(err, flow.ErrTooLong) {
		return PreviewText{}, invalid("text", "%s", err)
	}
	if err != nil {
		return PreviewText{}, err
	}
	text := PreviewText{Preview: p, Customer: last.RechargeCustomerID, OccurredAt: last.OccurredAt, Masked: !request.Reveal}
	if text.Masked {
		hidden, err := flow.PreviewOf(drafted, p.About, masked(values))
		if err != nil {
			return PreviewText{}, err
		}
		text.Text = hidden.Text
	}
	return text, nil
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

// masked hides what the customer is called and has typed.
func masked(v flow.Variables) flow.Variables {
	v.Customer.FirstName, v.Customer.LastName = initial(v.Customer.FirstName), initial(v.Customer.LastName)
	if v.Subscription.CancellationReason != "" {
		v.Subscription.CancellationReason = "***"
	}
	return v
}

// initial returns the first letter of a name.
func initial(name string) string {
	if name == "" {
		return ""
	}
	return string([]rune(name)[:1]) + "***"
}
