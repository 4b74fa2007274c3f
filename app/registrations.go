package app

import (
	"context"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/registration"
)

// Registrations returns what the registrations of a store depend on, with the gateway at a URL. The store has a secret.
func Registrations(store config.Store, url string) registration.Store {
	var secrets []string
	for _, secret := range store.Recharge.Secrets {
		secrets = append(secrets, secret.Reveal())
	}
	return registration.Store{Name: store.Name, URL: strings.TrimRight(url, "/"), Secrets: secrets, Uses: SwitchesOf(store).Uses}
}

// watchRegistrations checks the registrations of a store with a webhook_url, with the client that lookups use: they share its rate limit.
// Of several processes the one that has partition 0 makes the checks, apart from the partition's records. The secrets are those in force,
// because a change of them does not start the transformer anew.
func (a *App) watchRegistrations(p *part, store config.Store, client *recharge.Client) {
	if store.Recharge.WebhookURL == "" {
		return
	}
	watch := &registration.Watch{
		API: client, Every: a.cfg.Transformer.WebhookCheckInterval, Metrics: a.metrics, Log: a.log,
		Owns: func() bool { return slices.Contains(p.assigned().Partitions[a.runtime.Topics.Webhooks()], 0) },
		Store: func() registration.Store {
			now, found := a.current.Load().Store(store.Name)
			if !found { // the store is being removed
				now = store
			}
			return Registrations(now, store.Recharge.WebhookURL)
		},
	}
	p.task(func(ctx context.Context) error {
		watch.Run(ctx)
		return nil
	})
}

// registrationsOf says whether the registrations of a store are checked.
func registrationsOf(store config.Store) string {
	switch {
	case store.Recharge.Token == "":
		return "not checked: recharge.token is not set"
	case store.Recharge.WebhookURL == "":
		return "not checked: recharge.webhook_url is not set"
	}
	return "checked"
}
