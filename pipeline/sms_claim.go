package pipeline

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sender"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/texts"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// claim claims the due texts of all stores that have any, as many as there is room for.
func (p *planning) claim() error {
	p.due = p.SMS.due.Of(p.partition)
	for _, m := range p.book.Changed() {
		if m.Status == message.Planned {
			p.due.Add(m.Store, m.ReleaseAt)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.due)) {
		if store := p.stores[name]; store != nil && !p.due[name].After(p.now) && (store.MayClaim == nil || store.MayClaim()) {
			if err := p.claimOf(name, store); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *planning) claimOf(name string, store *texts.Store) error {
	rendered := map[string]sms.Message{}
	claimed, next, err := p.book.Claim(message.Claiming{
		Store: name, Lease: store.Lease, Turn: rand.IntN(2), //nolint:gosec // no secret
		Room: func(due int) int { return p.sender.Reserve(p.partition, name, due) },
		Decide: func(m *message.Message) message.Decision {
			text, decision := p.decide(store, m)
			text.Partition = p.partition
			rendered[m.ID] = text
			return decision
		},
	})
	if err != nil {
		return err
	}
	for _, m := range claimed {
		p.claimed = append(p.claimed, sender.Text{Partition: p.partition, Claim: *m, SMS: rendered[m.ID]})
	}
	delete(p.due, name)
	p.due.Add(name, next)
	return nil
}

// decide decides on a text that is due.
func (p *planning) decide(store *texts.Store, m *message.Message) (sms.Message, message.Decision) {
	text, decision, err := store.Decide(m, p.now, p.book)
	if errors.Is(err, texts.ErrNotRendered) {
		p.log.Warn("text suppressed", zap.String("role", string(topology.RoleSMS)), zap.String("store", m.Store), zap.String("message", m.ID), zap.Error(err))
		return text, decision
	}
	p.failed = errors.Join(p.failed, err)
	return text, decision
}
