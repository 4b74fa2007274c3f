package tracking

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

func (c *commands) preview() *cobra.Command {
	command := &cobra.Command{
		Use:   "preview FILE|-",
		Short: "Print the Bloomreach commands that a webhook would become",
		Long: `Print the Bloomreach commands that the webhook in a file, or on standard input, would become in a store, if nothing else were
known of its customer. Nothing is sent, and no broker is needed. rechargeflow explain prints everything else that it would become.`,
		Example: `  rechargeflow tracking preview --store acme --topic charge/paid webhook.json`,
		Args:    cli.Counted(cobra.ExactArgs(1)),
	}
	s := c.AddSettings(command)
	var store, topic string
	command.Flags().StringVar(&store, "store", "", "name of the `store`; needed if there are several")
	command.Flags().StringVar(&topic, "topic", "", "`topic` of the webhook, such as charge/paid")
	cli.Complete(command, "store", cli.CompleteStores(s))
	cli.Complete(command, "topic", cli.CompleteTopics())
	command.RunE = func(command *cobra.Command, args []string) error {
		if err := cli.CheckTopic(topic); err != nil {
			return err
		}
		loaded, err := s.Load()
		if err != nil {
			return err
		}
		named, err := cli.PickStore(loaded.Config.Stores, store)
		if err != nil {
			return cli.Usage(err)
		}
		body, err := cli.ReadWebhook(command.InOrStdin(), args[0])
		if err != nil {
			return err
		}
		previewed, why, err := app.Preview(named, recharge.Topic(topic), body, time.Now())
		if err != nil {
			return fmt.Errorf("preview webhook: %w", err)
		}
		if why != "" {
			cli.Printf(command.OutOrStdout(), "nothing is sent: %s\n", why)
			return nil
		}
		for _, each := range previewed {
			if err := cli.PrintJSON(command.OutOrStdout(), each); err != nil {
				return err
			}
		}
		return nil
	}
	return command
}
