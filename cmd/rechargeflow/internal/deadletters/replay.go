package deadletters

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// deadLetterReplay counts the selected dead letters and, with --yes, sends them to their roles again.
func (c *commands) deadLetterReplay() *cobra.Command {
	command := &cobra.Command{
		Use:   "replay [role/partition/offset...]",
		Short: "Count dead letters and, with --yes, send them to their roles again",
		Long: `Count the selected dead letters and, with --yes, send them to their roles again. Letters that were sent before are
skipped, unless --again is given. Without --yes nothing is sent.`,
		Example: `  rechargeflow deadletter replay --role tracking --reason refused
  rechargeflow deadletter replay --yes tracking/3/17 tracking/3/18`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := c.addFilter(command)
	r := &replay{named: map[topology.Role]map[deadletter.Position]bool{}}
	yes := command.Flags().Bool("yes", false, "send the letters; without it they are only printed and counted")
	command.Flags().BoolVar(&r.Again, "again", false, "include letters that were sent before")
	command.Flags().Float64Var(&r.Rate, "rate", 50, "dead letters per second")
	command.RunE = func(command *cobra.Command, args []string) error {
		roles, err := r.arguments(f, args)
		if err != nil {
			return cli.Usage(err)
		}
		loaded, err := f.Load()
		if err != nil {
			return err
		}
		r.out, r.cfg, r.filter = command.OutOrStdout(), loaded.Config, f.filter
		if r.Cluster, err = cli.ClusterOf(loaded.Config); err != nil {
			return err
		}
		return r.run(command.Context(), roles, *yes)
	}
	return command
}

// replay is one call of `deadletter replay`.
type replay struct {
	deadletter.Replay

	out    io.Writer
	cfg    config.Config
	filter deadletter.Filter
	named  map[topology.Role]map[deadletter.Position]bool // by arguments; empty: all
	last   string                                         // name of the dead letter sent last
	sent   int
}

// arguments checks the flags and names, and returns the roles of the selected dead letters.
func (r *replay) arguments(f *letterFilter, args []string) ([]topology.Role, error) {
	roles, err := f.roles()
	if err != nil {
		return nil, err
	}
	if r.Rate < 0.001 || r.Rate > 1e6 {
		return nil, fmt.Errorf("--rate %v is not a number of dead letters per second between 0.001 and 1000000", r.Rate)
	}
	for _, text := range args {
		name, err := parseLetter(text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(roles, name.role) {
			return nil, fmt.Errorf("dead letter %s is not of role %s", name, f.role)
		}
		if r.named[name.role] == nil {
			r.named[name.role] = map[deadletter.Position]bool{}
		}
		r.named[name.role][name.position] = true
	}
	if len(args) > 0 {
		roles = slices.DeleteFunc(roles, func(role topology.Role) bool { return r.named[role] == nil })
	}
	return roles, f.times(time.Now())
}

func (r *replay) run(ctx context.Context, roles []topology.Role, yes bool) error {
	counts, total, err := r.count(ctx, roles)
	switch {
	case err != nil:
		return cli.Explained(r.cfg, err)
	case total == 0:
		return nil
	case !yes:
		cli.Printf(r.out, "nothing was sent: this was a preview; the same call with --yes sends them\n")
		return nil
	}
	return r.send(ctx, roles, counts, total)
}

// filterOf is the filter for one role.
func (r *replay) filterOf(role topology.Role) deadletter.Filter {
	filter := r.filter
	filter.Positions = r.named[role]
	return filter
}

// count prints the selected dead letters, and how many there are.
func (r *replay) count(ctx context.Context, roles []topology.Role) (counts []deadletter.Count, total int, err error) {
	skipped := 0
	for _, role := range roles {
		topics := lettersOf(r.cfg, role)
		counted, err := r.Count(ctx, topics, r.filterOf(role), func(found deadletter.Found) {
			if total++; total == 1 {
				cli.Printf(r.out, "%s", letterHead)
			}
			cli.Printf(r.out, "%s", letterLine(role, found))
		})
		if err != nil {
			return nil, 0, err
		}
		counts = append(counts, counted)
		skipped += counted.Skipped
		if n := len(counted.Positions); n > 0 {
			cli.Printf(r.out, "to %s: %d\n", topics.Redrive, n)
		}
	}
	cli.Printf(r.out, "dead letters to send: %d; skipped, sent before: %d\n", total, skipped)
	return counts, total, nil
}

func (r *replay) send(ctx context.Context, roles []topology.Role, counts []deadletter.Count, total int) error {
	producer := kafka.NewProducer(r.Cluster, kafka.ProducerConfig{})
	r.Producer = producer
	var err error
	for i, role := range roles {
		err = r.Run(ctx, lettersOf(r.cfg, role), r.filterOf(role), counts[i], func(found deadletter.Found) {
			r.sent++
			r.last = letterName{role, found.Position}.String()
		})
		if err != nil {
			break
		}
	}
	err = errors.Join(err, producer.Close())
	cli.Printf(r.out, "sent: %d of %d\n", r.sent, total)
	if err == nil {
		return nil
	}
	return r.stopped(err)
}

// stopped prints how to continue.
func (r *replay) stopped(err error) error {
	if r.sent > 0 {
		cli.Printf(r.out, "sent last: %s\n", r.last)
	}
	if r.Again {
		cli.Printf(r.out, "the same call starts over, because of --again: name the dead letters after the last one, in the order above\n")
	} else {
		cli.Printf(r.out, "the same call continues with the next one: what was sent is skipped\n")
	}
	if errors.Is(err, context.Canceled) {
		return errors.New("stopped")
	}
	return cli.Explained(r.cfg, err)
}
