package service

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/flowedit"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// Stores lists the configured stores.
func (s *Service) Stores(context.Context) ([]StoreInfo, error) {
	list := make([]StoreInfo, len(s.cfg.Stores))
	for i, store := range s.cfg.Stores {
		list[i] = StoreInfo{
			Name: store.Name, ShopName: store.Shop.Name, Currency: store.Currency, TimeZone: store.TimeZone, Driver: store.Driver, DryRun: store.DryRun,
			OwnTexts: store.Shop.OwnTexts, Consent: store.Asks, Destination: store.Destination, PushesSegments: store.Profiles != nil,
		}
	}
	return list, nil
}

// store returns a configured store.
func (s *Service) store(name string) (*Store, error) {
	i := slices.IndexFunc(s.cfg.Stores, func(store Store) bool { return store.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("%w: there is no such store", ErrNotFound)
	}
	return &s.cfg.Stores[i], nil
}

// editor returns what decides on changes of the store's flows.
func (s Store) editor() flowedit.Editor { return flowedit.Editor{Store: s.Name, Shop: s.Shop} }

// flowOf returns a store, after a check of the flow.
func (s *Service) flowOf(store string, key flow.Key) (*Store, error) {
	found, err := s.store(store)
	if err == nil && !slices.Contains(flow.Keys(), key) {
		return nil, fmt.Errorf("%w: there is no such flow", ErrNotFound)
	}
	return found, err
}

// Flows returns the twelve flows of a store with their numbers of the last 7 days.
func (s *Service) Flows(ctx context.Context, store string) ([]FlowCard, error) {
	found, err := s.store(store)
	if err != nil {
		return nil, err
	}
	rows, err := s.rows(ctx)
	if err != nil {
		return nil, err
	}
	flows, err := settings.FlowsOf(rows, store)
	if err != nil {
		return nil, err
	}
	counts, err := s.counts(ctx, found, week)
	if err != nil {
		return nil, err
	}
	ways := settings.SendingOf(rows, store)
	cards := make([]FlowCard, len(flows))
	for i, f := range flows {
		cards[i] = found.card(f, ways)
		if counts != nil {
			of := counts[f.Key]
			sent, clicked := int(of.Sent), int(of.Clicked)
			cards[i].Sent, cards[i].Clicked = &sent, &clicked
		}
	}
	return cards, nil
}

// counts returns the numbers of flows of the last days, nil while they are not known.
func (s *Service) counts(ctx context.Context, store *Store, since time.Duration) (map[flow.Key]readmodel.FlowCount, error) {
	if s.cfg.Model == nil || !s.cfg.Model.Progress().CaughtUp {
		return nil, nil
	}
	zone, err := time.LoadLocation(store.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("time zone of store %s: %w", store.Name, err)
	}
	rows, err := s.cfg.Model.Flows(ctx, store.Name, s.cfg.Now().Add(-since), zone)
	if err != nil {
		return nil, ofModel("texts", err)
	}
	counts := map[flow.Key]readmodel.FlowCount{}
	for _, row := range rows {
		counts[row.Flow] = row
	}
	return counts, nil
}

// card returns a flow without its numbers.
func (s Store) card(f settings.Flow, ways settings.Sending) FlowCard {
	card := FlowCard{Flow: f, Quiet: f.QuietHours || ways.QuietHours.AllFlows, Paused: ways.Holds(f.Key)}
	if err := s.editor().Check(f.Definition()); f.Active && err != nil {
		card.Problem = faulty(err).Faults[0].Problem
	}
	return card
}

// Flow returns a flow as it is set now, and what its text can use.
func (s *Service) Flow(ctx context.Context, store string, key flow.Key) (FlowInfo, error) {
	found, err := s.flowOf(store, key)
	if err != nil {
		return FlowInfo{}, err
	}
	cards, err := s.Flows(ctx, store)
	if err != nil {
		return FlowInfo{}, err
	}
	info := FlowInfo{
		FlowCard: cards[slices.Index(flow.Keys(), key)], Variables: found.variables(key), About: key.Resources(), Trigger: flow.RuleOf(key).FiredBy.Meaning(),
		Absorbs: []flow.Key{}, OptOutText: found.Shop.OptOut, MaxBytes: flow.MaxSource,
	}
	for _, other := range flow.Keys() {
		if flow.RuleOf(key).Absorbs.Has(other) {
			info.Absorbs = append(info.Absorbs, other)
		}
	}
	builtIn, err := flow.Defaults()
	if err != nil {
		return info, fmt.Errorf("read built-in flows: %w", err)
	}
	info.DefaultText = builtIn[slices.Index(flow.Keys(), key)].Text
	return info, nil
}

// variables returns what a flow's text can use, in alphabetical order.
func (s Store) variables(key flow.Key) []Variable {
	samples := map[string]string{}
	for _, about := range key.Resources() {
		for name, value := range s.Shop.Sample(about).Values() {
			samples[name] = value
		}
	}
	list := make([]Variable, 0, len(samples))
	for _, name := range key.Names() {
		list = append(list, Variable{Name: name, Sample: samples[name]})
	}
	return list
}
