package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/pkg/webhooksample"
)

const (
	// sendWithin limits a request: Recharge waits for 5 s.
	sendWithin = 5 * time.Second
	// maxSamples limits --count.
	maxSamples = 10_000
	// maxAnswer limits what is printed of the answer to a webhook that is not accepted.
	maxAnswer = 300
)

// sending is the flags of `webhooks send`.
type sending struct {
	*cli.Settings

	store, to, version string
	customer           int64
	count              int
	list               bool
}

func (c *commands) sendCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "send TOPIC...",
		Short: "Send signed sample webhooks to the gateway",
		Long: `Send a sample webhook of each topic to the gateway, signed with the first of the store's recharge.secrets, to the address that webhooks
addresses prints; and print the status of each answer, which is 200 if the webhook was accepted.

A customer always has the same subscription, charge and order, so samples of one customer make a history, and the same one again may
be a duplicate: name another --customer for a new one. The e-mail is sample-ID@example.com, the phone number one that is reserved for
fiction. What samples become is sent to the store's Bloomreach project and SMS provider: use a store for trials.`,
		Example: `  rechargeflow webhooks send subscription/created charge/paid
  rechargeflow webhooks send charge/failed --customer 1000001 --count 20 --version 2021-01
  rechargeflow webhooks send --list`,
		ValidArgsFunction: completeSamples,
	}
	f := sending{Settings: c.AddSettings(command)}
	flags := command.Flags()
	flags.StringVar(&f.store, "store", "", "name of the `store`; needed if there are several")
	flags.StringVar(&f.to, "to", "", "`URL` of the gateway, without /webhooks; without it gateway.listen on this machine")
	flags.StringVar(&f.version, "version", string(recharge.Version202111), "`version` of Recharge's API that the bodies have: 2021-11 or 2021-01")
	flags.Int64Var(&f.customer, "customer", 0, "Recharge customer `ID`; without it one that depends on the time")
	flags.IntVar(&f.count, "count", 1, "`number` of customers, with successive IDs")
	flags.BoolVar(&f.list, "list", false, "print the topics that have samples, and send nothing")
	cli.Complete(command, "store", cli.CompleteStores(f.Settings))
	cli.Complete(command, "version", cobra.FixedCompletions([]cobra.Completion{"2021-11", "2021-01"}, cobra.ShellCompDirectiveNoFileComp))
	command.RunE = func(command *cobra.Command, topics []string) error {
		if f.list {
			return listSamples(command.OutOrStdout(), topics)
		}
		return f.run(command, topics, time.Now())
	}
	return command
}

func completeSamples(*cobra.Command, []string, string) (names []cobra.Completion, directive cobra.ShellCompDirective) {
	for _, topic := range webhooksample.Topics() {
		names = append(names, string(topic))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func listSamples(out io.Writer, topics []string) error {
	if len(topics) > 0 {
		return cli.Usage(fmt.Errorf("unexpected argument %q with --list", topics[0]))
	}
	for _, topic := range webhooksample.Topics() {
		cli.Printf(out, "%s\n", topic)
	}
	return nil
}

// check refuses wrong flags and topics.
func (f *sending) check(topics []string) error {
	switch {
	case len(topics) == 0:
		return errors.New("name a topic, such as charge/paid; --list prints those that have samples")
	case !slices.Contains(webhooksample.Versions(), recharge.Version(f.version)):
		return fmt.Errorf("--version is %q, expected 2021-11 or 2021-01", f.version)
	case f.customer < 0 || f.customer > webhooksample.MaxCustomer:
		return fmt.Errorf("--customer is %d, expected an ID from 1 to %d", f.customer, int64(webhooksample.MaxCustomer))
	case f.count < 1 || f.count > maxSamples:
		return fmt.Errorf("--count is %d, expected 1 to %d", f.count, maxSamples)
	}
	for _, topic := range topics {
		if !slices.Contains(webhooksample.Topics(), recharge.Topic(topic)) {
			return fmt.Errorf("there is no sample of topic %q; --list prints the topics that have one", topic)
		}
	}
	return nil
}

func (f *sending) run(command *cobra.Command, topics []string, now time.Time) error {
	if err := f.check(topics); err != nil {
		return cli.Usage(err)
	}
	loaded, err := f.Load(string(topology.RoleGateway))
	if err != nil {
		return err
	}
	store, err := cli.PickStore(loaded.Config.Stores, f.store)
	if err != nil {
		return cli.Usage(err)
	}
	to, err := f.gateway(loaded.Config.Gateway.Listen)
	if err != nil {
		return cli.Usage(err)
	}
	first := f.customer
	if first == 0 {
		first = now.Unix()
	}
	return f.send(command, store, to, topics, first)
}

// gateway returns the base URL of the gateway.
func (f *sending) gateway(listen string) (string, error) {
	if f.to != "" {
		return cli.BaseURL("to", f.to)
	}
	address, err := reachable("gateway.listen", listen)
	return "http://" + address, err
}

// send sends the samples of one customer after the other, and prints a line for each.
func (f *sending) send(command *cobra.Command, store config.Store, to string, topics []string, first int64) error {
	client := httpclient.WithoutRedirects(&http.Client{Timeout: sendWithin})
	secret, refused := store.Recharge.Secrets[0].Reveal(), 0
	for i := range int64(f.count) {
		for _, topic := range topics {
			sample := webhooksample.Sample{Topic: recharge.Topic(topic), Version: recharge.Version(f.version), Customer: first + i, At: time.Now()}
			request, err := sample.Request(command.Context(), to+admission.Path(store.Name, sample.Topic, secret), secret)
			if err != nil {
				return err
			}
			status, answer, err := post(client, request)
			if err != nil {
				return fmt.Errorf("send %s to the gateway at %s: %w", topic, to, err)
			}
			cli.Printf(command.OutOrStdout(), "%s\n", strings.TrimSpace(fmt.Sprintf("%s  customer %d  %d  %s", topic, sample.Customer, status, answer)))
			if status != http.StatusOK {
				refused++
			}
		}
	}
	if refused > 0 {
		return fmt.Errorf("%d of %d webhooks were not accepted: see the answers above, and the gateway's log", refused, f.count*len(topics))
	}
	return nil
}

// post sends a webhook, and returns the status of the answer and, if it is no acceptance, its body.
func post(client *http.Client, request *http.Request) (status int, answer string, err error) {
	response, err := client.Do(request)
	if err != nil {
		return 0, "", httpclient.WithoutURL(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer)) // what was read is enough
	if response.StatusCode == http.StatusOK {
		return response.StatusCode, "", nil
	}
	return response.StatusCode, cli.Printable(strings.Join(strings.Fields(string(body)), " ")), nil
}
