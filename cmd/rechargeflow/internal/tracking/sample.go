package tracking

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

func (c *commands) sample() *cobra.Command {
	command := &cobra.Command{
		Use:   "sample",
		Short: "Send one of each event and property to a test customer in Bloomreach",
		Long: `Send one of each event and customer property that the store's settings send to a test customer in Bloomreach, and print the answers.
Each event has the attribute is_sample. Use a profile that no campaign reaches: scenarios are triggered by samples, too.`,
		Example: `  rechargeflow tracking sample --store acme --email test@example.com --recharge-id 1`,
		Args:    cli.NoArguments,
	}
	s := c.AddSettings(command)
	var store, email, id string
	command.Flags().StringVar(&store, "store", "", "name of the `store`; needed if there are several")
	command.Flags().StringVar(&email, "email", "", "`e-mail` of the test customer")
	command.Flags().StringVar(&id, "recharge-id", "1", "Recharge customer `id` of the test customer")
	cli.Complete(command, "store", cli.CompleteStores(s))
	command.RunE = func(command *cobra.Command, _ []string) error {
		if !strings.Contains(email, "@") {
			return cli.Usage(errors.New("--email is missing: the e-mail of a test customer"))
		}
		loaded, err := s.Load(string(topology.RoleTracking))
		if err != nil {
			return err
		}
		named, err := cli.PickStore(loaded.Config.Stores, store)
		if err != nil {
			return cli.Usage(err)
		}
		if !named.Bloomreach.Enabled {
			return cli.Usage(errors.New("bloomreach.enabled is false in this store: it sends nothing"))
		}
		sent, err := app.Sample(command.Context(), named, subscriber.Customer{Email: strings.ToLower(email)}, id, time.Now().Truncate(time.Second))
		rejected := 0
		for _, each := range sent {
			answer := "accepted"
			if len(each.Errors) > 0 {
				answer = "rejected: " + cli.Printable(strings.Join(each.Errors, "; "))
				rejected++
			}
			if err == nil {
				cli.Printf(command.OutOrStdout(), "%-40s %s\n", each.Name, answer)
			}
		}
		if err == nil && rejected > 0 {
			err = fmt.Errorf("%d samples were rejected by Bloomreach: see the answers above", rejected)
		}
		return err
	}
	return command
}
