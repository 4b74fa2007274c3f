package importing

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/backfill"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

// Import returns rechargeflow import.
func Import(c *cli.CLI) *cobra.Command {
	command := &cobra.Command{
		Use:   "import",
		Short: "Read all customers, subscriptions and recent charges of a store from Recharge",
		Long: `Read all customers and subscriptions of a store through Recharge's API, and its charges of 60 days before and after today. They are
published to recharge.webhooks for the transformer. Afterwards the tables and the customer properties in Bloomreach are complete. Nothing
else is tracked, and nobody is texted. Register the webhooks first (rechargeflow setup), so that nothing is missed in between.

At the usual 2 calls a second, 100,000 customers with a subscription and two charges each take about half an hour: Recharge has no totals
from which to tell exactly. An import that is interrupted continues when the same command runs again.

With --events, facts of the last 60 days that have a time of their own are tracked, too: subscriptions created, canceled and expired, charges
created, paid, failed and refunded.

With --reconcile, customers whom Recharge does not know any more are removed, and charges that it has deleted. Any import removes subscriptions that have vanished from their
customers, and moves those that belong to another one.`,
		Example: `  rechargeflow import --store acme
  rechargeflow import --store acme --status`,
		Args: cli.NoArguments,
	}
	j := addJob(c, command, "import")
	i := &importRun{job: j}
	flags := command.Flags()
	flags.BoolVar(&i.Events, "events", false, "also track facts of the last 60 days")
	flags.BoolVar(&i.reconcile, "reconcile", false, "remove customers whom Recharge does not know any more, and deleted charges")
	flags.BoolVar(&i.AnyVanished, "many-vanished", false, "allow --reconcile to remove more than a twentieth of the customers")
	flags.BoolVar(&i.status, "status", false, "print the last import, and read nothing")
	flags.StringVar(&i.by, "by", cmp.Or(cli.Variable(c.Environ, "USER"), "unknown"), "`who` imports, for the history")
	command.RunE = func(command *cobra.Command, _ []string) error {
		if i.AnyVanished && !i.reconcile {
			return cli.Usage(errors.New("--many-vanished needs --reconcile"))
		}
		if i.status {
			return i.printStatus(command)
		}
		return i.run(command)
	}
	return command
}

type importRun struct {
	*job
	backfill.Import

	reconcile, status bool
	by                string
}

func (i *importRun) run(command *cobra.Command) error {
	if err := i.load(); err != nil {
		return err
	}
	if err := i.open(command); err != nil {
		return err
	}
	i.Config = i.config
	if i.reconcile {
		i.Known, i.Open = i.known, i.openCharges
	}
	out := command.OutOrStdout()
	p, err := i.Run(command.Context())
	if err == nil {
		err = settings.New(i.cfg.Kafka.TopicPrefix).Imported(command.Context(), i.cluster, settings.Import{
			Store: i.store.Name, At: i.now().UTC(), By: i.by, CompleteSince: p.StartedAt,
			Customers: p.Customers, Subscriptions: p.Subscriptions, Charges: p.Charges, Unreadable: p.Unreadable, Vanished: p.Vanished,
		})
	}
	if errors.Is(err, backfill.ErrVanished) {
		err = fmt.Errorf("%w: check that recharge.token is of this shop, then allow it with --many-vanished", err)
	}
	if err := i.close(err); err != nil {
		return err
	}
	sums(out, p)
	if i.reconcile {
		cli.Printf(out, "customers removed: %d\ncharges removed: %d\n", p.Vanished, p.Deleted)
	}
	if p.Incomplete {
		cli.Printf(out, "a subscription that can't be decoded names no customer: recharge_subscription_active of customers without an active subscription is not changed\n")
	}
	cli.Printf(out, "the tables of store %s are complete since %s, once the transformer has read what was published: see rechargeflow lag\n", i.store.Name, p.StartedAt.Format(time.RFC3339))
	return nil
}

func (i *importRun) printStatus(command *cobra.Command) error {
	loaded, err := i.Load()
	if err != nil {
		return err
	}
	named, err := cli.PickStore(loaded.Config.Stores, i.storeName)
	if err != nil {
		return cli.Usage(err)
	}
	cluster, err := cli.ClusterOf(loaded.Config)
	if err != nil {
		return err
	}
	rows, err := settings.New(loaded.Config.Kafka.TopicPrefix).Read(command.Context(), cluster)
	if err != nil {
		return cli.Explained(loaded.Config, err)
	}
	last := settings.ImportOf(rows, named.Name)
	if last.Version == 0 {
		cli.Printf(command.OutOrStdout(), "store %s was never imported: its tables have only what webhooks and lookups brought\n", named.Name)
		return nil
	}
	cli.Printf(command.OutOrStdout(), "store %s is complete since %s: import %d, ended %s, by %s\n", named.Name, last.CompleteSince.Format(time.RFC3339), last.Version, last.At.Format(time.RFC3339), last.By)
	cli.Printf(command.OutOrStdout(), "customers: %d\nsubscriptions: %d\ncharges: %d\nleft out: %d\ncustomers removed: %d\n", last.Customers, last.Subscriptions, last.Charges, last.Unreadable, last.Vanished)
	return nil
}
