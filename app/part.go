package app

import (
	"context"
	"fmt"
	"slices"
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
		if role == topology.RoleGateway || role == topology.RoleLinks {
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

// replacePart stops the part of a role as at the end of the process: it finishes the records in progress, commits and leaves its groups.
// Then p continues where it ended.
func (a *App) replacePart(ctx context.Context, group *errgroup.Group, p *part) {
	i := slices.IndexFunc(a.parts, func(other *part) bool { return other.role == p.role })
	before := a.parts[i]
	before.stop()
	<-before.done
	a.closeReplaced(ctx, before)
	a.parts[i] = p
	if ctx.Err() != nil { // the process stops
		return
	}
	a.metrics.RoleEnded(string(p.role))
	a.startPart(ctx, group, p, before)
}

// closeReplaced closes a part. It may take as long as the part allows, or half of shutdown_timeout if the process stops meanwhile.
func (a *App) closeReplaced(ctx context.Context, p *part) {
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.within)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(a.cfg.ShutdownTimeout/2, cancel) })()
	a.closeParts(closing, []*part{p})
}

// closeParts closes what parts have opened.
func (a *App) closeParts(ctx context.Context, parts []*part) {
	for _, p := range parts {
		for _, undo := range p.closes {
			if err := undo(ctx); err != nil {
				a.log.Warn(fmt.Sprintf("close %s failed", p.role), zap.Error(err))
			}
		}
		p.closes = nil
	}
}
