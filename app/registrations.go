package app

import (
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/config"
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
