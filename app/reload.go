package app

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/app/reload"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// reloadLoop returns what loads the configuration while the process runs, with a check for /readyz.
func (a *App) reloadLoop(group *errgroup.Group) *reload.Loop {
	loop := &reload.Loop{
		Source: *a.source, Metrics: a.metrics, Log: a.log, Now: a.now,
		TakeUp: func(ctx context.Context, next config.Config, changes []config.Change) error {
			return a.takeUp(ctx, group, next, changes)
		},
	}
	a.health.Register("configuration", false, loop.Trouble)
	return loop
}

// takeUp puts a configuration in force. What can fail comes first, so that after an error nothing has changed. The gateway gets the
// settings of its stores at once, without closing its port. Parts whose stores have changed are started anew. A new store's webhooks are accepted
// last: the transformer would reject them before it knows the store.
func (a *App) takeUp(ctx context.Context, group *errgroup.Group, next config.Config, changes []config.Change) error {
	need, err := a.checkNeeds(ctx, next)
	if err != nil {
		return err
	}
	opening, err := a.newAccepting(both(next, *a.current.Load()))
	if err != nil {
		return err
	}
	accepting, err := a.newAccepting(next)
	if err != nil {
		return err
	}
	parts, err := a.newParts(next, concerned(a.roles, changes))
	if err != nil {
		return err
	}
	shown, err := a.console.siteFor(next, changes)
	if err == nil {
		err = a.takeUpLinks(ctx, group, next)
	}
	if err != nil {
		a.closeParts(ctx, parts)
		return err
	}
	a.check.require(need)
	before := a.current.Swap(&next)
	a.takeUpLogLevel(before.Log.Level, next.Log.Level)
	a.exportStores(*before, next)
	a.logStores(slices.DeleteFunc(slices.Clone(next.Stores), func(s config.Store) bool { return !changed(s, changes) }))
	a.webhooks.accept(opening)
	shown.use()
	a.replaceParts(ctx, group, parts)
	a.webhooks.accept(accepting)
	return nil
}

// replaceParts puts parts in the place of those of their roles, one after the other.
func (a *App) replaceParts(ctx context.Context, group *errgroup.Group, parts []*part) {
	closing, cancel := a.closingContext(ctx)
	defer cancel()
	for _, p := range parts {
		if ctx.Err() != nil { // the process stops
			a.closeReplaced(closing, p)
			continue
		}
		a.log.Info("starting the role anew, its settings have changed", zap.String("role", string(p.role)))
		a.replacePart(ctx, closing, group, p)
	}
}

// checkNeeds returns what a configuration needs of the brokers, and checks that they allow it: a consumer group of its own for each new store.
// Brokers that do not answer are no reason to refuse it.
func (a *App) checkNeeds(ctx context.Context, next config.Config) (admin.Requirements, error) {
	need, err := needs(next, a.roles)
	if err != nil || reflect.DeepEqual(need, a.check.need()) {
		return need, err
	}
	asking, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if err := admin.Check(asking, a.cluster, need); isFinal(err) {
		return need, fmt.Errorf("broker checks failed: %w", err)
	}
	return need, nil
}

func (a *App) takeUpLogLevel(before, next string) {
	level, err := zapcore.ParseLevel(next)
	if before == next || err != nil { // config.Load has checked it
		return
	}
	a.logLevel.SetLevel(level)
}

// concerned returns the roles whose parts use what has changed.
func concerned(roles []topology.Role, changes []config.Change) []topology.Role {
	return slices.DeleteFunc(slices.Clone(roles), func(role topology.Role) bool {
		return !slices.ContainsFunc(changes, func(c config.Change) bool { return concerns(c, role) })
	})
}

// concerns reports whether a part uses what has changed. The checks of registrations, which use the secrets of webhooks, look them up.
func concerns(c config.Change, role topology.Role) bool {
	if c.Store == "" || strings.HasSuffix(c.Path, ".recharge.secrets") {
		return false
	}
	return len(c.Roles) == 0 || slices.Contains(c.Roles, string(role))
}

func changed(store config.Store, changes []config.Change) bool {
	return slices.ContainsFunc(changes, func(c config.Change) bool { return c.Store == store.Name })
}

// both returns a configuration with the stores that another one has, too.
func both(cfg, other config.Config) config.Config {
	cfg.Stores = slices.DeleteFunc(slices.Clone(cfg.Stores), func(s config.Store) bool {
		_, found := other.Store(s.Name)
		return !found
	})
	return cfg
}
