package texting

import (
	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
)

type commands struct{ *cli.CLI }

// Commands returns the commands about texts.
func Commands(c *cli.CLI) []*cobra.Command {
	t := &commands{c}
	return []*cobra.Command{t.flowsCommand(), t.smsCommand(), t.quietHoursCommand(), t.consentCommand()}
}
