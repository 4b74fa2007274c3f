package service

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// Config is what a Service is built from.
type Config struct {
	Stores  []Store
	Cluster kafka.Cluster
	Topics  topology.Topics
	// Partitions is how keys are divided among partitions.
	Partitions kafka.PartitionCount
	// Groups are the consumer groups of the configuration.
	Groups   []topology.Group
	Settings settings.Settings
	// Flows is the table of settings, Consent that of consent; both are kept up to date while the console runs.
	Flows   *settings.Table[settings.Setting]
	Consent *consent.Table
	// Produce writes records and returns once every in-sync replica has them.
	Produce func(ctx context.Context, records ...kafka.Record) error
	// Checks makes the checks of a store, or with "" those of the installation and all stores.
	Checks func(ctx context.Context, store string) []Check
	Log    *zap.Logger
	Now    func() time.Time

	// Model is what the console has read of the topics.
	Model Model
	// Samples sends a sample of each event to the destination of a store, for a test customer with an e-mail.
	Samples func(ctx context.Context, store, email string) ([]SampleEvent, error)
	// Zone returns the time zone of a number, "" if it tells none.
	Zone func(store, number string) string
	// Specs are the topics as they should be.
	Specs []admin.TopicSpec
	// Tokens are the tokens of the API.
	Tokens *access.Tokens
	// ReplayRate is how many dead letters are sent again in a second.
	ReplayRate float64
}

// Store is a store of the configuration.
type Store struct {
	Name string
	// Destination is where events go, such as Bloomreach; "" for nowhere. Texts reports whether the store sends texts.
	Destination string
	Texts       bool
	// Decides is what the transformer decides with, Sinks are the sinks that the store uses: for timelines.
	Decides subscriber.Settings
	Sinks   []topology.Role
}

// Service is what can be seen and done in the console. Its methods are safe for concurrent use.
type Service struct {
	cfg Config

	ops operations
}

// New returns a Service. It needs all of cfg.
func New(cfg Config) *Service {
	s := &Service{cfg: cfg}
	s.ops.begin(s)
	return s
}
