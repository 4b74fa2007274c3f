package doctor

import (
	"context"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/registration"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// Timeout is how long one check may take.
const Timeout = 10 * time.Second

// Installation is what is checked.
type Installation struct {
	// Configuration is what is wrong with the configuration. If one row has failed, nothing else is checked.
	Configuration []Row
	Cluster       kafka.Cluster
	// Embedded is the address of the embedded broker, "" with other brokers.
	Embedded string
	Need     admin.Requirements
	Groups   []topology.Group
	// Runs is what the members of each role's groups should show: the version and configuration with which these checks are made.
	Runs     map[topology.Role]kafka.MemberInfo
	Settings settings.Settings
	Stores   []Store
	// Now is the clock of this machine.
	Now func() time.Time
}

// Store is a store, and what its checks need.
type Store struct {
	Name         string
	Recharge     Recharge
	Destinations []Destination
	Texts        Texts
}

// Recharge is a store's API.
type Recharge struct {
	URL, Token string // no token: it is not checked
	// Registrations are the webhooks as they should be. Without a secret or a URL they are not compared.
	Registrations registration.Store
}

// Destination is where a store's events go.
type Destination struct {
	Name, Host string
	Off        string // why nothing is sent there, "" if something is
	// Probe checks the credentials and writes nothing. ErrUnproven means that it can't tell.
	Probe func(context.Context) error
	// Sample sends one of each event to a test customer; nil: nothing is sent.
	Sample func(context.Context) ([]Sample, error)
	// SampleCommand is the command that sends samples.
	SampleCommand string
}

// Sample is what a destination answered to a sample.
type Sample struct {
	Name   string
	Errors []string // none if it was accepted
}

// Texts is how a store sends texts.
type Texts struct {
	Driver string // "" for none
	Host   string // that the driver calls, "" if it calls none
	DryRun bool   // texts are logged and not sent
	// Abilities are those of the driver. Deaf means that the gateway cannot verify callbacks, because it lacks one of the settings Verifies.
	Abilities sms.Abilities
	Deaf      bool
	Verifies  string
	Consent   string // whom the store texts
	// OwnQuietHours means that the provider holds texts back.
	OwnQuietHours bool
	Shop          flow.Shop
	Links         Links
}

// Run makes all checks and returns their rows: first those of the installation, then those of each store. Checks of different systems run at
// the same time.
func Run(ctx context.Context, i Installation) []Row {
	rows := i.Configuration
	if AnyFailed(rows) {
		return append(rows, notChecked("everything else", "the configuration has faults"))
	}
	outside := make([][]Row, len(i.Stores))
	var group sync.WaitGroup
	for n, store := range i.Stores {
		group.Go(func() { outside[n] = store.outside(ctx, i.Now) })
	}
	found := i.kafka(ctx)
	group.Wait()
	rows = append(rows, found.rows...)
	for n, store := range i.Stores {
		of := append(outside[n], store.imported(found)...)
		for _, row := range append(of, store.texts(found)...) {
			row.Store = store.Name
			rows = append(rows, row)
		}
	}
	return rows
}

// outside makes the checks of a store that need other systems than Kafka.
func (s Store) outside(ctx context.Context, now func() time.Time) (rows []Row) {
	rows = s.Recharge.check(ctx, s.Name, now)
	for _, d := range s.Destinations {
		rows = append(rows, d.check(ctx)...)
	}
	return append(rows, s.links(ctx)...)
}

// within limits a check.
func within[T any](ctx context.Context, check func(context.Context) T) T {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	return check(ctx)
}
