package service

import (
	"context"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

// SendingInfo is how a store sends now.
type SendingInfo struct {
	settings.Sending

	// QuietFlows are the flows whose texts wait during quiet hours.
	QuietFlows []flow.Key `json:"quiet_flows"`
	// PausedAt and PausedBy are since when and by whom any texts are paused; zero and "" if none are.
	PausedAt time.Time `json:"paused_at,omitzero"`
	PausedBy string    `json:"paused_by,omitempty"`
	// Consent says whom the store may text, in words.
	Consent string `json:"consent"`
	// History are the versions, newest first.
	History []settings.Sending `json:"history"`
}

// SetSending changes how a store sends. Fields that are nil stay as they are.
type SetSending struct {
	Version     int     `json:"version"`              // that it must have
	QuietFrom   *string `json:"quiet_from,omitempty"` // 20:00
	QuietTo     *string `json:"quiet_to,omitempty"`
	USStates    *bool   `json:"us_states,omitempty"`
	AllFlows    *bool   `json:"all_flows,omitempty"`
	TextsPerDay *int    `json:"texts_per_day,omitempty"` // 0 for no limit
}

// Pause holds texts or, if Paused is false, sends them again.
type Pause struct {
	Paused bool       `json:"paused"`
	Flows  []flow.Key `json:"flows,omitempty"` // none for all: see sending.Settings
}

// Sending returns how a store sends now.
func (s *Service) Sending(ctx context.Context, store string) (SendingInfo, error) {
	found, err := s.store(store)
	if err != nil {
		return SendingInfo{}, err
	}
	rows, err := s.rows(ctx)
	if err != nil {
		return SendingInfo{}, err
	}
	flows, err := settings.FlowsOf(rows, store)
	if err != nil {
		return SendingInfo{}, err
	}
	info := SendingInfo{
		Sending: settings.SendingOf(rows, store), QuietFlows: []flow.Key{}, Consent: found.Asks.Explain(), History: settings.SendingHistoryOf(rows, store),
	}
	slices.Reverse(info.History)
	for _, f := range flows {
		if f.QuietHours || info.QuietHours.AllFlows {
			info.QuietFlows = append(info.QuietFlows, f.Key)
		}
	}
	if info.Paused || len(info.PausedFlows) > 0 {
		since := settings.PausedBy(rows, store)
		info.PausedAt, info.PausedBy = since.At, since.By
	}
	return info, nil
}

// SetSending changes quiet hours and the limit of a day.
func (s *Service) SetSending(ctx context.Context, who, store string, change SetSending) (SendingInfo, error) {
	if change == (SetSending{Version: change.Version}) {
		return SendingInfo{}, invalid("", "nothing to change: name what to change")
	}
	return s.changeSending(ctx, who, store, &change.Version, func(ways *sending.Settings) error {
		if change.USStates != nil {
			ways.QuietHours.States = *change.USStates
		}
		if change.AllFlows != nil {
			ways.QuietHours.AllFlows = *change.AllFlows
		}
		if change.TextsPerDay != nil {
			ways.TextsPerDay = *change.TextsPerDay
		}
		return changeHours(ways, change.QuietFrom, change.QuietTo)
	})
}

// Pause holds texts, or sends them again.
func (s *Service) Pause(ctx context.Context, who, store string, change Pause) (SendingInfo, error) {
	for _, key := range change.Flows {
		if !slices.Contains(flow.Keys(), key) {
			return SendingInfo{}, invalid("flows", "there is no flow %q", key)
		}
	}
	return s.changeSending(ctx, who, store, nil, func(ways *sending.Settings) error {
		if !change.Paused {
			return ways.Resume(change.Flows...)
		}
		ways.Pause(change.Flows...)
		return nil
	})
}

// changeSending changes how a store sends; version is nil for any.
func (s *Service) changeSending(ctx context.Context, who, store string, version *int, decide func(*sending.Settings) error) (SendingInfo, error) {
	if _, err := s.store(store); err != nil {
		return SendingInfo{}, err
	}
	done, err := s.alone(ctx)
	if err != nil {
		return SendingInfo{}, err
	}
	changed, err := s.cfg.Settings.ChangeSending(ctx, s.cfg.Cluster, settings.SendingChange{
		Stores: []string{store}, By: who, At: s.cfg.Now(), Version: version, Decide: decide,
	})
	done()
	if err != nil {
		return SendingInfo{}, changeError(err)
	}
	for _, now := range changed {
		s.awaitRow(ctx, func(rows *settings.Rows[settings.Setting]) bool {
			return settings.SendingOf(rows, store).Version >= now.Version
		})
	}
	return s.Sending(ctx, store)
}
