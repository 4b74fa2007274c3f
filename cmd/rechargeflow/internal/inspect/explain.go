package inspect

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
)

// settingsWithin limits the wait for brokers, of which explain needs nothing but which flows are active.
const settingsWithin = 3 * time.Second

// explained is what `explain --json` prints.
type explained struct {
	app.Explanation

	Error string `json:"error,omitempty"`
	// ActiveFlows has whether each flow of a trigger is active; null if no broker was reached.
	ActiveFlows map[flow.Key]bool `json:"active_flows"`
}

func (c *commands) explain() *cobra.Command {
	command := &cobra.Command{
		Use:   "explain FILE|-",
		Short: "Print what a webhook would become",
		Long: `Print what the webhook in a file, or on standard input, would become in a store: its outcome, events, facts, rows of tables, triggers of
flows, lookups, and what Bloomreach would receive. Nothing is sent or stored, and its signature is not checked.

It is decided as for a customer without earlier webhooks: what depends on these, such as changes, duplicates and the property
recharge_subscription_active, may differ. Which flows are active is read from the brokers, if they answer within 3 seconds.`,
		Example: `  rechargeflow explain --store acme --topic charge/paid webhook.json`,
		Args:    cli.Counted(cobra.ExactArgs(1)),
	}
	s := c.AddSettings(command)
	var store, topic string
	command.Flags().StringVar(&store, "store", "", "name of the `store`; needed if there are several")
	command.Flags().StringVar(&topic, "topic", "", "`topic` of the webhook, such as charge/paid")
	asJSON := command.Flags().Bool("json", false, "print JSON, one object")
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
		named, err := storeOf(loaded.Config, store)
		if err != nil {
			return err
		}
		body, err := cli.ReadWebhook(command.InOrStdin(), args[0])
		if err != nil {
			return err
		}
		found, err := app.Explain(named, recharge.Topic(topic), body, time.Now().UTC().Truncate(time.Millisecond))
		if err != nil {
			return fmt.Errorf("explain webhook: %w", err)
		}
		e := explained{Explanation: found}
		if found.Err != nil {
			e.Error = found.Err.Error()
		}
		if len(found.Triggers) > 0 {
			e.ActiveFlows = activeFlows(command.Context(), command.ErrOrStderr(), loaded.Config, named)
		}
		if *asJSON {
			return cli.PrintJSON(command.OutOrStdout(), e)
		}
		return printExplained(command.OutOrStdout(), e)
	}
	return command
}

// activeFlows returns which flows of a store are active; nil if no broker answers in time.
func activeFlows(ctx context.Context, stderr io.Writer, cfg config.Config, store config.Store) map[flow.Key]bool {
	active, err := readFlows(ctx, cfg, store)
	if err != nil {
		cli.Printf(stderr, "warning: which flows are active is unknown: %v\n", err)
		return nil
	}
	return active
}

func readFlows(ctx context.Context, cfg config.Config, store config.Store) (map[flow.Key]bool, error) {
	cluster, err := cli.ClusterOf(cfg)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, settingsWithin)
	defer cancel()
	rows, err := app.Settings(cfg.Kafka).Read(ctx, cluster)
	if err != nil {
		return nil, err
	}
	flows, err := live.FlowsOf(rows, store.Name)
	if err != nil {
		return nil, err
	}
	active := map[flow.Key]bool{}
	for _, f := range flows {
		active[f.Key] = f.Active
	}
	return active, nil
}
