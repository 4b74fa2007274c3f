package app

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/registration"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
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
func (a *App) watchRegistrations(store config.Store, client *recharge.Client) {
	if store.Recharge.WebhookURL == "" {
		return
	}
	a.watches = append(a.watches, &registration.Watch{
		Store: Registrations(store, store.Recharge.WebhookURL), API: client, Every: a.cfg.Transformer.WebhookCheckInterval, Metrics: a.metrics, Log: a.log,
	})
}

// startWatches starts the checks. Of several processes the one that has partition 0 makes them, apart from the partition's records.
func (a *App) startWatches(ctx context.Context, group *errgroup.Group, transformer *kafka.Consumer) {
	webhooks := topology.Topics{Prefix: a.cfg.Kafka.TopicPrefix}.Webhooks()
	for _, watch := range a.watches {
		watch.Owns = func() bool { return slices.Contains(transformer.Status().Partitions[webhooks], 0) }
		group.Go(func() error {
			watch.Run(ctx)
			return nil
		})
	}
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
