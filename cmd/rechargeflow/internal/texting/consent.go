package texting

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

func (c *commands) consentCommand() *cobra.Command {
	return cli.Group("consent", "Show and change which numbers may be texted",
		`Show and change which numbers a store may text. Of all that is known about a number the newest holds: a reply such as
STOP, a report of the SMS gateway, a list, or a command. docs/consent.md explains it.`,
		c.consentShow(),
		c.consentChange(consent.OptedOut, &cobra.Command{
			Use: "opt-out number...", Short: "Record that numbers must not be texted",
			Example: `  rechargeflow consent opt-out --store acme --note "asked by phone" +14155552671`,
		}),
		c.consentChange(consent.OptedIn, &cobra.Command{
			Use: "opt-in number...", Short: "Record that numbers may be texted",
			Example: `  rechargeflow consent opt-in --store acme --note "form of 2026-05-04" +14155552671`,
		}),
		c.consentImport(), c.consentExport())
}

// consentTable is the consent of one store, for one call of a command.
type consentTable struct {
	settings *cli.Settings
	name     string // of --store

	cfg     config.Config
	store   string
	topic   string
	cluster kafka.Cluster
}

// addConsent gives a command the flags --config and --store.
func (c *commands) addConsent(command *cobra.Command) *consentTable {
	t := &consentTable{settings: c.AddSettings(command)}
	command.Flags().StringVar(&t.name, "store", "", "name of the `store`; needed if there are several")
	cli.Complete(command, "store", cli.CompleteStores(t.settings))
	return t
}

// open reads the configuration.
func (t *consentTable) open() error {
	loaded, err := t.settings.Load()
	if err != nil {
		return err
	}
	store, err := cli.PickStore(loaded.Config.Stores, t.name)
	if err != nil {
		return cli.Usage(err)
	}
	t.cfg, t.store, t.topic = loaded.Config, store.Name, topology.Topics{Prefix: loaded.Config.Kafka.TopicPrefix}.Consent()
	t.cluster, err = cli.ClusterOf(loaded.Config)
	return err
}

// rows returns all changes.
func (t *consentTable) rows(ctx context.Context) (*consent.Rows, error) {
	rows, err := consent.Topic(t.topic).Read(ctx, t.cluster)
	if err != nil {
		return nil, cli.Explained(t.cfg, err)
	}
	return rows, rows.Unreadable()
}

// write publishes changes and returns how many of them brokers have certainly.
func (t *consentTable) write(ctx context.Context, changes []consent.Change) (written int, err error) {
	producer := kafka.NewProducer(t.cluster, kafka.ProducerConfig{Partitions: app.PartitionCount(t.cfg.Kafka)})
	defer func() { err = errors.Join(err, producer.Close()) }()
	written, err = consent.Publish(ctx, producer.Produce, t.topic, time.Now(), changes)
	return written, cli.Explained(t.cfg, err)
}

// canonicalNumbers returns numbers in E.164.
func canonicalNumbers(args []string) (numbers []string, err error) {
	for _, arg := range args {
		number, err := sms.Canonical(arg)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number with its country code, such as +14155552671", arg)
		}
		numbers = append(numbers, number)
	}
	return numbers, nil
}

func (c *commands) consentShow() *cobra.Command {
	command := &cobra.Command{
		Use:   "show [number]",
		Short: "Print what is known about a number, or how many numbers have opted in and out",
		Long: `Print what is known about a number, newest first: the first line holds. Without a number print how many numbers have
opted in and out. Numbers are masked.`,
		Example: `  rechargeflow consent show --store acme +14155552671`,
		Args:    cli.Counted(cobra.MaximumNArgs(1)), ValidArgsFunction: cobra.NoFileCompletions,
	}
	t := c.addConsent(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		numbers, err := canonicalNumbers(args)
		if err != nil {
			return cli.Usage(err)
		}
		if err := t.open(); err != nil {
			return err
		}
		rows, err := t.rows(command.Context())
		if err != nil {
			return err
		}
		out := command.OutOrStdout()
		if len(numbers) == 0 {
			counts := map[consent.Status]int{}
			for _, change := range consent.Newest(rows.Prefix(t.store + "/")) {
				counts[change.Status]++
			}
			cli.Printf(out, "store %s: opted in: %d, opted out: %d\n", t.store, counts[consent.OptedIn], counts[consent.OptedOut])
			return nil
		}
		history := consent.History(rows, t.store, numbers[0])
		for _, change := range history {
			cli.Printf(out, "%s  %-9s  %-24s  %s\n", sms.Mask(change.Number), change.Status, change.At.Format(time.RFC3339), cli.Printable(change.Origin()))
		}
		if len(history) == 0 {
			cli.Printf(out, "store %s knows nothing about %s\n", t.store, sms.Mask(numbers[0]))
		}
		return nil
	}
	return command
}

// consentChange completes a command that records a status of numbers.
func (c *commands) consentChange(status consent.Status, command *cobra.Command) *cobra.Command {
	command.Args, command.ValidArgsFunction = cli.Counted(cobra.MinimumNArgs(1)), cobra.NoFileCompletions
	command.Long = command.Short + ", from now on. A number that has this status already is left as it is."
	t := c.addConsent(command)
	note := command.Flags().String("note", "", "`text` that is kept with it: who asked, or why")
	command.RunE = func(command *cobra.Command, args []string) error {
		numbers, err := canonicalNumbers(args)
		if err != nil {
			return cli.Usage(err)
		}
		if err := t.open(); err != nil {
			return err
		}
		rows, err := t.rows(command.Context())
		if err != nil {
			return err
		}
		var changes []consent.Change
		for _, number := range numbers {
			change, needed, err := consent.Decide(rows, consent.Change{
				Store: t.store, Number: number, Status: status, At: time.Now(), By: consent.ByOperator, Detail: *note,
			})
			if err != nil {
				return cli.Usage(err)
			}
			if !needed {
				cli.Printf(command.OutOrStdout(), "%s %s already\n", sms.Mask(number), status)
				continue
			}
			changes = append(changes, change)
		}
		written, err := t.write(command.Context(), changes)
		for _, change := range changes[:written] {
			cli.Printf(command.OutOrStdout(), "%s %s\n", sms.Mask(change.Number), status)
		}
		return err
	}
	return command
}
