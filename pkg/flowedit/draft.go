package flowedit

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// Draft is what to change of a flow. Fields that are nil stay as they are.
type Draft struct {
	Name          *string  `json:"name,omitempty"`
	Text          *string  `json:"text,omitempty"`
	QuietHours    *bool    `json:"quiet_hours,omitempty"`
	WindowSeconds *float64 `json:"window_seconds,omitempty"`
	PerCharge     *int     `json:"per_charge,omitempty"`
	DailyCap      *bool    `json:"daily_cap,omitempty"`
}

// IsEmpty reports whether the draft changes nothing.
func (d Draft) IsEmpty() bool { return d == Draft{} }

// Apply changes a flow.
func (d Draft) Apply(f flow.Flow) flow.Flow {
	set(&f.Name, d.Name)
	set(&f.Text, d.Text)
	set(&f.QuietHours, d.QuietHours)
	set(&f.PerCharge, d.PerCharge)
	set(&f.DailyCap, d.DailyCap)
	if d.WindowSeconds != nil {
		f.Window = seconds(*d.WindowSeconds)
	}
	return f
}

func set[T any](to, value *T) {
	if value != nil {
		*to = *value
	}
}

// seconds returns a duration. What would overflow becomes longer than any window, or shorter.
func seconds(s float64) time.Duration {
	const most = 1e6
	return time.Duration(max(-most, min(most, s)) * float64(time.Second))
}
