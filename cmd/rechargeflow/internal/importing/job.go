package importing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/time/rate"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/backfill"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// job is one import or backfill, and the flags that both have.
type job struct {
	*cli.Settings

	storeName, dir string
	restart        bool
	perSecond      float64

	now      func() time.Time
	store    config.Store
	cfg      config.Config
	topics   topology.Topics
	cluster  kafka.Cluster
	producer *kafka.Producer
	report   *report
	config   backfill.Config
}

func addJob(c *cli.CLI, command *cobra.Command, name string) *job {
	j := &job{Settings: c.AddSettings(command)}
	command.Flags().StringVar(&j.storeName, "store", "", "name of the `store`; needed if there are several")
	command.Flags().StringVar(&j.dir, "dir", filepath.Join("rechargeflow-data", name), "`directory` for the progress and, until the end, personal data")
	command.Flags().BoolVar(&j.restart, "restart", false, "begin again instead of continuing an interrupted run")
	command.Flags().Float64Var(&j.perSecond, "rate", 50, "records with facts per `second`")
	cli.Complete(command, "store", cli.CompleteStores(j.Settings))
	return j
}

// load loads the configuration.
func (j *job) load() error {
	if j.perSecond < 0.01 || j.perSecond > 1e6 {
		return cli.Usage(fmt.Errorf("--rate %v is not a number of records per second between 0.01 and 1000000", j.perSecond))
	}
	loaded, err := j.Load(string(topology.RoleTransformer))
	if err != nil {
		return err
	}
	j.cfg, j.topics, j.now = loaded.Config, topology.Topics{Prefix: loaded.Config.Kafka.TopicPrefix}, app.Clock(loaded.Config)
	return nil
}

// open opens the directory. The caller closes.
func (j *job) open(command *cobra.Command) (err error) {
	if j.store, err = cli.PickStore(j.cfg.Stores, j.storeName); err != nil {
		return cli.Usage(err)
	}
	if j.store.Recharge.Token == "" {
		return cli.Setting(fmt.Errorf("stores[%s].recharge.token: missing. Create an API token %s, with read access to Customers, Orders and Subscriptions", j.store.Name, recharge.ScopesPlace))
	}
	api, err := recharge.NewClient(recharge.ClientConfig{BaseURL: j.store.Recharge.APIURL, Token: j.store.Recharge.Token.Reveal()})
	if err != nil {
		return cli.Setting(err)
	}
	if j.cluster, err = cli.ClusterOf(j.cfg); err != nil {
		return err
	}
	j.report = newReport(command.ErrOrStderr(), time.Now)
	j.producer = kafka.NewProducer(j.cluster, kafka.ProducerConfig{Partitions: app.PartitionCount(j.cfg.Kafka)})
	j.config = backfill.Config{
		Store: j.store.Name, Topic: j.topics.Webhooks(), API: api, Produce: j.produce(), Now: j.now, Sleep: sleep,
		Report: j.report.progress, Failed: j.report.failed,
	}
	if j.config.Dir, err = j.directory(); err != nil {
		return errors.Join(err, j.producer.Close())
	}
	return nil
}

func (j *job) directory() (*backfill.Directory, error) {
	path := filepath.Join(j.dir, j.store.Name)
	dir, err := backfill.OpenDirectory(path)
	if err != nil || !j.restart {
		return dir, err
	}
	if err := dir.Remove(); err != nil {
		return nil, fmt.Errorf("remove progress: %w", err)
	}
	return backfill.OpenDirectory(path)
}

// close ends the job: after an error the directory stays.
func (j *job) close(err error) error {
	end := j.config.Dir.Remove
	if err != nil {
		end = j.config.Dir.Close
	}
	switch failed := errors.Join(end(), j.producer.Close()); {
	case err == nil:
		return failed
	case errors.Is(err, backfill.ErrOtherRun):
		return fmt.Errorf("%w: continue that one with its flags, or begin again with --restart", err)
	case errors.Is(err, context.Canceled):
		err = errors.New("interrupted")
	}
	return fmt.Errorf("%w\nrun the same command again to continue", cli.Explained(j.cfg, cli.Advised(err)))
}

// produce publishes records, those with facts at the limited rate: what follows from them reaches people.
func (j *job) produce() func(context.Context, ...kafka.Record) error {
	limiter := rate.NewLimiter(rate.Limit(j.perSecond), 1)
	return func(ctx context.Context, records ...kafka.Record) error {
		for len(records) > 0 {
			n := 0
			for n < len(records) && records[n].Header(envelope.HeaderFactsSince) == "" {
				n++
			}
			if n == 0 {
				n = 1
				if err := limiter.Wait(ctx); err != nil {
					return err
				}
			}
			if err := j.producer.Produce(ctx, records[:n]...); err != nil {
				return fmt.Errorf("publish records: %w", err)
			}
			records = records[n:]
		}
		return nil
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// aside is a directory that is removed at the end, for a run that publishes nothing.
func aside() (string, error) {
	dir, err := os.MkdirTemp("", "rechargeflow-dry-run-")
	if err != nil {
		return "", fmt.Errorf("create directory: %w", err)
	}
	return dir, nil
}
