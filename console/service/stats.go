package service

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/flowstats"
)

// Days that are counted, and days from a text to what it is said to have led to, unless a request names others.
const (
	defaultStats       = 30 * day
	defaultRecovery    = 7
	defaultReactivated = 30
)

// FlowStats counts the outcomes of texts by flow and day.
func (s *Service) FlowStats(ctx context.Context, request StatsRequest) (FlowStats, error) {
	stores := s.cfg.Stores
	if request.Store != "" {
		found, err := s.store(request.Store)
		if err != nil {
			return FlowStats{}, err
		}
		stores = []Store{*found}
	}
	if request.Flow != "" && request.Flow != flow.Help && !slices.Contains(flow.Keys(), request.Flow) {
		return FlowStats{}, invalid("flow", "there is no flow %q", request.Flow)
	}
	if request.Since.IsZero() && request.FirstDay == "" {
		request.Since = s.cfg.Now().Add(-defaultStats)
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
		return FlowStats{}, invalid(wrong.Field, "%s", wrong.Problem)
	}
	result := FlowStats{Since: options.Since, Zones: map[string]string{}}
	for store, zone := range options.Zones {
		result.Zones[store] = zone.String()
	}
	result.Rows, err = flowstats.Source{Cluster: s.cfg.Cluster, Topics: s.cfg.Topics, Regions: regions}.Count(ctx, options)
	if request.Total {
		result.Rows = flowstats.Totals(result.Rows)
	}
	if result.Rows == nil {
		result.Rows = []flowstats.Row{}
	}
	return result, unavailable(err)
}
