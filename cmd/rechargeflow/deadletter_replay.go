package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// replaying is one call of `deadletter replay`.
type replaying struct {
	call   call
	cfg    config.Config
	replay deadletter.Replay
	filter deadletter.Filter
	named  map[pipeline.Role]map[deadletter.Place]bool // by arguments; none: all
	last   string                                      // the letter sent last
	sent   int
}

// deadletterReplay counts the letters that are meant and, with -yes, sends them to their roles once more.
func deadletterReplay(ctx context.Context, c call) int {
	o := newLetterOptions(c)
	yes := o.set.Bool("yes", false, "send them; without it they are printed and counted only")
	again := o.set.Bool("again", false, "send letters that were sent before, too")
	rate := o.set.Float64("rate", 50, "send at most so many letters per `second`")
	if code, ok := o.parse(c); !ok {
		return code
	}
	r := replaying{call: c, replay: deadletter.Replay{Rate: *rate, Again: *again}, named: map[pipeline.Role]map[deadletter.Place]bool{}}
	roles, err := r.arguments(o)
	if err != nil {
		return misused(c, err)
	}
	loaded, ok := o.load(c)
	if !ok {
		return exitUsage
	}
	r.cfg, r.filter = loaded.Config, o.filter
	if r.replay.Cluster, err = askedCluster(loaded.Config); err != nil {
		return misused(c, err)
	}
	counts, total, err := r.count(ctx, roles)
	switch {
	case err != nil:
		return failed(c, r.cfg, err)
	case total == 0:
		return exitOK
	case !*yes:
		say(c.stdout, "nothing was sent: this was a preview; the same call with -yes sends them\n")
		return exitOK
	}
	return r.send(ctx, roles, counts, total)
}

// arguments reads what is asked for, and whose letters that are.
func (r *replaying) arguments(o *letterOptions) ([]pipeline.Role, error) {
	roles, err := o.roles()
	if err != nil {
		return nil, err
	}
	if r.replay.Rate < 0.001 || r.replay.Rate > 1e6 {
		return nil, fmt.Errorf("-rate %v is not a number of letters per second between 0.001 and 1000000", r.replay.Rate)
	}
	for _, text := range o.set.Args() {
		name, err := parseLetter(text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(roles, name.role) {
			return nil, fmt.Errorf("letter %s is not of role %s", name, o.role)
		}
		if r.named[name.role] == nil {
			r.named[name.role] = map[deadletter.Place]bool{}
		}
		r.named[name.role][name.place] = true
	}
	if o.set.NArg() > 0 {
		roles = slices.DeleteFunc(roles, func(role pipeline.Role) bool { return r.named[role] == nil })
	}
	return roles, o.times(time.Now())
}

// filterOf is what is asked for of one role.
func (r *replaying) filterOf(role pipeline.Role) deadletter.Filter {
	filter := r.filter
	filter.Places = r.named[role]
	return filter
}

// count prints the letters that are meant, and how many.
func (r *replaying) count(ctx context.Context, roles []pipeline.Role) (counts []deadletter.Count, total int, err error) {
	passedOver := 0
	for _, role := range roles {
		topics := lettersOf(r.cfg, role)
		counted, err := r.replay.Count(ctx, topics, r.filterOf(role), func(found deadletter.Found) {
			if total++; total == 1 {
				say(r.call.stdout, "%s", letterHead)
			}
			say(r.call.stdout, "%s", letterLine(role, found))
		})
		if err != nil {
			return nil, 0, err
		}
		counts = append(counts, counted)
		passedOver += counted.PassedOver
		if n := len(counted.Places); n > 0 {
			say(r.call.stdout, "to %s: %d\n", topics.Redrive, n)
		}
	}
	say(r.call.stdout, "letters to send: %d; passed over, since they were sent before: %d\n", total, passedOver)
	return counts, total, nil
}

func (r *replaying) send(ctx context.Context, roles []pipeline.Role, counts []deadletter.Count, total int) int {
	producer := kafka.NewProducer(r.replay.Cluster, kafka.ProducerConfig{})
	r.replay.Producer = producer
	var err error
	for i, role := range roles {
		err = r.replay.Run(ctx, lettersOf(r.cfg, role), r.filterOf(role), counts[i], func(found deadletter.Found) {
			r.sent++
			r.last = letterName{role, found.Place}.String()
		})
		if err != nil {
			break
		}
	}
	err = errors.Join(err, producer.Close())
	say(r.call.stdout, "sent: %d of %d\n", r.sent, total)
	if err == nil {
		return exitOK
	}
	return r.stopped(err)
}

// stopped says where to go on.
func (r *replaying) stopped(err error) int {
	if r.sent > 0 {
		say(r.call.stdout, "sent last: %s\n", r.last)
	}
	next := "the same call goes on with the next one: what was sent is passed over"
	if r.replay.Again {
		next = "the same call begins anew, since -again passes over nothing: name the letters behind the last one, in the order above"
	}
	say(r.call.stdout, "%s\n", next)
	if errors.Is(err, context.Canceled) {
		say(r.call.stderr, "rechargeflow %s: stopped\n", r.call.command.name)
		return exitFailed
	}
	return failed(r.call, r.cfg, err)
}
