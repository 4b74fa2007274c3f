package telemetry

import (
	"slices"
	"sync"
)

// Health is the readiness of the process. It is safe for concurrent use.
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

// Register adds a check, in place of the one with the same name if there is one. Checks are reported in the order of registration. run must
// not block; it returns nil, or an error that
// names the problem. Only a check with gates can make the process unready; others are only reported. In a process with the
// gateway, only the gateway's check may gate: if a load balancer removed the gateway because of a failed sink, Recharge would
// delete the webhooks.
func (h *Health) Register(name string, gates bool, run func() error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	checks := slices.Clone(h.checks) // a report may be reading the slice
	if at := h.index(name); at >= 0 {
		checks[at] = check{name: name, gates: gates, run: run}
	} else {
		checks = append(checks, check{name: name, gates: gates, run: run})
	}
	h.checks = checks
}

// Remove removes a check, if there is one with this name.
func (h *Health) Remove(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if at := h.index(name); at >= 0 {
		h.checks = slices.Delete(slices.Clone(h.checks), at, at+1)
	}
}

func (h *Health) index(name string) int {
	return slices.IndexFunc(h.checks, func(c check) bool { return c.name == name })
}

// Drain makes the process permanently unready, because it stops.
func (h *Health) Drain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.draining = true
}

// Report holds the results of all checks at one time: the body of /readyz.
type Report struct {
	Status string        `json:"status"` // ready, not ready or draining
	Checks []CheckResult `json:"checks"`
}

// CheckResult is the result of one check.
type CheckResult struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Gates bool   `json:"gates"`           // whether its failure makes the process unready
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
	checks, draining := h.checks, h.draining
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
