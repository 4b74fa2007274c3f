package inspect

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// customerFlags are the flags of `customer`.
type customerFlags struct {
	*cli.Settings

	store, since   string
	asJSON, reveal bool
}

func (c *commands) customer() *cobra.Command {
	command := &cobra.Command{
		Use:   "customer ID|E-MAIL",
		Short: "Print what happened to one customer",
		Long: `Print what happened to one customer, named by the Recharge customer ID or an e-mail: each webhook with its outcome, the events,
facts and rows that it became and where these went, texts and why one was not sent, dead letters. It reads the customer's partition of each
topic; an e-mail is first looked for in recharge.customers, then in recharge.events.

STATE of an event is sent if the store's tracking group has committed an offset above it and there is no dead letter: Bloomreach's
answers are not recorded. Nor is it recorded why a webhook has no output: a reason that is called likely is derived. Webhooks whose body
names no customer are shown if they became dead letters.
E-mails are masked, unless --reveal is given.`,
		Example: `  rechargeflow customer 246936001 --store acme --since 7d
  rechargeflow customer jo@example.com --json`,
		Args:              onlyCustomer,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := customerFlags{Settings: c.AddSettings(command)}
	flags := command.Flags()
	flags.StringVar(&f.store, "store", "", "name of the `store`; needed for an ID if there are several")
	flags.StringVar(&f.since, "since", "", "only what was written at this `time` or later: "+cli.TimeForms)
	flags.BoolVar(&f.asJSON, "json", false, "print JSON, one object")
	flags.BoolVar(&f.reveal, "reveal", false, "print e-mails; with --json also the values of all records: names, addresses, phone numbers")
	cli.Complete(command, "store", cli.CompleteStores(f.Settings))
	command.RunE = func(command *cobra.Command, args []string) error { return f.run(command, args[0]) }
	return command
}

// onlyCustomer refuses what is neither an ID nor an e-mail.
func onlyCustomer(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return cli.Usage(errors.New("name a customer: the Recharge customer ID or an e-mail"))
	case len(args) > 1:
		return cli.Usage(fmt.Errorf("unexpected argument %q", args[1]))
	case !strings.Contains(args[0], "@") && (args[0] == "" || strings.Trim(args[0], "0123456789") != ""):
		return cli.Usage(fmt.Errorf("%q is neither a Recharge customer ID, such as 246936001, nor an e-mail", args[0]))
	}
	return nil
}

func (f *customerFlags) run(command *cobra.Command, who string) error {
	since, err := cli.ParseTime("since", f.since, time.Now())
	if err != nil {
		return cli.Usage(err)
	}
	loaded, err := f.Load()
	if err != nil {
		return err
	}
	source, err := sourceOf(loaded.Config)
	if err != nil {
		return err
	}
	store, customer, err := f.find(command, loaded.Config, source, who)
	if err != nil {
		return err
	}
	records, err := source.Read(command.Context(), customer, since)
	if err != nil {
		return cli.Explained(loaded.Config, err)
	}
	shown, err := timeline.Assemble(records, timeline.Options{
		Topics: source.Topics, Settings: app.SettingsOf(store), Sinks: app.SinksOf(store), Reveal: f.reveal,
	})
	if err != nil {
		return err
	}
	if f.asJSON {
		return cli.PrintJSON(command.OutOrStdout(), shown)
	}
	return printTimeline(command.OutOrStdout(), shown)
}

// find returns the customer that an ID or e-mail names, and their store.
func (f *customerFlags) find(command *cobra.Command, cfg config.Config, source timeline.Source, who string) (config.Store, timeline.Customer, error) {
	if !strings.Contains(who, "@") {
		store, err := storeOf(cfg, f.store)
		return store, timeline.Customer{Store: store.Name, ID: who}, err
	}
	if f.store != "" || len(cfg.Stores) == 0 {
		if _, err := storeOf(cfg, f.store); err != nil {
			return config.Store{}, timeline.Customer{}, err
		}
	}
	found, err := source.Resolve(command.Context(), who, f.store)
	switch {
	case err != nil:
		return config.Store{}, timeline.Customer{}, cli.Explained(cfg, err)
	case len(found) == 0:
		return config.Store{}, timeline.Customer{}, errors.New("no customer with this e-mail is in recharge.customers or recharge.events; name the Recharge customer ID")
	case len(found) > 1:
		var keys []string
		for _, each := range found {
			keys = append(keys, each.Key())
		}
		return config.Store{}, timeline.Customer{}, fmt.Errorf("several customers have this e-mail: %s; name the ID, and --store", strings.Join(keys, ", "))
	}
	store, err := storeOf(cfg, found[0].Store)
	return store, found[0], err
}
