package registration

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Lister is the API of a Watch: *recharge.Client.
type Lister interface {
	API
	Webhooks(ctx context.Context) ([]recharge.Registration, error)
}

// Metrics gets what a Watch finds.
type Metrics interface {
	// Registrations sets how many registrations of a store have each status after a check; nil if this process does not check them.
	Registrations(store string, counts map[string]int)
	// RegistrationRestored counts a registration that was put back, by the status that it had.
	RegistrationRestored(store, was string)
	// RegistrationCheck counts a check: ok, failed, or refused for its credentials.
	RegistrationCheck(store, outcome string)
}

// Watch compares the registrations of a store with the wanted ones as long as the process runs, and puts back what was deleted or altered.
// Recharge deletes a registration after 20 failed attempts in 48 hours (https://docs.getrecharge.com/docs/webhooks-overview). What
// is foreign, unused or a duplicate is reported and left.
type Watch struct {
	// Store returns the store as it is configured now. Its name never changes.
	Store func() Store
	API   Lister
	// Every is the time between two checks.
	Every time.Duration
	// Owns reports whether this process checks: of several, only one does.
	Owns    func() bool
	Metrics Metrics
	Log     *zap.Logger

	reported []string // foreign registrations
}

// ownerPoll is how soon a process notices that it owns the check.
const ownerPoll = 5 * time.Second

// Run checks until ctx ends: at once when this process becomes the owner, then every w.Every. It never ends the process.
func (w *Watch) Run(ctx context.Context) {
	ticker := time.NewTicker(min(w.Every, ownerPoll))
	defer ticker.Stop()
	var next time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			switch {
			case !w.Owns():
				next, w.reported = time.Time{}, nil
				w.Metrics.Registrations(w.Store().Name, nil)
			case !now.Before(next):
				next = now.Add(w.Every)
				w.check(ctx)
			}
		}
	}
}

// restore creates and changes. It deletes nothing: a second registration of a topic does no harm but work. An address with the token of an old
// secret is left to the setup command, because gateways that do not have the new one yet would refuse another.
func restore(row Row) Action {
	if slices.Equal(row.Differs, []string{DiffersOldToken}) {
		return ActionNone
	}
	if row.Status == StatusMissing || row.Status == StatusAltered {
		return Keep(row)
	}
	return ActionNone
}

func (w *Watch) check(ctx context.Context) {
	found, err := w.API.Webhooks(ctx)
	if err != nil {
		w.failed(ctx, fmt.Errorf("list webhooks: %w", err))
		return
	}
	rows := Plan(w.Store(), found)
	w.reportForeign(rows)
	counts := map[string]int{}
	for _, status := range Statuses() {
		counts[string(status)] = 0
	}
	var first error
	for _, result := range Apply(ctx, w.API, rows, restore) {
		counts[string(w.settled(result))]++
		if first == nil {
			first = result.Err
		}
	}
	w.Metrics.Registrations(w.Store().Name, counts)
	if first != nil {
		w.failed(ctx, fmt.Errorf("restore registrations: %w", first))
		return
	}
	w.Metrics.RegistrationCheck(w.Store().Name, "ok")
}

// settled logs what was done about a registration, and returns the status that it has then.
func (w *Watch) settled(result Result) Status {
	if result.Action == ActionNone || result.Err != nil {
		return result.Row.Status
	}
	w.Metrics.RegistrationRestored(w.Store().Name, string(result.Row.Status))
	w.Log.Warn("webhook registration was missing or wrong, restored", zap.String("store", w.Store().Name),
		zap.String("recharge_topic", string(result.Row.Topic)), zap.String("was", string(result.Row.Status)), zap.Strings("wrong", result.Row.Differs))
	return StatusOK
}

// reportForeign logs registrations to other addresses that were not there at the last check.
func (w *Watch) reportForeign(rows []Row) {
	var foreign []string
	for _, row := range rows {
		if row.Status != StatusForeign {
			continue
		}
		foreign = append(foreign, row.Found.ID+" "+row.Found.Address)
		if !slices.Contains(w.reported, row.Found.ID+" "+row.Found.Address) {
			w.Log.Warn("webhook is registered to an unexpected address, leaving it", zap.String("store", w.Store().Name),
				zap.String("recharge_topic", string(row.Topic)), zap.String("address", w.Store().Shown(row.Found.Address)))
		}
	}
	w.reported = foreign
}

func (w *Watch) failed(ctx context.Context, err error) {
	if ctx.Err() != nil { // the process stops
		return
	}
	outcome := "failed"
	var failed *recharge.APIError
	if errors.As(err, &failed) && (failed.Status == http.StatusUnauthorized || failed.Status == http.StatusForbidden) {
		outcome = "refused"
	}
	w.Metrics.RegistrationCheck(w.Store().Name, outcome)
	fields := []zap.Field{zap.String("store", w.Store().Name), zap.Error(err), zap.Duration("next_try_within", w.Every)}
	if failed != nil && failed.Advice() != "" {
		fields = append(fields, zap.String("advice", failed.Advice()))
	}
	w.Log.Warn("check of registered webhooks failed, will retry", fields...)
}
