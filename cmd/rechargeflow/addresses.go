package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// addressesCommand prints the addresses of a store's webhooks. Their tokens are secrets, so they go to standard output alone.
func (c *cli) addressesCommand() *cobra.Command {
	var store, base string
	command := &cobra.Command{
		Use:   "addresses",
		Short: "Print the addresses to register at Recharge, with their tokens",
		Long: `Print a line for each topic that produces output: the topic, a tab, and the address to register at Recharge.

The last part of an address is its token. It is made from the first of the store's recharge.secrets, and proves that a
webhook was sent for this store and topic. Keep it secret. Register addresses again before you remove the secret.`,
		Example: `  rechargeflow webhooks addresses --store acme --base-url https://hooks.example.com`,
		Args:    noArguments,
	}
	s := c.addSettings(command)
	command.Flags().StringVar(&store, "store", "", "name of the `store`; needed if there are several")
	command.Flags().StringVar(&base, "base-url", "", "`URL` at which Recharge reaches the gateway, without /webhooks")
	complete(command, "store", completeStores(s))
	command.RunE = func(command *cobra.Command, _ []string) error {
		origin, err := baseURL(base)
		if err != nil {
			return usage(err)
		}
		loaded, err := s.load(string(topology.RoleGateway))
		if err != nil {
			return err
		}
		named, err := pickStore(loaded.Config.Stores, store)
		if err != nil {
			return usage(err)
		}
		for _, topic := range recharge.Topics() {
			if subscriber.Uses(topic) && topic == topic.Current() {
				printf(command.OutOrStdout(), "%s\t%s\n", topic, origin+admission.Path(named.Name, topic, named.Recharge.Secrets[0].Reveal()))
			}
		}
		return nil
	}
	return command
}

// baseURL returns a base URL without a slash at its end.
func baseURL(given string) (string, error) {
	if given == "" {
		return "", errors.New("--base-url is missing: the URL at which Recharge reaches the gateway, such as https://hooks.example.com")
	}
	u, err := url.Parse(given)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("--base-url is %q, expected a URL such as https://hooks.example.com, without user, query or fragment", given)
	}
	return strings.TrimRight(given, "/"), nil
}

// pickStore returns the named store, or the only one if none is named.
func pickStore(stores []config.Store, name string) (config.Store, error) {
	var names []string
	for _, store := range stores {
		names = append(names, store.Name)
	}
	if name == "" && len(stores) == 1 {
		return stores[0], nil
	}
	if at := slices.Index(names, name); at >= 0 {
		return stores[at], nil
	}
	return config.Store{}, fmt.Errorf("--store is %q, expected one of %s", name, strings.Join(names, ", "))
}
