package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/repair"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// repairCommand sends webhooks of a mistyped topic again.
func (c *commands) repairCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "repair",
		Short: "Send webhooks of a mistyped topic again, under the right one",
		Long: `Count the webhooks that came under a topic that Recharge does not have, because an address was mistyped, and send each again under the
topic that was meant. They keep their time of receipt. The gateway stores such webhooks, and the transformer skips them as topic_unknown.
Correct the address first: rechargeflow setup does it. What was sent before is skipped, so the command can be repeated.`,
		Example: `  rechargeflow webhooks repair --from subscription/creatd --to subscription/created --dry-run
  rechargeflow webhooks repair --from subscription/creatd --to subscription/created`,
		Args: cli.NoArguments,
	}
	s := c.AddSettings(command)
	var from, to, since string
	r := repair.Repair{Now: time.Now}
	command.Flags().StringVar(&from, "from", "", "mistyped `topic`, such as subscription/creatd")
	command.Flags().StringVar(&to, "to", "", "`topic` that was meant, such as subscription/created")
	command.Flags().StringVar(&r.Store, "store", "", "only webhooks of this `store`")
	command.Flags().StringVar(&since, "since", "", "only webhooks of this `time` or later: "+cli.TimeForms)
	command.Flags().Float64Var(&r.Rate, "rate", 50, "webhooks per second")
	dryRun := command.Flags().Bool("dry-run", false, "count what would be sent and send nothing")
	cli.Complete(command, "store", cli.CompleteStores(s))
	command.RunE = func(command *cobra.Command, _ []string) error {
		r.From, r.To = recharge.Topic(from), recharge.Topic(to)
		if err := checkRepair(r); err != nil {
			return cli.Usage(err)
		}
		var err error
		if r.Since, err = cli.ParseTime("since", since, time.Now()); err != nil {
			return cli.Usage(err)
		}
		loaded, err := s.Load()
		if err != nil {
			return err
		}
		if r.Store != "" {
			if _, err := cli.PickStore(loaded.Config.Stores, r.Store); err != nil {
				return cli.Usage(err)
			}
		}
		r.Topic = topology.Topics{Prefix: loaded.Config.Kafka.TopicPrefix}.Webhooks()
		if r.Cluster, err = cli.ClusterOf(loaded.Config); err != nil {
			return err
		}
		return repairs(command.Context(), command.OutOrStdout(), loaded.Config, r, *dryRun)
	}
	return command
}

// checkRepair requires that webhooks have had no effect, and will have one.
func checkRepair(r repair.Repair) error {
	switch {
	case r.From == "" || r.To == "":
		return errors.New("--from and --to are needed: the mistyped topic, and the one that was meant")
	case r.From.Known():
		return fmt.Errorf("--from is %s, which is a topic of Recharge: its webhooks had their effect, or have none", r.From)
	case !r.To.Known():
		return fmt.Errorf("--to is %q, expected a topic of Recharge such as subscription/created", r.To)
	case r.Rate < 0.001 || r.Rate > 1e6:
		return fmt.Errorf("--rate %v is not a number of webhooks per second between 0.001 and 1000000", r.Rate)
	}
	return nil
}

// repairs counts and, unless it is a dry run, sends.
func repairs(ctx context.Context, out io.Writer, cfg config.Config, r repair.Repair, dryRun bool) error {
	count, err := r.Count(ctx)
	if err != nil {
		return cli.Explained(cfg, err)
	}
	for _, store := range slices.Sorted(maps.Keys(count.Stores)) {
		cli.Printf(out, "store %s: %d\n", store, count.Stores[store])
	}
	for _, why := range slices.Sorted(maps.Keys(count.Unfit)) {
		cli.Printf(out, "can't be of %s, %s: %d\n", r.To, why, count.Unfit[why])
	}
	total := count.Total()
	cli.Printf(out, "webhooks of %s to send as %s: %d; skipped, sent before: %d\n", r.From, r.To, total, count.Sent)
	switch {
	case total == 0:
		return nil
	case dryRun:
		return cli.Drift(fmt.Errorf("nothing was sent: %d would be", total))
	}
	producer := kafka.NewProducer(r.Cluster, kafka.ProducerConfig{Partitions: app.PartitionCount(cfg.Kafka)})
	r.Producer = producer
	sent := 0
	err = errors.Join(r.Run(ctx, count, func() { sent++ }), producer.Close())
	cli.Printf(out, "sent: %d of %d\n", sent, total)
	if err != nil {
		cli.Printf(out, "the same call continues with the next one: what was sent is skipped\n")
	}
	if errors.Is(err, context.Canceled) {
		return errors.New("stopped")
	}
	return cli.Explained(cfg, err)
}
