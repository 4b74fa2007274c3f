package main

import (
	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// addressesCommand prints the addresses of a store's webhooks. Their tokens are secrets, so they go to standard output alone.
func (c *commands) addressesCommand() *cobra.Command {
	var store, base string
	command := &cobra.Command{
		Use:   "addresses",
		Short: "Print the addresses to register at Recharge, with their tokens",
		Long: `Print a line for each topic that produces output: the topic, a tab, and the address to register at Recharge.

The last part of an address is its token. It is made from the first of the store's recharge.secrets, and proves that a
webhook was sent for this store and topic. Keep it secret. Register addresses again before you remove the secret.`,
		Example: `  rechargeflow webhooks addresses --store acme --base-url https://hooks.example.com`,
		Args:    cli.NoArguments,
	}
	s := c.AddSettings(command)
	command.Flags().StringVar(&store, "store", "", "name of the `store`; needed if there are several")
	command.Flags().StringVar(&base, "base-url", "", "`URL` at which Recharge reaches the gateway, without /webhooks")
	cli.Complete(command, "store", cli.CompleteStores(s))
	command.RunE = func(command *cobra.Command, _ []string) error {
		origin, err := cli.BaseURL("base-url", base)
		if err != nil {
			return cli.Usage(err)
		}
		loaded, err := s.Load(string(topology.RoleGateway))
		if err != nil {
			return err
		}
		named, err := cli.PickStore(loaded.Config.Stores, store)
		if err != nil {
			return cli.Usage(err)
		}
		for _, topic := range recharge.Topics() {
			if app.SwitchesOf(named).Uses(topic) && topic == topic.Current() {
				cli.Printf(command.OutOrStdout(), "%s\t%s\n", topic, origin+admission.Path(named.Name, topic, named.Recharge.Secrets[0].Reveal()))
			}
		}
		return nil
	}
	return command
}
