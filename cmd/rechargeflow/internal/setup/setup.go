package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/registration"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// flags are the flags of a call.
type flags struct {
	store, url              string
	dryRun, remove, refresh bool
}

// Command returns rechargeflow setup.
func Command(c *cli.CLI) *cobra.Command {
	command := &cobra.Command{
		Use:   "setup",
		Short: "Register a store's webhooks at Recharge",
		Long: `Check the scopes of a store's API token, and register a webhook at Recharge for each topic that produces output. The addresses have tokens
made from the first of recharge.secrets. To do it again changes nothing.

A webhook to the same URL and store that is not as it should be is changed, for example after a new secret; a second one of the same
topic is deleted. Webhooks to other hosts or paths are printed and never changed. With --dry-run nothing is changed, and the exit code is
3 if something would be.

Recharge does not say which API version the bodies of a webhook have. Webhooks that were registered by hand may have another than
2021-11: --refresh sets it for all.`,
		Example: `  rechargeflow setup --store acme --url https://hooks.example.com --dry-run
  rechargeflow setup --store acme --url https://hooks.example.com`,
		Args: cli.NoArguments,
	}
	s := c.AddSettings(command)
	var f flags
	command.Flags().StringVar(&f.store, "store", "", "name of the `store`; needed if there are several")
	command.Flags().StringVar(&f.url, "url", "", "`URL` at which Recharge reaches the gateway, without /webhooks; default recharge.webhook_url")
	command.Flags().BoolVar(&f.dryRun, "dry-run", false, "print what would be changed and change nothing")
	command.Flags().BoolVar(&f.remove, "remove", false, "delete the store's webhooks to this URL")
	command.Flags().BoolVar(&f.refresh, "refresh", false, "also change webhooks that are ok, to set their API version")
	cli.Complete(command, "store", cli.CompleteStores(s))
	command.RunE = func(command *cobra.Command, _ []string) error {
		if f.remove && f.refresh {
			return cli.Usage(errors.New("--remove and --refresh exclude each other"))
		}
		loaded, err := s.Load(string(topology.RoleGateway), string(topology.RoleTransformer))
		if err != nil {
			return err
		}
		named, err := cli.PickStore(loaded.Config.Stores, f.store)
		if err != nil {
			return cli.Usage(err)
		}
		f.url, err = cli.BaseURL("url", cmp.Or(f.url, named.Recharge.WebhookURL))
		if err != nil {
			return cli.Usage(err)
		}
		client, err := newClient(named, command.ErrOrStderr())
		if err != nil {
			return err
		}
		r := run{flags: f, client: client, store: app.Registrations(named, f.url), out: command.OutOrStdout()}
		return cli.Advised(r.do(command.Context()))
	}
	return command
}

// newClient returns the client of a store's API, which tells on errors what it repeats.
func newClient(store config.Store, progress io.Writer) (*recharge.Client, error) {
	if store.Recharge.Token == "" {
		return nil, cli.Setting(fmt.Errorf("stores[%s].recharge.token: missing. Create an API token %s, with read access to Customers, Orders and Subscriptions", store.Name, recharge.ScopesPlace))
	}
	client, err := recharge.NewClient(recharge.ClientConfig{
		BaseURL: store.Recharge.APIURL, Token: store.Recharge.Token.Reveal(), Observe: repeats(progress),
	})
	if err != nil {
		return nil, cli.Setting(err)
	}
	return client, nil
}

// run is one call of the command.
type run struct {
	flags

	client *recharge.Client
	store  registration.Store
	out    io.Writer
}

func (r run) do(ctx context.Context) error {
	if !r.remove {
		if err := r.checkScopes(ctx); err != nil {
			return err
		}
	}
	found, err := r.client.Webhooks(ctx)
	if err != nil {
		return fmt.Errorf("list webhooks: %w", err)
	}
	rows, decide := registration.Plan(r.store, found), r.decide()
	if r.dryRun {
		return r.plan(rows, decide)
	}
	return r.apply(ctx, rows, decide)
}

func (r run) decide() func(registration.Row) registration.Action {
	switch {
	case r.remove:
		return registration.Remove
	case r.refresh:
		return registration.Refresh
	}
	return registration.Keep
}

// checkScopes prints the scopes that the token lacks, and fails if there are any.
func (r run) checkScopes(ctx context.Context) error {
	token, err := r.client.TokenInformation(ctx)
	if err != nil {
		return fmt.Errorf("read token information: %w", err)
	}
	if token.Scopes == nil {
		cli.Printf(r.out, "Recharge does not show the scopes of the token: continuing without checking them\n")
		return nil
	}
	needed := registration.Scopes(r.store)
	missing := registration.Missing(needed, token.Scopes)
	for _, scope := range missing {
		cli.Printf(r.out, "scope %s is missing: give the token %q read access to %s %s\n", scope, cli.Printable(token.Name), nameOf(scope), recharge.ScopesPlace)
	}
	if len(missing) > 0 {
		return fmt.Errorf("the token lacks %s, nothing was changed", counted(len(missing), "scope"))
	}
	cli.Printf(r.out, "token %q has the scopes that are needed\n", cli.Printable(token.Name))
	return nil
}

// plan prints what would be changed.
func (r run) plan(rows []registration.Row, decide func(registration.Row) registration.Action) error {
	t, changes := newTable(r.out, r.store), 0
	for _, row := range rows {
		action := decide(row)
		if action != registration.ActionNone {
			changes++
		}
		t.planned(row, action)
	}
	t.end()
	if changes > 0 {
		return cli.Drift(fmt.Errorf("webhooks of store %s differ: %d would be changed", r.store.Name, changes))
	}
	cli.Printf(r.out, "nothing would change\n")
	return nil
}

// apply changes what is to be changed, and prints what was done.
func (r run) apply(ctx context.Context, rows []registration.Row, decide func(registration.Row) registration.Action) error {
	t := newTable(r.out, r.store)
	var first error
	changed, failed := 0, 0
	for _, result := range registration.Apply(ctx, r.client, rows, decide) {
		t.done(result)
		switch {
		case result.Err != nil:
			failed++
			first = cmp.Or(first, result.Err)
		case result.Action != registration.ActionNone:
			changed++
		}
	}
	t.end()
	switch {
	case failed > 0:
		return fmt.Errorf("%s failed, run it again: %w", counted(failed, "change"), first)
	case changed == 0:
		cli.Printf(r.out, "nothing changed\n")
	}
	if !r.remove {
		cli.Printf(r.out, "next: start \"rechargeflow run\" if it does not run, then \"rechargeflow import --store %s\" for the customers who subscribed before\n", r.store.Name)
	}
	return nil
}
