package telemetry

import "sync"

// Health knows whether the process should get traffic. It is safe for concurrent use.
type Health struct {
	mu       sync.Mutex
	checks   []check
	draining bool
}

type check struct {
	name  string
	gates bool
	run   func() error
}

// NewHealth returns a Health without checks: ready.
func NewHealth() *Health { return &Health{} }

// Register adds a check, shown in the order of registration. It must answer at once, from what is known:
// nil, or an error that says what is wrong. Only a check that gates can make the process unready; the
// others are shown. Where the gateway runs, only its own check may gate: a load balancer that takes it out
// for a sink's trouble makes Recharge delete the webhooks.
func (h *Health) Register(name string, gates bool, run func() error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks = append(h.checks, check{name: name, gates: gates, run: run})
}

// Drain makes the process unready from now on, because it is stopping.
func (h *Health) Drain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.draining = true
}

// Report is the state of all checks at one time, the body of /readyz.
type Report struct {
	Status string        `json:"status"` // ready, not ready or draining
	Checks []CheckResult `json:"checks"`
}

// CheckResult is what one check said.
type CheckResult struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Gates bool   `json:"gates"`           // whether it decides about the status
	Error string `json:"error,omitempty"` // empty when OK
}

// The values of Report.Status.
const (
	StatusReady    = "ready"
	StatusNotReady = "not ready"
	StatusDraining = "draining"
)

// Report runs all checks.
func (h *Health) Report() Report {
	h.mu.Lock()
	checks, draining := h.checks[:len(h.checks):len(h.checks)], h.draining
	h.mu.Unlock()

	report := Report{Status: StatusReady, Checks: make([]CheckResult, 0, len(checks))}
	for _, c := range checks {
		result := CheckResult{Name: c.name, Gates: c.gates, OK: true}
		if err := c.run(); err != nil {
			result.OK, result.Error = false, err.Error()
		}
		if !result.OK && c.gates {
			report.Status = StatusNotReady
		}
		report.Checks = append(report.Checks, result)
	}
	if draining {
		report.Status = StatusDraining
	}
	return report
}
