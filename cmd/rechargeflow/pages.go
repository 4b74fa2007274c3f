package main

import (
	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/webhookdocs"
)

func (c *commands) webhooksCommand() *cobra.Command {
	return cli.Group("webhooks", "Print addresses of webhooks, send samples, repair a mistyped one, or document them",
		"Print the addresses of the webhooks to register at Recharge, send samples to the gateway, send those of a mistyped topic again, or document what Rechargeflow does with each.",
		c.addressesCommand(), c.sendCommand(), c.repairCommand(),
		&cobra.Command{
			Use:     "docs",
			Short:   "Write what each of Recharge's topics produces, docs/webhooks.md",
			Long:    "Write what each of Recharge's topics produces, as Markdown. make docs writes docs/webhooks.md with it.",
			Example: "  rechargeflow webhooks docs > docs/webhooks.md",
			Args:    cli.NoArguments,
			RunE:    cli.PrintPage(webhookdocs.WebhooksPage),
		})
}
