package main

import (
	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

func (c *cli) webhooksCommand() *cobra.Command {
	return group("webhooks", "Print the webhooks to register, or document them",
		"Print the addresses of the webhooks to register at Recharge, or document what Rechargeflow does with each of its webhooks.",
		c.addressesCommand(),
		&cobra.Command{
			Use:     "docs",
			Short:   "Write what each of Recharge's topics produces, docs/webhooks.md",
			Long:    "Write what each of Recharge's topics produces, as Markdown. make docs writes docs/webhooks.md with it.",
			Example: "  rechargeflow webhooks docs > docs/webhooks.md",
			Args:    noArguments,
			RunE:    printPage(subscriber.WebhooksPage),
		})
}

func flowsDocs() *cobra.Command {
	return &cobra.Command{
		Use:     "docs",
		Short:   "Write the rules of all flows, docs/flows.md",
		Long:    "Write the rules of all flows, as Markdown. make docs writes docs/flows.md with it.",
		Example: "  rechargeflow flows docs > docs/flows.md",
		Args:    noArguments,
		RunE:    printPage(subscriber.FlowsPage),
	}
}

func printPage(write func() (string, error)) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, _ []string) error {
		page, err := write()
		if err != nil {
			return err
		}
		printf(command.OutOrStdout(), "%s", page)
		return nil
	}
}
