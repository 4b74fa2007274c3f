package quiethours

import (
	"errors"
	"fmt"
	"time"
)

// Hours are a store's quiet hours by the recipient's clock: quiet from From on, until To. If From is later than To, they span midnight.
type Hours struct {
	From Clock `json:"from"`
	To   Clock `json:"to"`
	// States applies the windows of US states, too.
	States bool `json:"us_states"`
}

// Default are the quiet hours of a store that sets none (https://help.recart.com/en/articles/understanding-sms-quiet-hours).
func Default() Hours { return Hours{From: 20 * 60, To: 9 * 60} }

// Errors of Check.
var (
	ErrEmpty    = errors.New("quiet hours must not begin and end at the same time: switch them off instead")
	ErrTooLarge = fmt.Errorf("quiet hours must leave %s to %s free, so that every text can be sent within a day", noon, five)
)

// Check returns why the hours can't be kept: ErrEmpty or ErrTooLarge, else nil.
func (h Hours) Check() error {
	if h.From == h.To {
		return ErrEmpty
	}
	for _, w := range h.windows() {
		if w.opens <= noon && five <= w.closes {
			return nil
		}
	}
	return ErrTooLarge
}

// window is a part of a day in which texts may be sent: from opens on, until closes.
type window struct{ opens, closes Clock }

func (w window) empty() bool { return w.opens >= w.closes }

func (w window) with(other window) window {
	return window{opens: max(w.opens, other.opens), closes: min(w.closes, other.closes)}
}

// windows returns the parts of a day that are not quiet, in order.
func (h Hours) windows() []window {
	if h.From > h.To {
		return []window{{h.To, h.From}}
	}
	return []window{{0, h.From}, {h.To, midnight}}
}

// windowsOn returns the parts of a day that are not quiet at a place, in order.
func (h Hours) windowsOn(day time.Weekday, p place) []window {
	left := h.windows()
	rule, found := stateWindow(p.state, day)
	if !h.States || !found {
		return left
	}
	var both []window
	for _, w := range left {
		if w = w.with(rule); !w.empty() {
			both = append(both, w)
		}
	}
	return both
}
