package tracking

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// maxBody is the size in bytes up to which a body is read. Recharge's are far smaller.
const maxBody = 8 << 20

func (c *commands) preview() *cobra.Command {
	command := &cobra.Command{
		Use:   "preview FILE|-",
		Short: "Print the Bloomreach commands that a webhook would become",
		Long: `Print the Bloomreach commands that the webhook in a file, or on standard input, would become in a store, if nothing else were
known of its customer. Nothing is sent, and no broker is needed.`,
		Example: `  rechargeflow tracking preview --store acme --topic charge/paid webhook.json`,
		Args:    cli.Counted(cobra.ExactArgs(1)),
	}
	s := c.AddSettings(command)
	var store, topic string
	command.Flags().StringVar(&store, "store", "", "name of the `store`; needed if there are several")
	command.Flags().StringVar(&topic, "topic", "", "`topic` of the webhook, such as charge/paid")
	cli.Complete(command, "store", cli.CompleteStores(s))
	command.RunE = func(command *cobra.Command, args []string) error {
		if !recharge.Topic(topic).Known() {
			return cli.Usage(fmt.Errorf("--topic is %q, expected a topic of Recharge such as charge/paid", topic))
		}
		loaded, err := s.Load()
		if err != nil {
			return err
		}
		named, err := cli.PickStore(loaded.Config.Stores, store)
		if err != nil {
			return cli.Usage(err)
		}
		body, err := read(command.InOrStdin(), args[0])
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

// read reads a file, or standard input for "-".
func read(stdin io.Reader, name string) ([]byte, error) {
	if name != "-" {
		file, err := os.Open(name) //nolint:gosec // the operator names it
		if err != nil {
			return nil, fmt.Errorf("read webhook: %w", err)
		}
		defer func() { _ = file.Close() }()
		stdin = file
	}
	body, err := io.ReadAll(io.LimitReader(stdin, maxBody))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read webhook: %w", err)
	case len(body) == 0:
		return nil, errors.New("read webhook: it is empty")
	}
	return body, nil
}
