package segments

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/membership"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// pushFlags are the flags of push.
type pushFlags struct {
	*storeFlags

	dryRun bool
	every  time.Duration
}

// shortest is the shortest time between two pushes: each reads all texts.
const shortest = time.Minute

func (c *commands) push() *cobra.Command {
	command := &cobra.Command{
		Use:   "push [segment]...",
		Short: "Set a property per segment at the customers' profiles in Bloomreach",
		Long: `Set the customer property recharge_segment_{name} in Bloomreach: true for those who became members of a segment, false for those who are
none any more. Without names all segments are pushed, and the properties of deleted ones set to false.

Only differences to the last push are sent. The topic recharge.segment-members has what was sent to Bloomreach. A push that fails is continued by the next
one. Members come and go with time alone: repeat it, or keep it running with --every, in one process for each store.
With --dry-run nothing is sent, and the exit code is 3 if something would.`,
		Example: `  rechargeflow segments push --store acme --dry-run
  rechargeflow segments push --store acme --every 15m`,
	}
	f := pushFlags{storeFlags: c.addStore(command)}
	command.Flags().BoolVar(&f.dryRun, "dry-run", false, "print what would be sent and send nothing")
	command.Flags().DurationVar(&f.every, "every", 0, "keep running, and push again after this `time`, such as 15m")
	command.MarkFlagsMutuallyExclusive("dry-run", "every")
	command.RunE = func(command *cobra.Command, args []string) error {
		if f.every != 0 && f.every < shortest {
			return cli.Usage(fmt.Errorf("--every is %s, expected %s or more", f.every, shortest))
		}
		s, err := f.open(command, app.PushRole)
		if err != nil {
			return err
		}
		if !s.sends {
			return cli.Usage(app.ErrNoDestination)
		}
		return f.run(command, s, args)
	}
	return command
}

// run pushes once, or again and again until the command is interrupted.
func (f *pushFlags) run(command *cobra.Command, s shop, names []string) error {
	if f.every == 0 {
		return f.once(command, s, names)
	}
	for {
		if err := f.once(command, s, names); err != nil && command.Context().Err() == nil {
			cli.Printf(command.ErrOrStderr(), "%s  push failed, again in %s: %v\n", stamp(), f.every, err)
		}
		if sleep(command.Context(), f.every) != nil {
			return nil
		}
	}
}

func stamp() string { return time.Now().UTC().Format(time.RFC3339) }

// sleep waits, or returns the error of the context.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// once pushes what has changed, and prints it.
func (f *pushFlags) once(command *cobra.Command, s shop, names []string) error {
	push := s.Push
	if f.dryRun {
		push = s.PlannedPush
	}
	done, err := push(command.Context(), s.name, names)
	f.print(command, s, done, err)
	switch {
	case err != nil:
		return s.explained(err)
	case f.dryRun && !done.IsEmpty():
		return cli.Drift(errors.New("segments differ from what was last sent to Bloomreach"))
	case done.Rejected > 0:
		return fmt.Errorf("customers rejected by Bloomreach: %d; the next push tries them again", done.Rejected)
	}
	return nil
}

// print prints what was pushed. While the command keeps running, a push that changes nothing prints nothing.
func (f *pushFlags) print(command *cobra.Command, s shop, done membership.Pushed, err error) {
	out, prefix := command.OutOrStdout(), ""
	if f.every > 0 {
		prefix = stamp() + "  "
	}
	if err == nil && done.IsEmpty() && f.every == 0 {
		cli.Printf(out, "nothing changed since the last push\n")
	}
	names := maps.Clone(done.Added)
	maps.Copy(names, done.Removed)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		cli.Printf(out, "%s%s of store %s: %d added, %d removed\n", prefix, membership.Property(name), s.name, done.Added[name], done.Removed[name])
	}
	mask := timeline.NewMasker(false)
	for _, each := range done.Errors {
		cli.Printf(command.ErrOrStderr(), "%srejected: %s\n", prefix, cli.Printable(mask.Text(each)))
	}
}
