package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/backtest"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/flowedit"
	"github.com/rechargeflow/rechargeflow/pkg/flowstats"
	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

// defaultExamples is how many examples of each kind a backtest has; maxExamples is the largest number.
const (
	defaultExamples = 3
	maxExamples     = 100
)

// Backtest plays a draft over the triggers that there were.
func (s *Service) Backtest(ctx context.Context, store string, key flow.Key, request BacktestRequest) (Backtest, error) {
	price, err := flow.ParsePrice(request.Price)
	if err != nil {
		return Backtest{}, invalid("price", "%s", err)
	}
	examples, err := request.examples()
	if err != nil {
		return Backtest{}, err
	}
	found, err := s.flowOf(store, key)
	if err != nil {
		return Backtest{}, err
	}
	now := s.cfg.Now()
	if request.Since.IsZero() {
		request.Since = now.Add(-week)
	}
	if request.Since.After(now) {
		return Backtest{}, invalid("since", "is in the future")
	}
	done, err := s.scan(ctx)
	if err != nil {
		return Backtest{}, err
	}
	defer done()
	options, err := s.playing(ctx, found, key, request)
	if err != nil {
		return Backtest{}, err
	}
	options.Since, options.Examples, options.HideNames = request.Since, examples, !request.Reveal
	report, err := s.play(ctx, options)
	played := Backtest{Store: store, Flow: key, Since: request.Since, Report: report}
	if err == nil && price.String() != "" {
		played.Cost, played.Price, played.Currency = price.Cost(report.Parts), price.String(), found.Currency
	}
	return played, err
}

// examples returns how many examples of each kind are wanted.
func (r BacktestRequest) examples() (int, error) {
	if r.Examples == nil {
		return defaultExamples, nil
	}
	if *r.Examples < 0 || *r.Examples > maxExamples {
		return 0, invalid("examples", "is %d, expected 0 to %d", *r.Examples, maxExamples)
	}
	return *r.Examples, nil
}

func (s *Service) play(ctx context.Context, o backtest.Options) (*backtest.Report, error) {
	report, err := backtest.Source{Cluster: s.cfg.Cluster, Topics: s.cfg.Topics}.Run(ctx, o)
	return report, unavailable(err)
}

// playing returns what plays a draft without faults.
func (s *Service) playing(ctx context.Context, store *Store, key flow.Key, request BacktestRequest) (backtest.Options, error) {
	rows, err := s.rows(ctx)
	if err != nil {
		return backtest.Options{}, err
	}
	flows, err := settings.FlowsOf(rows, store.Name)
	if err != nil {
		return backtest.Options{}, err
	}
	inForce, err := store.editor().InForce(rows)
	if inForce == nil {
		return backtest.Options{}, fmt.Errorf("read flows: %w", err)
	}
	d := backtest.Draft{
		Store: store.Name, Texts: store.Sends, Flow: request.Draft.Apply(flows[flowedit.IndexOf(flows, key)].Definition()), Flows: inForce,
		Sending: settings.SendingOf(rows, store.Name).Settings, Mode: store.Asks,
	}
	d.Ready()
	if err := request.change(&d.Sending); err != nil {
		return backtest.Options{}, err
	}
	if err := store.editor().Check(d.Flow); err != nil {
		return backtest.Options{}, faulty(err)
	}
	if d.Consent, err = s.consents(ctx); err != nil {
		return backtest.Options{}, err
	}
	return d.Options(), nil
}

// consents reads what is known of all numbers.
func (s *Service) consents(ctx context.Context) (*consent.Rows, error) {
	rows, err := consent.Topic(s.cfg.Topics.Consent()).Read(ctx, s.cfg.Cluster)
	return rows, unavailable(err)
}

// change changes how the store sends.
func (r BacktestRequest) change(ways *sending.Settings) error {
	if r.TextsPerDay != nil {
		ways.TextsPerDay = *r.TextsPerDay
	}
	if r.QuietAllFlows != nil {
		ways.QuietHours.AllFlows = *r.QuietAllFlows
	}
	return changeHours(ways, r.QuietFrom, r.QuietTo)
}

// changeHours changes quiet hours, and checks all settings.
func changeHours(ways *sending.Settings, from, to *string) error {
	for _, each := range []struct {
		field string
		given *string
		clock *quiethours.Clock
	}{{"quiet_from", from, &ways.QuietHours.From}, {"quiet_to", to, &ways.QuietHours.To}} {
		if each.given == nil {
			continue
		}
		parsed, err := quiethours.ParseClock(*each.given)
		if err != nil {
			return invalid(each.field, "%s", err)
		}
		*each.clock = parsed
	}
	if err := ways.Check(); err != nil {
		return invalid("", "%s", err)
	}
	return nil
}

// WouldSend says what activating the flow with the changes of a draft does.
func (s *Service) WouldSend(ctx context.Context, store string, key flow.Key, d Draft) (WouldSend, error) {
	found, drafted, err := s.drafted(ctx, store, key, d)
	if err != nil {
		return WouldSend{}, err
	}
	result := WouldSend{Store: store, Flow: key, Active: drafted.Active, Faults: []Fault{}, LastDay: backtest.NewReport()}
	counts, err := s.counts(ctx, found, triggersFor)
	if err != nil {
		return WouldSend{}, err
	}
	if counts != nil {
		waiting := int(counts[key].Waiting)
		result.Waiting = &waiting
	}
	drafted.Active = true
	if err := found.editor().Check(drafted); err != nil {
		result.Faults = faulty(err).Faults
		return result, nil
	}
	done, err := s.scan(ctx)
	if err != nil {
		return WouldSend{}, err
	}
	defer done()
	options, err := s.playing(ctx, found, key, BacktestRequest{Draft: d})
	if err != nil {
		return WouldSend{}, err
	}
	options.Since, options.Examples, options.HideNames = s.cfg.Now().Add(-day), defaultExamples, true
	result.LastDay, err = s.play(ctx, options)
	return result, err
}

// Days that are counted, and days from a text to what it is said to have led to, unless a request names others.
const (
	defaultStats       = 30 * day
	defaultRecovery    = 7
	defaultReactivated = 30
)

// FlowStats counts the outcomes of texts by flow and day.
func (s *Service) FlowStats(ctx context.Context, request StatsRequest) (FlowStats, error) {
	stores, err := s.storesOf(request.Store)
	if err != nil {
		return FlowStats{}, err
	}
	if request.Flow != "" && request.Flow != flow.Help && !slices.Contains(flow.Keys(), request.Flow) {
		return FlowStats{}, invalid("flow", "there is no flow %q", request.Flow)
	}
	if err := request.begin(s.cfg.Now()); err != nil {
		return FlowStats{}, err
	}
	query := flowstats.Query{
		Since: request.Since, FirstDay: request.FirstDay, Flow: request.Flow, Zone: request.Zone,
		RecoveredWithin: cmp.Or(request.RecoveredWithin, defaultRecovery), ReactivatedWithin: cmp.Or(request.ReactivatedWithin, defaultReactivated),
	}
	zones, regions := map[string]string{}, map[string]string{}
	for _, store := range stores {
		zones[store.Name], regions[store.Name] = store.TimeZone, store.Region
	}
	options, err := query.Options(zones)
	var wrong *flowstats.QueryError
	if errors.As(err, &wrong) {
		return FlowStats{}, invalid(strings.ReplaceAll(wrong.Field, "-", "_"), "%s", wrong.Problem)
	}
	result := FlowStats{Since: options.Since, Zones: namesOf(options.Zones)}
	result.Rows, err = s.countTexts(ctx, flowstats.Source{Cluster: s.cfg.Cluster, Topics: s.cfg.Topics, Regions: regions}, options)
	if request.Total {
		result.Rows = flowstats.Totals(result.Rows)
	}
	if result.Rows == nil {
		result.Rows = []flowstats.Row{}
	}
	return result, err
}

// storesOf returns a store, or with "" all.
func (s *Service) storesOf(name string) ([]Store, error) {
	if name == "" {
		return s.cfg.Stores, nil
	}
	found, err := s.store(name)
	if err != nil {
		return nil, err
	}
	return []Store{*found}, nil
}

func (s *Service) countTexts(ctx context.Context, of flowstats.Source, o flowstats.Options) ([]flowstats.Row, error) {
	done, err := s.scan(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	rows, err := of.Count(ctx, o)
	return rows, unavailable(err)
}

// begin sets Since.
func (r *StatsRequest) begin(now time.Time) (err error) {
	switch {
	case r.FirstDay != "":
		if r.Since, err = time.Parse(time.DateOnly, r.FirstDay); err != nil {
			return invalid("since", "is not a day such as 2026-03-01")
		}
	case r.Since.IsZero():
		r.Since = now.Add(-defaultStats)
	}
	return nil
}

func namesOf(zones map[string]*time.Location) map[string]string {
	names := map[string]string{}
	for store, zone := range zones {
		names[store] = zone.String()
	}
	return names
}
