package app

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/stage"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// part is what a role runs besides the gateway: consumers, and what they need of the stores. It is built from a configuration, and never
// changes: when the settings of its stores do, it is stopped, and another takes its place in the same process.
type part struct {
	role   topology.Role
	info   kafka.MemberInfo // what it shows as a member of its groups
	stages []*stage.Stage
	checks []check  // for /readyz
	groups []string // that have metrics
	starts []func() // what registers metrics
	tasks  []func(ctx context.Context) error
	undo   sync.Mutex                        // held while the part is closed
	closes []func(ctx context.Context) error // after the tasks have ended
	within time.Duration                     // for closes, if the part is replaced
	// texts is what the sms role has, assigned returns the partitions of the transformer.
	texts    *texter
	assigned func() kafka.Status

	stop context.CancelFunc // nil before the start
	done chan struct{}
}

type check struct {
	name  string
	gates bool
	run   func() error
}

func (p *part) check(name string, gates bool, run func() error) {
	p.checks = append(p.checks, check{name, gates, run})
}

func (p *part) onStart(register func()) { p.starts = append(p.starts, register) }

func (p *part) task(run func(ctx context.Context) error) { p.tasks = append(p.tasks, run) }

func (p *part) onClose(undo func(ctx context.Context) error) { p.closes = append(p.closes, undo) }

// newParts builds the parts of roles. Nothing of them runs yet.
func (a *App) newParts(cfg config.Config, roles []topology.Role) (parts []*part, err error) {
	for _, role := range roles {
		if hasPort(role) {
			continue
		}
		p, err := a.newPart(cfg, role)
		parts = append(parts, p)
		if err != nil {
			a.closeParts(context.Background(), parts)
			return nil, err
		}
	}
	return parts, nil
}

// hasPort reports whether a role serves a port, which stays open when the settings change.
func hasPort(role topology.Role) bool {
	return slices.Contains([]topology.Role{topology.RoleGateway, topology.RoleLinks, topology.RoleConsole}, role)
}

// newPart builds the part of a role. It is returned with an error, too, to be closed.
func (a *App) newPart(cfg config.Config, role topology.Role) (*part, error) {
	p, options := &part{role: role, info: memberInfo(cfg, role, a.version, a.began), within: a.cfg.ShutdownTimeout}, pipeline.Options{}
	for _, store := range cfg.Stores {
		options.Stores = append(options.Stores, described(store))
	}
	err := a.addClients(p, cfg, &options)
	if err != nil {
		return p, err
	}
	if p.stages, err = pipeline.Stages([]topology.Role{role}, options, a.runtime); err != nil {
		return p, err
	}
	a.addConsumers(p)
	return p, nil
}

// startPart runs a part until ctx ends or it is stopped. Its metrics and checks take the place of those of the part before, nil for none.
// An error of a task ends the process.
func (a *App) startPart(ctx context.Context, group *errgroup.Group, p, before *part) {
	for _, c := range p.checks {
		a.health.Register(c.name, c.gates, c.run)
	}
	for _, register := range p.starts {
		register()
	}
	if before != nil {
		a.forget(before, p)
	}
	ctx, p.stop = context.WithCancel(ctx)
	p.done = make(chan struct{})
	tasks, ctx := errgroup.WithContext(ctx)
	for _, run := range p.tasks {
		tasks.Go(func() error { return run(ctx) })
	}
	group.Go(func() error {
		defer close(p.done)
		defer p.stop()
		return tasks.Wait()
	})
}

// forget removes metrics and checks that a part had and the one in its place has not.
func (a *App) forget(before, p *part) {
	for _, c := range before.checks {
		if !slices.ContainsFunc(p.checks, func(other check) bool { return other.name == c.name }) {
			a.health.Remove(c.name)
		}
	}
	for _, group := range before.groups {
		if !slices.Contains(p.groups, group) {
			a.metrics.GroupEnded(group)
			a.lags.remove(group)
		}
	}
}

// replacePart stops the part of a role as at the end of the process: it finishes the records in progress, commits, leaves its groups and is
// closed, for which it has until closing ends. Then p continues where it ended.
func (a *App) replacePart(ctx, closing context.Context, group *errgroup.Group, p *part) {
	before := a.partOf(p.role)
	before.stop()
	<-before.done
	a.closeReplaced(closing, before)
	a.setPart(p)
	if ctx.Err() != nil { // the process stops
		return
	}
	a.metrics.RoleEnded(string(p.role))
	a.startPart(ctx, group, p, before)
}

// closingContext returns a context for closing parts that are replaced. If the process stops meanwhile, which ends ctx, closing has to end
// before finish gives up waiting: a consumer may take three fifths of shutdown_timeout to finish its records, so seven tenths leave one for closing.
func (a *App) closingContext(ctx context.Context) (context.Context, context.CancelFunc) {
	closing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(a.cfg.ShutdownTimeout*7/10, cancel) })
	return closing, cancel
}

// closeReplaced closes a part. It may take as long as the part allows, or until closing ends.
func (a *App) closeReplaced(closing context.Context, p *part) {
	closing, cancel := context.WithTimeout(closing, p.within)
	defer cancel()
	a.closeParts(closing, []*part{p})
}

// closeParts closes what parts have opened, once. A part that is being closed already is waited for.
func (a *App) closeParts(ctx context.Context, parts []*part) {
	for _, p := range parts {
		a.closePart(ctx, p)
	}
}

func (a *App) closePart(ctx context.Context, p *part) {
	p.undo.Lock()
	defer p.undo.Unlock()
	for _, undo := range p.closes {
		if err := undo(ctx); err != nil {
			a.log.Warn(fmt.Sprintf("close %s failed", p.role), zap.Error(err))
		}
	}
	p.closes = nil
}

func (a *App) partOf(role topology.Role) *part {
	parts := a.allParts()
	return parts[slices.IndexFunc(parts, func(p *part) bool { return p.role == role })]
}

// setPart puts p in the place of the part of its role.
func (a *App) setPart(p *part) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for i, other := range a.parts {
		if other.role == p.role {
			a.parts[i] = p
		}
	}
}

func (a *App) allParts() []*part {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return slices.Clone(a.parts)
}
