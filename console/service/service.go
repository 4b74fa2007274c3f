package service

import (
	"context"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/membership"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/texts"
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

	// Jobs outlive the service, which has its own if it is nil. Then calling Use is not needed.
	Jobs *Jobs
	// Scans limits how many requests read whole topics; nil for one of this service alone. ScanWait is how long a request waits, 5 s if it is 0.
	Scans    *semaphore.Weighted
	ScanWait time.Duration

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
	// Unreadable is called with rows of settings that can't be read, when there is no table; nil for nobody.
	Unreadable func(error)
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

	Currency string // ISO 4217
	TimeZone string // of its days; "" is UTC
	Region   string // ISO 3166 code, for numbers without a country
	Shop     flow.Shop
	// Sends is what the configuration says about how texts are sent: see texts.Store. What changes at run time is not used.
	Sends texts.Store
	// Asks is whom the store may text.
	Asks consent.Mode
	// Driver is the SMS driver, "none" for a store without texts. DryRun means that it sends nothing.
	Driver string
	DryRun bool
	// Send sends one text through the driver; nil for a store without texts.
	Send func(ctx context.Context, m sms.Message) (sms.Receipt, error)
	// Profiles is where segments are pushed to; nil for nowhere.
	Profiles *Profiles
}

// Profiles are the customers' profiles at the destination of events: see membership.Push.
type Profiles struct {
	// Settings are what the destination and its credentials are built from. If other ones come into force, a push ends.
	Settings    any
	Of          func(customerID, email string) membership.Profile
	Former      func(id string) map[string]string
	Destination membership.Destination
}

// Service is what can be seen and done in the console. Its methods are safe for concurrent use.
type Service struct {
	cfg      Config
	jobs     *Jobs
	checking *checks
	lasts    lasts
}

// New returns a Service. It needs all of cfg. A command, which ends soon, has no tables: then the topics are read each time.
func New(cfg Config) *Service {
	if cfg.Scans == nil {
		cfg.Scans = NewScans()
	}
	s := &Service{cfg: cfg, jobs: cfg.Jobs, checking: newChecks(), lasts: lasts{read: map[string]last{}}}
	if s.jobs == nil {
		s.jobs = NewJobs(cfg.Now)
		s.Use()
	}
	return s
}
