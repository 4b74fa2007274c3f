package app

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/app/doctor"
	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/pages"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// serviceOf returns what can be seen and done in the console with a configuration.
func (r *consoleRole) serviceOf(cfg config.Config) (*service.Service, error) {
	a := r.app
	spec, err := BuiltInTopics(cfg.Kafka)
	if err != nil {
		return nil, err
	}
	built, err := ServiceOf(cfg, a.cluster, r.log, a.now)
	if err != nil {
		return nil, err
	}
	built.Groups, built.Specs, built.Flows, built.Consent, built.Model, built.Tokens = Groups(cfg), spec.Topics, r.flows, r.consent, r.model, r.tokens
	built.Scans, built.Jobs = r.scans, r.jobs
	built.Produce, built.Checks, built.Samples = a.runtime.Produce, a.checksOf(cfg), samplesFor(cfg, a.now)
	for i, store := range cfg.Stores {
		built.Stores[i].Decides, built.Stores[i].Sinks = SettingsOf(store), SinksOf(store)
	}
	built.Zone = zonesOf(built.Stores, a.now)
	return service.New(built), nil
}

// zonesOf returns what finds the time zone of a number, as the quiet hours do; of several zones that in which most people live, "" for a number of no
// place. recharge.customers has no address, which the quiet hours prefer.
func zonesOf(stores []service.Store, now func() time.Time) func(store, phone string) string {
	return func(name, phone string) string {
		at := slices.IndexFunc(stores, func(s service.Store) bool { return s.Name == name })
		if at < 0 {
			return ""
		}
		number, err := sms.Number(phone, "", stores[at].Region)
		if err != nil {
			return ""
		}
		found := stores[at].Sends.Zones.Find(quiethours.Default(), quiethours.Recipient{Number: number}, now())
		if found.Source != quiethours.Phone {
			return ""
		}
		return found.Zones[0]
	}
}

// checksOf returns what makes the checks of doctor, for one store and for all that stores share.
func (a *App) checksOf(cfg config.Config) func(ctx context.Context, store string) []service.Check {
	return func(ctx context.Context, store string) []service.Check {
		i := Checkup(config.Loaded{Config: cfg}, nil, CheckupOptions{Store: store, Version: a.version, Now: a.now})
		i.Cluster = a.cluster
		if i.Embedded != "" {
			i.Embedded = a.cluster.Brokers[0]
		}
		rows := []service.Check{}
		for _, row := range doctor.Run(ctx, i) {
			rows = append(rows, service.Check{Store: row.Store, Check: row.Check, Status: string(row.Status), Found: row.Found, Cure: row.Cure})
		}
		return rows
	}
}

// samplesFor returns what sends a sample of each event to the destination of a store.
func samplesFor(cfg config.Config, now func() time.Time) func(ctx context.Context, store, email string) ([]service.SampleEvent, error) {
	return func(ctx context.Context, name, email string) (samples []service.SampleEvent, err error) {
		store, _ := cfg.Store(name)
		destination := eventsOf(store, email, now)
		if destination.Off != "" {
			return nil, fmt.Errorf("%w: %s", service.ErrConflict, destination.Off)
		}
		sent, err := destination.Sample(ctx)
		for _, each := range sent {
			samples = append(samples, service.SampleEvent(each))
		}
		return samples, err
	}
}

// openPeople opens the file of people, once: it is read again when it changes, and a fault in it then concerns nothing else.
func (r *consoleRole) openPeople(path string) (err error) {
	if path == "" {
		return nil
	}
	if r.people, err = access.OpenPeople(path, r.log, r.app.now); err != nil {
		return fmt.Errorf("console.people_file: %w", err)
	}
	r.app.health.Register("people of the console", false, r.people.Fault)
	return nil
}

// gateOf returns what decides who may use the console.
func (r *consoleRole) gateOf(c config.Console, shown *pages.Pages) (*access.Access, error) {
	built := access.Config{
		URL: c.URL, Tokens: r.tokens, State: r.state, Log: r.log, Now: r.app.now, Limits: access.Limits{Idle: c.SessionIdle, Max: c.SessionMax}, OIDC: oidcOf(c.OIDC),
		RenderLogin: shown.Login, Public: pages.Public(), Attempted: func(outcome access.Outcome) { r.app.metrics.ConsoleLogin(string(outcome)) },
	}
	if err := access.CheckListen(c.Listen, c.URL, c.PeopleFile != "", built.OIDC != nil); err != nil {
		return nil, err
	}
	built.People = r.people
	for _, text := range c.TrustedProxies {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			address, bad := netip.ParseAddr(text)
			if bad != nil {
				return nil, fmt.Errorf("console.trusted_proxies: %w", err)
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		built.TrustedProxies = append(built.TrustedProxies, network)
	}
	return access.New(built)
}

// oidcOf returns the provider that knows the people of the console; nil for none.
func oidcOf(o config.ConsoleOIDC) *access.OIDC {
	if o.Issuer == "" {
		return nil
	}
	roles := map[string]access.Role{}
	for _, each := range []struct {
		values []string
		role   access.Role
	}{{o.Viewers, access.Viewer}, {o.Editors, access.Editor}, {o.Operators, access.Operator}} { // the greatest role of a value that is in two lists
		for _, value := range each.values {
			roles[value] = each.role
		}
	}
	return &access.OIDC{
		Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret.Reveal(), Scopes: o.Scopes, NameClaim: o.NameClaim, RoleClaim: o.RoleClaim, Roles: roles,
		DefaultRole: access.Role(o.DefaultRole), Domains: o.AllowedDomains, Client: &http.Client{Timeout: oidcTimeout},
	}
}

const oidcTimeout = 10 * time.Second
