package importing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/backfill"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Backfill returns rechargeflow backfill.
func Backfill(c *cli.CLI) *cobra.Command {
	command := &cobra.Command{
		Use:   "backfill",
		Short: "Read from Recharge what changed while webhooks were lost",
		Long: `Read the customers, subscriptions and charges of a store that changed since a time through Recharge's API, and publish them to
recharge.webhooks for the transformer, as webhooks would have brought them. What webhooks brought has no effect again.

Tables and customer properties are right afterwards. With --emit-events, facts that have a time of their own follow, if it is not before
--since: subscriptions created, canceled and expired, charges created, paid, failed and refunded, changed customers. Nobody is texted. The command prints at its end what
can't be brought back, and how much of it as far as that can be known.

A backfill that is interrupted continues when the same command runs again.`,
		Example: `  rechargeflow backfill --store acme --since 3d --emit-events --dry-run
  rechargeflow backfill --store acme --since 2026-03-01T10:00:00Z --until 2026-03-02 --resource charges`,
		Args: cli.NoArguments,
	}
	b := &backfillRun{job: addJob(c, command, "backfill")}
	flags := command.Flags()
	flags.StringVar(&b.since, "since", "", "`time` of the first change: "+cli.TimeForms)
	flags.StringVar(&b.until, "until", "", "`time` of the last change; default now")
	flags.StringSliceVar(&b.Resources, "resource", backfill.Resources(), "`resources` to read: "+strings.Join(backfill.Resources(), ", "))
	flags.BoolVar(&b.Events, "emit-events", false, "also publish the facts that have a time of their own")
	flags.BoolVar(&b.dryRun, "dry-run", false, "count, and publish nothing")
	command.RunE = func(command *cobra.Command, _ []string) error {
		if err := b.load(); err != nil {
			return err
		}
		if err := b.arguments(b.now()); err != nil {
			return cli.Usage(err)
		}
		return b.run(command)
	}
	return command
}

type backfillRun struct {
	*job
	backfill.Backfill

	since, until string
	dryRun       bool
}

func (b *backfillRun) arguments(now time.Time) (err error) {
	if b.since == "" {
		return errors.New("--since is missing: the time of the first change, " + cli.TimeForms)
	}
	if b.Since, err = cli.ParseTime("since", b.since, now); err != nil {
		return err
	}
	if b.Until, err = cli.ParseTime("until", b.until, now); err != nil {
		return err
	}
	b.Period = strings.TrimSpace(b.since + " " + b.until)
	if !b.Until.IsZero() && !b.Until.After(b.Since) {
		return errors.New("--until is not after --since")
	}
	if b.Events && b.Since.Before(now.AddDate(0, -13, 0)) {
		return errors.New("--emit-events needs a --since within the last 13 months: it is not known what was published before")
	}
	return b.resources()
}

func (b *backfillRun) resources() error {
	if len(b.Resources) == 0 {
		return errors.New("--resource is empty, expected " + strings.Join(backfill.Resources(), ", "))
	}
	for _, name := range b.Resources {
		if !slices.Contains(backfill.Resources(), name) {
			return fmt.Errorf("--resource %q is unknown, expected %s", name, strings.Join(backfill.Resources(), ", "))
		}
	}
	return nil
}

func (b *backfillRun) run(command *cobra.Command) error {
	if b.dryRun {
		dir, err := aside()
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }() // in the directory of temporary files
		b.dir = dir
	}
	if err := b.open(command); err != nil {
		return err
	}
	b.Config = b.config
	if err := b.continues(command.ErrOrStderr(), b.now()); err != nil {
		return errors.Join(err, b.config.Dir.Close(), b.producer.Close())
	}
	if b.dryRun {
		b.Produce = func(context.Context, ...kafka.Record) error { return nil }
	}
	p, err := b.Run(command.Context())
	if err := b.close(err); err != nil {
		return err
	}
	out := command.OutOrStdout()
	sums(out, p)
	if b.dryRun {
		cli.Printf(out, "nothing was published: this was a dry run\n")
	}
	return losses(out, p.Losses(b.Resources))
}

// continues says which run is continued. One with a relative time is not continued after a day: it would be for another time than is meant.
func (b *backfillRun) continues(out io.Writer, now time.Time) error {
	p, err := b.config.Dir.Progress()
	if err != nil || p.Run == "" {
		return err
	}
	cli.Printf(out, "continuing the run that began at %s, with changes since %s\n", p.StartedAt.Format(time.RFC3339), p.Since.Format(time.RFC3339))
	if age := strings.ContainsAny(b.since, "hmsd"); age && now.Sub(p.StartedAt) > 24*time.Hour {
		return cli.Usage(errors.New("--since is an age, and the interrupted run in the directory began more than a day ago: begin again with --restart"))
	}
	return nil
}
