package app

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/app/doctor"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// CheckupOptions selects what is checked.
type CheckupOptions struct {
	// Roles are those that run; none: all.
	Roles []topology.Role
	// Store is the only store that is checked; "" for all.
	Store string
	// SampleEmail is the e-mail of a test customer, who gets a sample of each event; "" for none.
	SampleEmail string
	// Version is that of this program, which those that run should have, too.
	Version telemetry.Version
	// Now is the clock of this machine.
	Now func() time.Time
}

// Checkup returns what package doctor checks of a configuration, and of the error of loading it.
func Checkup(loaded config.Loaded, fault error, o CheckupOptions) doctor.Installation {
	if len(o.Roles) == 0 {
		o.Roles = topology.Roles()
	}
	cfg := loaded.Config
	i := doctor.Installation{Configuration: configured(loaded, fault), Settings: Settings(cfg.Kafka), Now: o.Now}
	if fault != nil {
		return i
	}
	var err error
	if i.Cluster, err = Cluster(cfg.Kafka, nil); err == nil {
		i.Need, err = needs(cfg, o.Roles)
	}
	if err != nil {
		i.Configuration = append(i.Configuration, doctor.Row{Check: checkConfiguration, Status: doctor.Failed, Found: err.Error()})
		return i
	}
	if len(cfg.Kafka.Brokers) == 0 {
		i.Embedded = cfg.Embedded.Listen
		i.Cluster.Brokers = []string{i.Embedded}
	}
	i.Groups = slices.DeleteFunc(Groups(cfg), func(g topology.Group) bool { return !slices.Contains(o.Roles, g.Role) })
	i.Runs = map[topology.Role]kafka.MemberInfo{}
	for _, role := range o.Roles {
		i.Runs[role] = memberInfo(cfg, role, o.Version, o.Now())
	}
	for _, store := range cfg.Stores {
		if o.Store == "" || o.Store == store.Name {
			i.Stores = append(i.Stores, checkupOf(store, o))
		}
	}
	return i
}

const checkConfiguration = "configuration"

// configured returns what is wrong with a configuration.
func configured(loaded config.Loaded, fault error) (rows []doctor.Row) {
	var found *config.Faults
	switch {
	case errors.As(fault, &found):
		for _, each := range found.List {
			rows = append(rows, doctor.Row{Check: checkConfiguration, Status: doctor.Failed, Found: each.String()})
		}
		return rows
	case fault != nil:
		return []doctor.Row{{Check: checkConfiguration, Status: doctor.Failed, Found: fault.Error()}}
	}
	for _, each := range loaded.Warnings {
		rows = append(rows, doctor.Row{Check: checkConfiguration, Status: doctor.Warning, Found: each.String()})
	}
	if len(rows) == 0 {
		rows = []doctor.Row{{Check: checkConfiguration, Status: doctor.OK, Found: fmt.Sprintf("valid, stores: %d", len(loaded.Config.Stores))}}
	}
	return rows
}

// checkupOf returns what is checked of a store.
func checkupOf(store config.Store, o CheckupOptions) doctor.Store {
	return doctor.Store{
		Name: store.Name,
		Recharge: doctor.Recharge{
			URL: store.Recharge.APIURL, Token: store.Recharge.Token.Reveal(), Registrations: Registrations(store, store.Recharge.WebhookURL),
		},
		Destinations: []doctor.Destination{eventsOf(store, o.SampleEmail, o.Now)},
		Texts:        textsOf(store),
	}
}
