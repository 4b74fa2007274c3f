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
func (s *Settings) Pause(keys ...flow.Key) { s.hold(true, keys) }

// Resume sends the texts of flows again, of all if none is named.
func (s *Settings) Resume(keys ...flow.Key) { s.hold(false, keys) }

func (s *Settings) hold(hold bool, keys []flow.Key) {
	if len(keys) == 0 {
		s.Paused = hold
		if !hold {
			s.PausedFlows = []flow.Key{}
		}
		return
	}
	paused := []flow.Key{}
	for _, key := range flow.Keys() {
		named := slices.Contains(keys, key)
		if named && hold || !named && slices.Contains(s.PausedFlows, key) {
			paused = append(paused, key)
		}
	}
	s.PausedFlows = paused
}
