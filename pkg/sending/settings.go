package sending

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
)

// Settings are how a store sends the texts of all flows. They are set at run time.
type Settings struct {
	QuietHours QuietHours `json:"quiet_hours"`
	// TextsPerDay is how many texts a customer gets in 24 hours at most, those of flows without a daily cap not counted; 0 is no limit.
	TextsPerDay int `json:"texts_per_day"`
	// Paused holds all texts, and PausedFlows those of some flows, in the order of flow.Keys.
	Paused      bool       `json:"paused"`
	PausedFlows []flow.Key `json:"paused_flows"`
}

// QuietHours are a store's quiet hours.
type QuietHours struct {
	quiethours.Hours

	// AllFlows applies them to all flows, also those that do not have them.
	AllFlows bool `json:"all_flows"`
}

// String describes them, such as "20:00 to 09:00, US states, all flows".
func (q QuietHours) String() string {
	s := q.From.String() + " to " + q.To.String()
	if q.States {
		s += ", US states"
	}
	if q.AllFlows {
		s += ", all flows"
	}
	return s
}

// Default returns how a store sends that has set nothing.
func Default() Settings {
	hours := quiethours.Default()
	hours.States = true
	return Settings{QuietHours: QuietHours{Hours: hours}, TextsPerDay: 4, PausedFlows: []flow.Key{}}
}

// maxPerDay is the largest limit of texts in a day.
const maxPerDay = 100

// ErrInvalid means that a store can't send so.
var ErrInvalid = errors.New("invalid setting")

// Check returns why texts can't be sent so, wrapping ErrInvalid; nil if they can.
func (s Settings) Check() error {
	if err := s.QuietHours.Check(); err != nil {
		return fmt.Errorf("%w: quiet hours %s to %s: %w", ErrInvalid, s.QuietHours.From, s.QuietHours.To, err)
	}
	if s.TextsPerDay < 0 || s.TextsPerDay > maxPerDay {
		return fmt.Errorf("%w: %d texts per day: set 1 to %d, or 0 for no limit", ErrInvalid, s.TextsPerDay, maxPerDay)
	}
	return nil
}

// Holds reports whether the texts of a flow are held.
func (s Settings) Holds(key flow.Key) bool { return s.Paused || slices.Contains(s.PausedFlows, key) }

// Pause holds the texts of flows, of all if none is named.
func (s *Settings) Pause(keys ...flow.Key) {
	s.Paused = s.Paused || len(keys) == 0
	s.PausedFlows = inOrder(func(key flow.Key) bool { return slices.Contains(s.PausedFlows, key) || slices.Contains(keys, key) })
}

// Resume sends the texts of flows again. Without flows it ends the pause of the store or, if there is none, those of all flows. It fails for
// flows while the store is paused.
func (s *Settings) Resume(keys ...flow.Key) error {
	switch {
	case len(keys) > 0 && s.Paused:
		return fmt.Errorf("%w: all texts of the store are paused: resume these first, without naming flows", ErrInvalid)
	case len(keys) > 0:
		s.PausedFlows = inOrder(func(key flow.Key) bool { return slices.Contains(s.PausedFlows, key) && !slices.Contains(keys, key) })
	case s.Paused:
		s.Paused = false
	default:
		s.PausedFlows = []flow.Key{}
	}
	return nil
}

// inOrder returns the flows to include, in the order of flow.Keys.
func inOrder(include func(flow.Key) bool) []flow.Key {
	return slices.DeleteFunc(flow.Keys(), func(key flow.Key) bool { return !include(key) })
}
